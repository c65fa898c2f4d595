// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tiles of hashes: 32 bytes each, one after the other.

use super::{
    TILE_WIDTH, TileId, TileKind,
    path::{NotATile, TILE_HEIGHT},
};
use crate::log::{NodeHash, NodeId, Nodes, nodes::Leaves};

/// A tile's hashes. Nobody has shown yet that they belong to the tree: proofs made of them do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    id: TileId,
    hashes: Vec<NodeHash>,
}

impl Tile {
    /// Makes a tile of a log's own nodes. The tree must have it ([`TileId::is_in`]), and it must be one of hashes.
    ///
    /// # Errors
    ///
    /// When a node is not to be had.
    pub fn build<N: Nodes + ?Sized>(nodes: &mut N, id: TileId) -> Result<Self, N::Error> {
        let level = id.level() * TILE_HEIGHT;
        let indices = id.first()..id.first() + u64::from(id.width());
        let hashes = indices.map(|index| nodes.node(NodeId { level, index })).collect::<Result<_, _>>()?;
        Ok(Self { id, hashes })
    }

    /// Reads a tile's bytes: exactly as many hashes as its width says.
    ///
    /// # Errors
    ///
    /// When there are more or fewer, or when `id` is not one of hashes.
    pub fn from_bytes(id: TileId, bytes: &[u8]) -> Result<Self, NotATile> {
        let fits =
            bytes.len() == 32 * usize::from(id.width()) && matches!(id.kind(), TileKind::Hashes { .. });
        let hashes = bytes.chunks(32).map(NodeHash::from_slice).collect::<Option<_>>();
        hashes.filter(|_| fits).map(|hashes| Self { id, hashes }).ok_or(NotATile)
    }

    /// The bytes that are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// Which tile it is.
    pub fn id(&self) -> TileId {
        self.id
    }

    /// The hashes, from the left.
    pub fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// The first `width` hashes of it, as the tile that was then the last one.
    pub(super) fn narrowed(mut self, width: u16) -> Option<Self> {
        let id = TileId::new(self.id.kind(), self.id.index(), width).ok()?;
        (width <= self.id.width()).then(|| {
            self.hashes.truncate(usize::from(width));
            Self { id, hashes: self.hashes }
        })
    }

    /// The root of a complete subtree that has its hashes in this tile.
    pub(super) fn node(&self, node: NodeId) -> Option<NodeHash> {
        let height = node.level % TILE_HEIGHT;
        let start = (node.index << height) % u64::from(TILE_WIDTH);
        let range = Leaves { start, end: start + (1 << height) };
        if range.end > self.hashes.len() as u64 {
            return None;
        }
        let mut level: Vec<NodeHash> = self.hashes[range.start as usize..range.end as usize].to_vec();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| NodeHash::node(&pair[0], &pair[1])).collect();
        }
        level.first().copied()
    }
}
