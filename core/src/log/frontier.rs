// SPDX-License-Identifier: LGPL-2.0-or-later
//! The right edge of a tree: all that appending needs, about 32 hashes at four billion entries.

use super::{NodeHash, NodeId, TreeHead};

/// Larger trees are refused when read; one entry per nanosecond would need 146 years to get there.
pub const MAX_TREE_SIZE: u64 = 1 << 62;

/// An append-only tree, kept as the roots of its complete subtrees, the largest (leftmost) first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One per bit that is set in `size`.
    hashes: Vec<NodeHash>,
}

impl Frontier {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns each subtree that this completes, from the leaf upwards.
    ///
    /// Who keeps all of them can answer for every node that proofs and tiles need.
    pub fn append(&mut self, leaf: NodeHash) -> Vec<(NodeId, NodeHash)> {
        let mut id = NodeId { level: 0, index: self.size };
        let mut hash = leaf;
        let mut complete = vec![(id, hash)];
        for _ in 0..self.size.trailing_ones() {
            let left = self.hashes.pop().expect("there is one hash for each bit of the size");
            hash = NodeHash::node(&left, &hash);
            id = id.parent();
            complete.push((id, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        complete
    }

    /// The root over everything appended so far.
    pub fn root(&self) -> NodeHash {
        let mut from_the_right = self.hashes.iter().rev().copied();
        let smallest = from_the_right.next().unwrap_or_else(NodeHash::empty);
        from_the_right.fold(smallest, |right, left| NodeHash::node(&left, &right))
    }

    /// Size and root together, as checkpoints state them.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root() }
    }

    /// Wire format: u64be size ‖ one hash (32 bytes) for each bit that is set in size, the highest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        self.hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes: nothing missing, nothing left over.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, hashes) = bytes.split_first_chunk()?;
        let size = u64::from_be_bytes(*size);
        let complete = size <= MAX_TREE_SIZE && hashes.len() == 32 * size.count_ones() as usize;
        let hashes = hashes.chunks(32).map(NodeHash::from_slice).collect::<Option<_>>()?;
        complete.then_some(Self { size, hashes })
    }
}
