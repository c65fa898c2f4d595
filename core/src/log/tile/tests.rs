// SPDX-License-Identifier: LGPL-2.0-or-later
use std::{collections::BTreeMap, convert::Infallible};

use super::*;
use crate::log::{
    ConsistencyProof, Disclosure, Frontier, InclusionProof, NodeHash, NodeId, Nodes, ProofError, Salt,
    TreeHead, consistency_reads, leaf_content, leaf_hash,
};

type Files = BTreeMap<TileId, Vec<u8>>;

fn commitment(seq: u64) -> NodeHash {
    NodeHash::leaf(&seq.to_le_bytes())
}

fn leaf(seq: u64) -> NodeHash {
    leaf_hash(seq, &commitment(seq))
}

/// A log's nodes, and its heads at all sizes.
fn tree(size: u64) -> (BTreeMap<NodeId, NodeHash>, Vec<TreeHead>) {
    let mut frontier = Frontier::new();
    let mut heads = vec![frontier.head()];
    let mut nodes = BTreeMap::new();
    for seq in 0..size {
        nodes.extend(frontier.append(leaf(seq)));
        heads.push(frontier.head());
    }
    (nodes, heads)
}

fn files(nodes: &mut BTreeMap<NodeId, NodeHash>, size: u64) -> Files {
    (0..4)
        .flat_map(|level| TileId::all_in(TileKind::Hashes { level }, size))
        .map(|id| (id, Tile::build(nodes, id).unwrap().to_bytes()))
        .collect()
}

fn proofs_hold(source: Files, heads: &[TreeHead], places: impl Iterator<Item = u64>) -> bool {
    let head = heads[heads.len() - 1];
    let mut reader = TileReader::new(source, &head);
    places.into_iter().all(|at| {
        let inclusion = InclusionProof::build(&mut reader, at, head.size).unwrap().unwrap();
        let consistency = ConsistencyProof::build(&mut reader, at, head.size).unwrap().unwrap();
        inclusion.verify(at, &leaf(at), &head).is_ok()
            && consistency.verify(&heads[at as usize], &head).is_ok()
    })
}

#[test]
fn tiles_answer_for_every_node() {
    for size in [1, 2, 255, 256, 257, 300, 511, 512, 1000, 66_000] {
        let (mut nodes, heads) = tree(size);
        let mut reader = TileReader::new(files(&mut nodes, size), heads.last().unwrap());
        for (id, hash) in &nodes {
            assert_eq!(reader.node(*id), Ok(*hash), "{id:?} of {size}");
        }
        assert_eq!(reader.check_root(heads.last().unwrap()), Ok(Ok(())));
    }
}

#[test]
fn proofs_come_from_tiles_alone() {
    let (mut nodes, heads) = tree(70_000);
    let source = files(&mut nodes, 70_000);
    let places = [0, 1, 255, 256, 65_535, 65_536, 65_537, 69_887, 69_888, 69_999];
    assert!(proofs_hold(source, &heads, places.into_iter().chain((0..70_000).step_by(997))));
}

#[test]
fn a_lying_source_gets_no_proof_through() {
    // A proof for a place needs all other hashes of its tile, and some of all tiles above.
    let places = [1, 254, 300, 511, 600, 900, 998];
    let (mut nodes, heads) = tree(1000);
    let honest = files(&mut nodes, 1000);
    assert!(proofs_hold(honest.clone(), &heads, places.into_iter()));
    for id in honest.keys() {
        for at in [0, 32 * (usize::from(id.width()) - 1), honest[id].len() - 1] {
            let mut lying = honest.clone();
            lying.get_mut(id).unwrap()[at] ^= 1;
            assert!(!proofs_hold(lying, &heads, places.into_iter()), "{id}, byte {at}");
        }
    }
    let last = heads.last().unwrap();
    let mut lying = honest;
    *lying.get_mut(&"tile/0/003.p/232".parse().unwrap()).unwrap() = vec![0; 232 * 32];
    assert_eq!(TileReader::new(lying, last).check_root(last), Ok(Err(ProofError::Invalid)));
}

#[test]
fn a_full_tile_stands_in_for_the_partial_one() {
    let (mut nodes, heads) = tree(1000);
    let (now, then) = (files(&mut nodes, 1000), &heads[..=300]);
    // Of the tree at 300, tile/0/001.p/44 is gone; what is above still has 44 hashes' worth of it.
    let mut source = now;
    source.insert("tile/1/000.p/1".parse().unwrap(), built(&mut nodes, "tile/1/000.p/1"));
    assert!(proofs_hold(source.clone(), then, 1..300));
    source.remove(&"tile/0/001".parse().unwrap());
    let result = InclusionProof::build(&mut TileReader::new(source, &then[300]), 299, 300);
    assert_eq!(result, Err(TileError::Missing("tile/0/001.p/44".parse().unwrap())));
}

fn built(nodes: &mut BTreeMap<NodeId, NodeHash>, path: &str) -> Vec<u8> {
    Tile::build(nodes, path.parse().unwrap()).unwrap().to_bytes()
}

#[test]
fn damaged_tiles_are_named() {
    let (mut nodes, heads) = tree(300);
    let id: TileId = "tile/0/001.p/44".parse().unwrap();
    for damage in
        [|tile: &mut Vec<u8>| tile.truncate(tile.len() - 1), |tile: &mut Vec<u8>| tile.extend([0; 32])]
    {
        let mut source = files(&mut nodes, 300);
        damage(source.get_mut(&id).unwrap());
        let result = InclusionProof::build(&mut TileReader::new(source, &heads[300]), 299, 300);
        assert_eq!(result, Err(TileError::Damaged(id)));
    }
    let outside = NodeId { level: 0, index: 300 };
    let result = TileReader::new(files(&mut nodes, 300), &heads[300]).node(outside);
    assert_eq!(result, Err(TileError::NoSuchNode(outside)));
}

#[test]
fn each_tile_is_fetched_once_and_known_beforehand() {
    struct Counting(Files, Vec<TileId>);
    impl TileSource for &mut Counting {
        type Error = Infallible;

        fn fetch(&mut self, id: TileId) -> Result<Option<Vec<u8>>, Infallible> {
            self.1.push(id);
            self.0.fetch(id)
        }
    }
    let (mut nodes, heads) = tree(70_000);
    let mut source = Counting(files(&mut nodes, 70_000), Vec::new());
    let mut reader = TileReader::new(&mut source, &heads[70_000]);
    for _ in 0..2 {
        ConsistencyProof::build(&mut reader, 12_345, 70_000).unwrap().unwrap();
    }
    source.1.sort_unstable();
    assert_eq!(source.1, Vec::from_iter(tiles_holding(&consistency_reads(12_345, 70_000), 70_000)));
    assert!(source.1.len() <= 8, "{:?}", source.1);
}

#[test]
fn an_auditor_rebuilds_the_root_from_bundles() {
    let (_, heads) = tree(300);
    let disclosures: Vec<Disclosure> = (0..300_u64)
        .map(|seq| match seq % 3 {
            0 => Disclosure::Erased { commitment: commitment(seq) },
            _ => Disclosure::Whole { salt: Salt::new([1; 32]), body: seq.to_string().into_bytes() },
        })
        .collect();
    let (mut by_leaves, mut by_disclosures) = (Frontier::new(), Frontier::new());
    for id in TileId::all_in(TileKind::Disclosures, 300) {
        let range = id.first() as usize..(id.first() + u64::from(id.width())) as usize;
        let files: Vec<Vec<u8>> = disclosures[range].iter().map(Disclosure::to_bytes).collect();
        let bundle = to_bundle(files.iter().map(Vec::as_slice));
        for (seq, disclosure) in read_disclosures(id, &bundle).unwrap() {
            by_disclosures.append(disclosure.leaf_hash(seq));
        }
    }
    for id in TileId::all_in(TileKind::Leaves, 300) {
        let contents: Vec<Vec<u8>> = (id.first()..id.first() + u64::from(id.width()))
            .map(|seq| leaf_content(seq, &disclosures[seq as usize].commitment()))
            .collect();
        let bundle = to_bundle(contents.iter().map(Vec::as_slice));
        read_leaves(id, &bundle).unwrap().into_iter().for_each(|leaf| drop(by_leaves.append(leaf)));
    }
    assert_eq!(by_leaves.head(), by_disclosures.head());
    assert_ne!(by_leaves.head(), heads[300], "other entries, another tree");
}

#[test]
fn damaged_bundles_are_refused() {
    let id: TileId = "tile/entries/001.p/2".parse().unwrap();
    let contents = [256, 257].map(|seq| leaf_content(seq, &commitment(seq)));
    let bundle = to_bundle(contents.iter().map(Vec::as_slice));
    assert_eq!(read_leaves(id, &bundle), Ok(vec![leaf(256), leaf(257)]));

    let other = |path: &str| read_leaves(path.parse().unwrap(), &bundle);
    assert_eq!(other("tile/entries/000.p/2"), Err(BundleError::BadEntry), "leaves in another place");
    assert_eq!(other("tile/entries/001.p/1"), Err(BundleError::Malformed));
    assert_eq!(other("tile/entries/001.p/3"), Err(BundleError::Malformed));
    assert_eq!(other("tile/0/001.p/2"), Err(BundleError::Malformed));
    let swapped = to_bundle(contents.iter().rev().map(Vec::as_slice));
    assert_eq!(read_leaves(id, &swapped), Err(BundleError::BadEntry));
    for length in 0..bundle.len() {
        assert_eq!(read_leaves(id, &bundle[..length]), Err(BundleError::Malformed), "{length}");
    }
    let id: TileId = "tile/disclosures/001.p/2".parse().unwrap();
    assert_eq!(read_disclosures(id, &to_bundle([&[1; 33][..], &[]])), Err(BundleError::BadEntry));
}
