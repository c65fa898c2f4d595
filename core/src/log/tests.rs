// SPDX-License-Identifier: LGPL-2.0-or-later
//! The tree against published vectors and against an independent implementation.

use std::{cell::Cell, collections::BTreeMap, convert::Infallible};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;

use super::*;

type Oracle = MemoryBackedTree<sha2_oracle::Sha256, Vec<u8>>;
type OracleRoot = ct_merkle::RootHash<sha2_oracle::Sha256>;
type OracleInclusion = ct_merkle::InclusionProof<sha2_oracle::Sha256>;
type OracleConsistency = ct_merkle::ConsistencyProof<sha2_oracle::Sha256>;

/// Ours and theirs over the same leaves; ours with all complete nodes and the roots of all sizes.
struct Pair {
    frontier: Frontier,
    nodes: BTreeMap<NodeId, NodeHash>,
    heads: Vec<TreeHead>,
    oracle: Oracle,
}

impl Pair {
    fn new() -> Self {
        let frontier = Frontier::new();
        let heads = vec![frontier.head()];
        Self { frontier, nodes: BTreeMap::new(), heads, oracle: Oracle::new() }
    }

    fn of_size(size: u64) -> Self {
        let mut pair = Self::new();
        (0..size).for_each(|_| pair.grow());
        pair
    }

    fn grow(&mut self) {
        let content = content(self.frontier.size());
        self.nodes.extend(self.frontier.append(NodeHash::leaf(&content)));
        self.heads.push(self.frontier.head());
        self.oracle.push(content);
    }

    fn head(&self) -> &TreeHead {
        &self.heads[self.heads.len() - 1]
    }

    fn inclusion(&mut self, index: u64) -> InclusionProof {
        let size = self.frontier.size();
        InclusionProof::build(&mut self.nodes, index, size).unwrap().unwrap()
    }

    fn consistency(&mut self, old_size: u64) -> ConsistencyProof {
        let size = self.frontier.size();
        ConsistencyProof::build(&mut self.nodes, old_size, size).unwrap().unwrap()
    }

    fn oracle_root(&self) -> OracleRoot {
        self.oracle.root()
    }
}

fn content(index: u64) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

fn leaf(index: u64) -> NodeHash {
    NodeHash::leaf(&content(index))
}

fn joined(hashes: &[NodeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn split(bytes: &[u8]) -> Vec<NodeHash> {
    bytes.chunks(32).map(|hash| NodeHash::from_slice(hash).unwrap()).collect()
}

#[test]
fn small_trees_have_the_published_roots() {
    // The leaves and roots that certificate transparency's implementations share as test data.
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::new();
    for (leaf, root) in leaves.into_iter().zip(roots) {
        frontier.append(NodeHash::leaf(&hex::decode(leaf).unwrap()));
        assert_eq!(frontier.root().to_string(), root);
    }
}

#[test]
fn roots_are_the_oracles_at_every_size() {
    let mut pair = Pair::new();
    for size in 0..300 {
        assert_eq!(pair.head().root.0[..], pair.oracle_root().as_bytes()[..], "size {size}");
        assert_eq!(tree_root(&mut pair.nodes, size).unwrap(), pair.head().root);
        pair.grow();
    }
}

#[test]
fn every_inclusion_proof_is_the_oracles() {
    let mut pair = Pair::new();
    for size in 1..300 {
        pair.grow();
        let root = pair.oracle_root();
        for index in 0..size {
            let proof = pair.inclusion(index);
            // Every proof at every small size, a sample at the others: the oracle is slow.
            if size < 70 || index % 7 == size % 7 {
                let theirs = pair.oracle.prove_inclusion(index as usize);
                assert_eq!(joined(proof.hashes()), theirs.as_bytes(), "{index} of {size}");
                let ours = OracleInclusion::from_bytes(joined(proof.hashes()));
                root.verify_inclusion(&content(index), index, &ours).unwrap();
                let theirs = InclusionProof::try_from(split(theirs.as_bytes())).unwrap();
                theirs.verify(index, &leaf(index), pair.head()).unwrap();
            }
            proof.verify(index, &leaf(index), pair.head()).unwrap();
        }
    }
}

#[test]
fn every_consistency_proof_is_the_oracles() {
    let mut pair = Pair::new();
    let mut roots = vec![pair.oracle_root()];
    for size in 1..300 {
        pair.grow();
        roots.push(pair.oracle_root());
        for old_size in 0..=size {
            let proof = pair.consistency(old_size);
            let old = pair.heads[old_size as usize];
            proof.verify(&old, pair.head()).unwrap();
            let sampled = size < 70 || old_size % 7 == size % 7;
            if old_size > 0 && sampled {
                let theirs = pair.oracle.prove_consistency((size - old_size) as usize);
                assert_eq!(joined(proof.hashes()), theirs.as_bytes(), "{old_size} to {size}");
                let ours = OracleConsistency::try_from_bytes(joined(proof.hashes())).unwrap();
                roots[size as usize].verify_consistency(&roots[old_size as usize], &ours).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn larger_trees_agree_with_the_oracle(size in 300_u64..6000, index in any::<u64>(), old_size in any::<u64>()) {
        let mut pair = Pair::of_size(size);
        let (index, old_size) = (index % size, 1 + old_size % size);
        prop_assert_eq!(pair.head().root.0.to_vec(), pair.oracle_root().as_bytes().to_vec());
        let inclusion = pair.inclusion(index);
        let theirs = pair.oracle.prove_inclusion(index as usize);
        prop_assert_eq!(joined(inclusion.hashes()), theirs.as_bytes());
        inclusion.verify(index, &leaf(index), pair.head()).unwrap();
        let consistency = pair.consistency(old_size);
        let theirs = pair.oracle.prove_consistency((size - old_size) as usize);
        prop_assert_eq!(joined(consistency.hashes()), theirs.as_bytes());
        consistency.verify(&pair.heads[old_size as usize], pair.head()).unwrap();
    }

    #[test]
    fn a_frontier_survives_being_written(size in 0_u64..5000) {
        let pair = Pair::of_size(size);
        let bytes = pair.frontier.to_bytes();
        prop_assert_eq!(Frontier::from_bytes(&bytes), Some(pair.frontier));
        prop_assert_eq!(Frontier::from_bytes(&[&bytes[..], &[0; 32]].concat()), None);
        prop_assert_eq!(Frontier::from_bytes(&bytes[..bytes.len() - 1]), None);
    }
}

/// Every way in which a list of hashes goes wrong by one step.
fn mutations(hashes: &[NodeHash]) -> Vec<Vec<NodeHash>> {
    let mut mutated = Vec::new();
    for at in 0..hashes.len() {
        for byte in [0, 13, 31] {
            let mut flipped = hashes.to_vec();
            flipped[at].0[byte] ^= 0x10;
            mutated.push(flipped);
        }
        let mut missing = hashes.to_vec();
        missing.remove(at);
        mutated.push(missing);
        let mut swapped = hashes.to_vec();
        swapped.swap(at, (at + 1) % hashes.len());
        mutated.extend((swapped != hashes).then_some(swapped));
    }
    for at in 0..=hashes.len() {
        for extra in
            [NodeHash([0; 32]), NodeHash::empty(), hashes.first().copied().unwrap_or(NodeHash([1; 32]))]
        {
            let mut longer = hashes.to_vec();
            longer.insert(at, extra);
            mutated.push(longer);
        }
    }
    mutated
}

fn flipped(head: &TreeHead) -> TreeHead {
    let mut root = head.root;
    root.0[31] ^= 1;
    TreeHead { root, ..*head }
}

#[test]
fn mutated_inclusion_proofs_are_refused() {
    for size in (1..40).chain([63, 64, 65, 100]) {
        let mut pair = Pair::of_size(size);
        for index in 0..size {
            let proof = pair.inclusion(index);
            let head = *pair.head();
            for hashes in mutations(proof.hashes()) {
                let result = InclusionProof(&hashes).verify(index, &leaf(index), &head);
                assert_eq!(result, Err(ProofError::Invalid), "{index} of {size}: {hashes:?}");
            }
            assert!(proof.verify(index, &leaf(index + 1), &head).is_err());
            assert!(proof.verify(index, &leaf(index), &flipped(&head)).is_err());
            for other in (0..size).filter(|other| *other != index) {
                assert!(proof.verify(other, &leaf(index), &head).is_err(), "{index} as {other} of {size}");
            }
            assert_eq!(proof.verify(size, &leaf(index), &head), Err(ProofError::NoSuchLeaf));
        }
    }
}

#[test]
fn mutated_consistency_proofs_are_refused() {
    for size in (1..40).chain([63, 64, 65, 100]) {
        let mut pair = Pair::of_size(size);
        for old_size in 0..=size {
            let proof = pair.consistency(old_size);
            let (old, new) = (pair.heads[old_size as usize], *pair.head());
            for hashes in mutations(proof.hashes()) {
                let result = ConsistencyProof(&hashes).verify(&old, &new);
                assert_eq!(result, Err(ProofError::Invalid), "{old_size} to {size}: {hashes:?}");
            }
            assert!(proof.verify(&flipped(&old), &new).is_err(), "{old_size} to {size}");
            // An empty old tree says nothing about the new one.
            assert_eq!(proof.verify(&old, &flipped(&new)).is_err(), old_size != 0, "{old_size} to {size}");
            if old_size < size {
                assert_eq!(proof.verify(&new, &old), Err(ProofError::Shrunk));
            }
        }
    }
}

#[expect(non_snake_case, reason = "reads like the private constructor")]
fn InclusionProof(hashes: &[NodeHash]) -> InclusionProof {
    hashes.to_vec().try_into().unwrap()
}

#[expect(non_snake_case, reason = "reads like the private constructor")]
fn ConsistencyProof(hashes: &[NodeHash]) -> ConsistencyProof {
    hashes.to_vec().try_into().unwrap()
}

#[test]
fn a_tree_that_was_changed_is_not_consistent() {
    let mut honest = Pair::of_size(20);
    for changed in 0..12 {
        let mut forged = Frontier::new();
        for index in 0..12 {
            forged.append(if index == changed { NodeHash::leaf(b"another") } else { leaf(index) });
        }
        let proof = honest.consistency(12);
        assert!(proof.verify(&forged.head(), honest.head()).is_err());
        assert!(!extends(&mut honest.nodes, 20, &forged.head()).unwrap());
    }
    let (own, seen) = (honest.heads[12], honest.heads[20]);
    assert!(extends(&mut honest.nodes, 20, &own).unwrap());
    assert!(!extends(&mut honest.nodes, 12, &seen).unwrap(), "a tree cut off behind what was seen");
}

#[test]
fn proofs_longer_than_any_tree_are_not_read() {
    assert!(InclusionProof::try_from(vec![NodeHash::empty(); 65]).is_ok());
    assert_eq!(InclusionProof::try_from(vec![NodeHash::empty(); 66]), Err(ProofTooLong));
    let json = serde_json::to_string(&vec![NodeHash::empty(); 66]).unwrap();
    assert!(serde_json::from_str::<ConsistencyProof>(&json).is_err());
}

#[test]
fn outside_of_the_tree_there_are_no_proofs() {
    let mut pair = Pair::of_size(5);
    assert_eq!(InclusionProof::build(&mut pair.nodes, 5, 5), Ok(None));
    assert_eq!(ConsistencyProof::build(&mut pair.nodes, 6, 5), Ok(None));
    assert!(inclusion_reads(5, 5).is_empty() && consistency_reads(6, 5).is_empty());
    pair.nodes.remove(&NodeId { level: 1, index: 0 });
    let missing = MissingNode(NodeId { level: 1, index: 0 });
    assert_eq!(InclusionProof::build(&mut pair.nodes, 2, 5), Err(missing));
}

#[test]
fn what_is_announced_is_read_and_nothing_else() {
    for size in 1..130 {
        let mut pair = Pair::of_size(size);
        let all = std::mem::take(&mut pair.nodes);
        let only = |ids: Vec<NodeId>| ids.into_iter().map(|id| (id, all[&id])).collect::<BTreeMap<_, _>>();
        for at in 0..size {
            pair.nodes = only(inclusion_reads(at, size));
            pair.inclusion(at).verify(at, &leaf(at), &pair.heads[size as usize]).unwrap();
            pair.nodes = only(consistency_reads(at, size));
            pair.consistency(at).verify(&pair.heads[at as usize], &pair.heads[size as usize]).unwrap();
        }
        assert_eq!(tree_root(&mut only(root_reads(size)), size).unwrap(), pair.head().root);
    }
}

/// A tree of equal leaves: the node at a level is the same everywhere, so any size costs nothing.
struct EqualLeaves {
    levels: Vec<NodeHash>,
    size: u64,
    reads: Cell<u32>,
}

impl EqualLeaves {
    fn new(size: u64) -> Self {
        let mut levels = vec![NodeHash::leaf(b"same")];
        for level in 0..63 {
            levels.push(NodeHash::node(&levels[level], &levels[level]));
        }
        Self { levels, size, reads: Cell::new(0) }
    }
}

impl Nodes for EqualLeaves {
    type Error = Infallible;

    fn node(&mut self, id: NodeId) -> Result<NodeHash, Infallible> {
        assert!(id.is_in(self.size), "{id:?} is not complete in a tree of {}", self.size);
        self.reads.set(self.reads.get() + 1);
        Ok(self.levels[usize::from(id.level)])
    }
}

#[test]
fn the_cost_of_proofs_is_logarithmic_up_to_ten_million_entries_and_beyond() {
    let sizes =
        [1, 2, 3, 1000, 1023, 1024, 1025, 65_535, 999_999, 8_388_607, 8_388_608, 9_999_999, 10_000_000];
    for size in sizes.into_iter().chain([MAX_TREE_SIZE - 1, MAX_TREE_SIZE]) {
        let limit = 2 * size.ilog2() + 2;
        let mut nodes = EqualLeaves::new(size);
        let head = TreeHead { size, root: tree_root(&mut nodes, size).unwrap() };
        assert!(nodes.reads.get() <= limit);
        let places = [0, 1, size / 3, size / 2, size.saturating_sub(2), size - 1];
        for index in places.into_iter().filter(|index| *index < size) {
            nodes.reads.set(0);
            let proof = InclusionProof::build(&mut nodes, index, size).unwrap().unwrap();
            assert!(nodes.reads.get() <= limit, "{} reads for leaf {index} of {size}", nodes.reads.get());
            proof.verify(index, &nodes.levels[0], &head).unwrap();

            let old = TreeHead { size: index, root: tree_root(&mut nodes, index).unwrap() };
            nodes.reads.set(0);
            let proof = ConsistencyProof::build(&mut nodes, index, size).unwrap().unwrap();
            assert!(nodes.reads.get() <= limit, "{} reads from {index} to {size}", nodes.reads.get());
            proof.verify(&old, &head).unwrap();
        }
    }
}

#[test]
fn appending_completes_each_node_once() {
    let mut frontier = Frontier::new();
    let mut nodes = BTreeMap::new();
    for index in 0..1000 {
        for (id, hash) in frontier.append(leaf(index)) {
            assert!(id.is_in(frontier.size()));
            assert_eq!(nodes.insert(id, hash), None, "{id:?} twice");
        }
    }
    let complete: u64 = (0..10).map(|level| 1000 >> level).sum();
    assert_eq!(nodes.len() as u64, complete);
}
