// SPDX-License-Identifier: LGPL-2.0-or-later
//! Proofs that a leaf is in a tree, and that a tree extends another (RFC 6962 section 2.1, RFC 9162 section 2.1).
//!
//! A proof is a list of hashes. What it is a proof *of* (place, sizes, roots) does not come from the proof but from
//! the entry and from signed checkpoints.

use serde::{Deserialize, Serialize};

use super::{
    NodeHash, NodeId, Nodes, TreeHead,
    nodes::{Leaves, tree_root},
};

/// No honest proof is longer: one hash for each level, and one more where a consistency proof starts.
const MAX_HASHES: usize = 65;

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The hashes do not lead to the root, or there are too many or too few of them.
    #[error("the proof does not lead to the log's root")]
    Invalid,
    /// There is no such place in a tree of this size.
    #[error("the log has no entry at this place")]
    NoSuchLeaf,
    /// A tree does not extend a larger one.
    #[error("the log is smaller than the one that it is to extend")]
    Shrunk,
}

/// More hashes than any tree has levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof has at most {MAX_HASHES} hashes")]
pub struct ProofTooLong;

/// Proves that a leaf is in a tree at its place. JSON: an array of hashes, from the leaf's level upwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<NodeHash>", into = "Vec<NodeHash>")]
pub struct InclusionProof(Vec<NodeHash>);

/// Proves that a tree extends a smaller one. JSON: an array of hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<NodeHash>", into = "Vec<NodeHash>")]
pub struct ConsistencyProof(Vec<NodeHash>);

impl InclusionProof {
    /// Makes the proof for the leaf at `index` of a tree of `size` leaves; `None` when there is no such leaf.
    ///
    /// # Errors
    ///
    /// When a node is not to be had.
    pub fn build<N: Nodes + ?Sized>(nodes: &mut N, index: u64, size: u64) -> Result<Option<Self>, N::Error> {
        if index >= size {
            return Ok(None);
        }
        let hashes = inclusion_ranges(index, size).into_iter().map(|range| range.hash(nodes));
        Ok(Some(Self(hashes.collect::<Result<_, _>>()?)))
    }

    /// Checks that `leaf` stands at `index` in the tree (RFC 9162 section 2.1.3.2).
    ///
    /// # Errors
    ///
    /// When it is not shown to stand there.
    pub fn verify(&self, index: u64, leaf: &NodeHash, head: &TreeHead) -> Result<(), ProofError> {
        if index >= head.size {
            return Err(ProofError::NoSuchLeaf);
        }
        let mut node = index;
        let mut last = head.size - 1;
        let mut hash = *leaf;
        for sibling in &self.0 {
            if last == 0 {
                return Err(ProofError::Invalid);
            }
            if node & 1 == 1 || node == last {
                hash = NodeHash::node(sibling, &hash);
                // At the right edge, levels without a sibling were skipped.
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = NodeHash::node(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last == 0 && hash == head.root { Ok(()) } else { Err(ProofError::Invalid) }
    }
}

impl ConsistencyProof {
    /// Makes the proof that the tree at `new_size` leaves extends the one at `old_size`; `None` when it is smaller.
    ///
    /// Empty for equal sizes, and for an empty old tree, which every tree extends.
    ///
    /// # Errors
    ///
    /// When a node is not to be had.
    pub fn build<N: Nodes + ?Sized>(
        nodes: &mut N,
        old_size: u64,
        new_size: u64,
    ) -> Result<Option<Self>, N::Error> {
        if old_size > new_size {
            return Ok(None);
        }
        let hashes = consistency_ranges(old_size, new_size).into_iter().map(|range| range.hash(nodes));
        Ok(Some(Self(hashes.collect::<Result<_, _>>()?)))
    }

    /// Checks that `new` extends `old` (RFC 9162 section 2.1.4.2).
    ///
    /// # Errors
    ///
    /// When it is not shown to.
    pub fn verify(&self, old: &TreeHead, new: &TreeHead) -> Result<(), ProofError> {
        if old.size > new.size {
            return Err(ProofError::Shrunk);
        }
        let empty_is_empty = |head: &TreeHead| head.size != 0 || head.root == NodeHash::empty();
        if !empty_is_empty(old) || !empty_is_empty(new) {
            return Err(ProofError::Invalid);
        }
        if old.size == new.size || old.size == 0 {
            let same = old.size == 0 || old.root == new.root;
            return if same && self.0.is_empty() { Ok(()) } else { Err(ProofError::Invalid) };
        }
        if self.lead_to(old, new) { Ok(()) } else { Err(ProofError::Invalid) }
    }

    /// For `0 < old.size < new.size`.
    fn lead_to(&self, old: &TreeHead, new: &TreeHead) -> bool {
        let mut node = old.size - 1;
        let mut last = new.size - 1;
        // The largest complete subtree at the old tree's right edge: where both paths start.
        let skipped = node.trailing_ones();
        node >>= skipped;
        last >>= skipped;
        let mut hashes = self.0.iter();
        let start = if old.size.is_power_of_two() { Some(&old.root) } else { hashes.next() };
        let Some(start) = start else { return false };
        let (mut old_hash, mut new_hash) = (*start, *start);
        for sibling in hashes {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                old_hash = NodeHash::node(sibling, &old_hash);
                new_hash = NodeHash::node(sibling, &new_hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new_hash = NodeHash::node(&new_hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && old_hash == old.root && new_hash == new.root
    }
}

/// Nodes that [`InclusionProof::build`] asks for, at most `2 * log2(size)`.
pub fn inclusion_reads(index: u64, size: u64) -> Vec<NodeId> {
    let ranges = if index < size { inclusion_ranges(index, size) } else { Vec::new() };
    ranges.into_iter().flat_map(Leaves::subtrees).collect()
}

/// Nodes that [`ConsistencyProof::build`] asks for, at most `2 * log2(new_size) + 1`.
pub fn consistency_reads(old_size: u64, new_size: u64) -> Vec<NodeId> {
    let ranges = if old_size <= new_size { consistency_ranges(old_size, new_size) } else { Vec::new() };
    ranges.into_iter().flat_map(Leaves::subtrees).collect()
}

/// Checks an answer to "is this still the tree that I saw?": the root that the tree had at `seen.size` leaves is `seen.root`.
///
/// # Errors
///
/// When a node is not to be had.
pub fn extends<N: Nodes + ?Sized>(nodes: &mut N, size: u64, seen: &TreeHead) -> Result<bool, N::Error> {
    Ok(seen.size <= size && tree_root(nodes, seen.size)? == seen.root)
}

/// RFC 6962's `PATH(m, D[n])`: the siblings on the way from the leaf to the root.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Leaves> {
    let mut range = Leaves { start: 0, end: size };
    let mut siblings = Vec::new();
    while range.len() > 1 {
        let (left, right) = range.halves();
        let (inside, sibling) = if index < right.start { (left, right) } else { (right, left) };
        siblings.push(sibling);
        range = inside;
    }
    siblings.reverse();
    siblings
}

/// RFC 6962's `PROOF(m, D[n])`.
fn consistency_ranges(old_size: u64, new_size: u64) -> Vec<Leaves> {
    if old_size == 0 || old_size == new_size {
        return Vec::new();
    }
    let mut range = Leaves { start: 0, end: new_size };
    let mut ranges = Vec::new();
    while range.end != old_size {
        let (left, right) = range.halves();
        let (inside, sibling) = if old_size <= right.start { (left, right) } else { (right, left) };
        ranges.push(sibling);
        range = inside;
    }
    // The verifier knows it already when it is the whole old tree.
    if range.start != 0 {
        ranges.push(range);
    }
    ranges.reverse();
    ranges
}

macro_rules! list_of_hashes {
    ($proof:ident) => {
        impl $proof {
            /// The hashes, in the order of RFC 6962.
            pub fn hashes(&self) -> &[NodeHash] {
                &self.0
            }
        }

        impl TryFrom<Vec<NodeHash>> for $proof {
            type Error = ProofTooLong;

            fn try_from(hashes: Vec<NodeHash>) -> Result<Self, ProofTooLong> {
                if hashes.len() > MAX_HASHES { Err(ProofTooLong) } else { Ok(Self(hashes)) }
            }
        }

        impl From<$proof> for Vec<NodeHash> {
            fn from(proof: $proof) -> Self {
                proof.0
            }
        }
    };
}

list_of_hashes!(InclusionProof);
list_of_hashes!(ConsistencyProof);
