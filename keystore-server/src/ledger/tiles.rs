// SPDX-License-Identifier: LGPL-2.0-or-later
//! New nodes of the tree, put into the tiles that a store keeps (C2SP tlog-tiles).

use std::collections::{BTreeMap, btree_map::Entry};

use plombe_core::log::{NodeHash, NodeId};

use super::ends::Ends;
use crate::store::{StoreError, TileRow, Transaction};

const HASH_LEN: usize = 32;

/// Hashes per tile, and levels of the tree that a level of tiles spans: 2^8.
const LEVELS: u8 = 8;
const WIDTH: u64 = 1 << LEVELS;

/// Tiles that a batch changes.
#[derive(Default)]
pub(super) struct Tiles(BTreeMap<(u8, u64), Vec<u8>>);

impl Tiles {
    /// Adds nodes that became complete. Those between two levels of tiles can be computed and are not kept.
    pub(super) async fn add(
        &mut self,
        ends: &Ends,
        transaction: &mut dyn Transaction,
        nodes: Vec<(NodeId, NodeHash)>,
    ) -> Result<(), StoreError> {
        for (id, hash) in nodes.into_iter().filter(|(id, _)| id.level.is_multiple_of(LEVELS)) {
            let (level, number) = (id.level / LEVELS, id.index / WIDTH);
            let place = usize::try_from(id.index % WIDTH).unwrap_or_default() * HASH_LEN;
            let hashes = match self.0.entry((level, number)) {
                Entry::Occupied(occupied) => occupied.into_mut(),
                Entry::Vacant(vacant) => {
                    let hashes = match ends.tile(level, number, place) {
                        _ if place == 0 => Vec::new(),
                        Some(hashes) => hashes.to_vec(),
                        None => {
                            transaction.tile(level, number).await?.map_or_else(Vec::new, |tile| tile.hashes)
                        }
                    };
                    vacant.insert(hashes)
                }
            };
            if hashes.len() != place {
                return Err(StoreError::Unfit(format!("tile {level}/{number} does not fit the log's head")));
            }
            hashes.extend_from_slice(&hash.0);
        }
        Ok(())
    }

    pub(super) fn into_rows(self) -> Vec<TileRow> {
        self.0.into_iter().map(|((level, number), hashes)| TileRow { level, number, hashes }).collect()
    }
}
