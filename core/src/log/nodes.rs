// SPDX-License-Identifier: LGPL-2.0-or-later
//! Complete subtrees, and how the hash of any range of leaves is made from them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::NodeHash;

/// A complete subtree: the one at `level` that covers leaves `index * 2^level .. (index + 1) * 2^level`. Level 0 is the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Height above the leaves.
    pub level: u8,
    /// How many subtrees of this height are to the left.
    pub index: u64,
}

impl NodeId {
    /// The subtree that this one is a half of.
    pub fn parent(self) -> Self {
        Self { level: self.level + 1, index: self.index >> 1 }
    }

    /// Whether a tree of `size` leaves has this subtree in full.
    pub fn is_in(self, size: u64) -> bool {
        self.level < 64 && self.index < size >> self.level
    }
}

/// What a checkpoint states about the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962's Merkle tree hash over them.
    pub root: NodeHash,
}

/// Where the hashes of complete subtrees come from: a store, tiles, a map.
///
/// Only subtrees that are complete in the tree at hand are asked for; they never change again, so that every answer may be
/// cached. A caller that cannot answer at once (a database behind `async`) asks for the list first
/// ([`inclusion_reads`](super::inclusion_reads), [`consistency_reads`](super::consistency_reads)), reads it in one go, and
/// answers from a map.
pub trait Nodes {
    /// Why a hash is not to be had.
    type Error;

    /// The root of the complete subtree `id`.
    ///
    /// # Errors
    ///
    /// When it is not to be had.
    fn node(&mut self, id: NodeId) -> Result<NodeHash, Self::Error>;
}

/// A subtree that was asked for is not among those at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node at level {}, index {} of the log is missing", .0.level, .0.index)]
pub struct MissingNode(pub NodeId);

impl Nodes for BTreeMap<NodeId, NodeHash> {
    type Error = MissingNode;

    fn node(&mut self, id: NodeId) -> Result<NodeHash, MissingNode> {
        self.get(&id).copied().ok_or(MissingNode(id))
    }
}

impl Nodes for HashMap<NodeId, NodeHash> {
    type Error = MissingNode;

    fn node(&mut self, id: NodeId) -> Result<NodeHash, MissingNode> {
        self.get(&id).copied().ok_or(MissingNode(id))
    }
}

/// Nodes of a tree of `size` leaves from which its root is made.
pub fn root_reads(size: u64) -> Vec<NodeId> {
    Leaves { start: 0, end: size }.subtrees().collect()
}

/// The root that the tree had when it was `size` leaves large.
///
/// # Errors
///
/// When a node is not to be had.
pub fn tree_root<N: Nodes + ?Sized>(nodes: &mut N, size: u64) -> Result<NodeHash, N::Error> {
    if size == 0 { Ok(NodeHash::empty()) } else { Leaves { start: 0, end: size }.hash(nodes) }
}

/// A range of leaves that is a node of some tree in RFC 6962's sense: `start` is a multiple of the largest power of two
/// that fits into the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaves {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Leaves {
    pub(super) fn len(self) -> u64 {
        self.end - self.start
    }

    /// The two halves in RFC 6962's sense: the left one has the largest power of two that is smaller than the whole.
    pub(super) fn halves(self) -> (Self, Self) {
        let middle = self.start + (1 << (self.len() - 1).ilog2());
        (Self { start: self.start, end: middle }, Self { start: middle, end: self.end })
    }

    /// The complete subtrees that make it up, from the left.
    pub(super) fn subtrees(self) -> impl Iterator<Item = NodeId> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let level = (self.end - start).checked_ilog2()?;
            let id = NodeId { level: level as u8, index: start >> level };
            start += 1 << level;
            Some(id)
        })
    }

    /// The range's hash. The range is not empty.
    pub(super) fn hash<N: Nodes + ?Sized>(self, nodes: &mut N) -> Result<NodeHash, N::Error> {
        let hashes = self.subtrees().map(|id| nodes.node(id)).collect::<Result<Vec<_>, _>>()?;
        let (last, before) = hashes.split_last().expect("a range with leaves has subtrees");
        Ok(before.iter().rev().fold(*last, |right, left| NodeHash::node(left, &right)))
    }
}
