// SPDX-License-Identifier: LGPL-2.0-or-later
//! Proofs by somebody who has only tiles: whoever serves them need not be believed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Tile, TileId};
use crate::log::{NodeHash, NodeId, Nodes, ProofError, TreeHead, tree_root};

/// Where tiles come from.
pub trait TileSource {
    /// Why a tile is not to be had, other than that there is none.
    type Error;

    /// The bytes at the tile's path; `None` when there is nothing.
    ///
    /// # Errors
    ///
    /// When nobody can say.
    fn fetch(&mut self, id: TileId) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why tiles do not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError<E> {
    /// The source failed.
    #[error("a tile of the log could not be read")]
    Source(#[source] E),
    /// The log's checkpoint promises the tile, and it is not there.
    #[error("the log lacks its tile {0}")]
    Missing(TileId),
    /// It has not the length that it must have.
    #[error("the log's tile {0} is damaged")]
    Damaged(TileId),
    /// A node was asked for that the tree does not have.
    #[error("the log has no node at level {}, index {}", .0.level, .0.index)]
    NoSuchNode(NodeId),
}

/// Answers for the nodes of a tree of a size that a verified checkpoint states. Keeps each tile that it fetched.
///
/// Its answers are as good as its source. That is enough to build proofs: a wrong hash yields one that does not verify.
pub struct TileReader<S> {
    source: S,
    size: u64,
    tiles: BTreeMap<TileId, Tile>,
}

impl<S: TileSource> TileReader<S> {
    /// Reads the tree that `head` is the head of; `head` comes from a verified checkpoint.
    pub fn new(source: S, head: &TreeHead) -> Self {
        Self { source, size: head.size, tiles: BTreeMap::new() }
    }

    /// Checks that the tiles lead to the root that the checkpoint states.
    ///
    /// # Errors
    ///
    /// When a tile is not to be had. The inner result says whether the root is the same.
    pub fn check_root(&mut self, head: &TreeHead) -> Result<Result<(), ProofError>, TileError<S::Error>> {
        let root = tree_root(self, head.size)?;
        Ok(if root == head.root { Ok(()) } else { Err(ProofError::Invalid) })
    }

    fn fetch(&mut self, id: TileId) -> Result<Tile, TileError<S::Error>> {
        let read = |id, bytes: &[u8]| Tile::from_bytes(id, bytes).map_err(|_| TileError::Damaged(id));
        if let Some(bytes) = self.source.fetch(id).map_err(TileError::Source)? {
            return read(id, &bytes);
        }
        // A log may drop a partial tile once it has the full one.
        let full = id.full();
        let bytes = if id.is_partial() { self.source.fetch(full).map_err(TileError::Source)? } else { None };
        let tile = read(full, &bytes.ok_or(TileError::Missing(id))?)?;
        tile.narrowed(id.width()).ok_or(TileError::Damaged(id))
    }
}

impl<S: TileSource> Nodes for TileReader<S> {
    type Error = TileError<S::Error>;

    fn node(&mut self, node: NodeId) -> Result<NodeHash, Self::Error> {
        if !node.is_in(self.size) {
            return Err(TileError::NoSuchNode(node));
        }
        let id = TileId::holding(node, self.size);
        if !self.tiles.contains_key(&id) {
            let tile = self.fetch(id)?;
            self.tiles.insert(id, tile);
        }
        self.tiles[&id].node(node).ok_or(TileError::Damaged(id))
    }
}

/// Tiles that have these nodes in a tree of `size` leaves, each once: for a caller who fetches them in one go (behind `async`)
/// and answers from a map. Nodes that the tree does not have are left out.
pub fn tiles_holding(nodes: &[NodeId], size: u64) -> BTreeSet<TileId> {
    nodes.iter().filter(|node| node.is_in(size)).map(|node| TileId::holding(*node, size)).collect()
}

impl TileSource for BTreeMap<TileId, Vec<u8>> {
    type Error = std::convert::Infallible;

    fn fetch(&mut self, id: TileId) -> Result<Option<Vec<u8>>, Self::Error> {
        Ok(self.get(&id).cloned())
    }
}
