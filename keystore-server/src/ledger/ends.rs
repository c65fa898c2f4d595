// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the next batch goes on from: the newest link of keys' chains, and the tiles that are not full. Nobody else writes without moving
//! the head, so what this server wrote last is what the database holds until it finds another head there.

use std::collections::HashMap;

use crate::store::{ChainRow, Name, TileRow};

/// Chains of so many keys are kept; then all are forgotten and read again.
const MOST: usize = 16_384;

/// Of the log as this server's head says that it is.
#[derive(Default)]
pub(super) struct Ends {
    chains: HashMap<Name, ChainRow>,
    tiles: HashMap<u8, TileRow>,
}

impl Ends {
    /// A key's newest link, where it is known.
    pub(super) fn chain(&self, key: &Name) -> Option<&ChainRow> {
        self.chains.get(key)
    }

    /// That tile, where it is known and has so many hashes.
    pub(super) fn tile(&self, level: u8, number: u64, length_bytes: usize) -> Option<&[u8]> {
        let tile = self.tiles.get(&level)?;
        (tile.number == number && tile.hashes.len() == length_bytes).then_some(&tile.hashes[..])
    }

    /// What a batch wrote, and is durable.
    pub(super) fn keep(&mut self, chains: Vec<ChainRow>, tiles: Vec<TileRow>) {
        if self.chains.len() + chains.len() > MOST {
            self.chains.clear();
        }
        self.chains.extend(chains.into_iter().map(|chain| (chain.key.clone(), chain)));
        // In order, so that of each level the last stays.
        self.tiles.extend(tiles.into_iter().map(|tile| (tile.level, tile)));
    }

    /// Somebody else wrote.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(key: u64, counter: u64) -> ChainRow {
        ChainRow { key: key.to_be_bytes().to_vec(), counter, last: counter }
    }

    #[test]
    fn the_newest_is_known_until_somebody_else_writes() {
        let tile = |number, length| TileRow { level: 0, number, hashes: vec![1; length] };
        let mut ends = Ends::default();
        ends.keep(vec![chain(1, 1)], vec![tile(0, 8192), tile(1, 32)]);
        ends.keep(vec![chain(1, 2)], vec![]);
        assert_eq!(ends.chain(&chain(1, 0).key), Some(&chain(1, 2)));
        assert_eq!(ends.tile(0, 1, 32).map(<[u8]>::len), Some(32));
        for (level, number, length) in [(0, 0, 8192), (0, 1, 64), (1, 1, 32)] {
            assert_eq!(ends.tile(level, number, length), None);
        }
        ends.forget();
        assert!(ends.chain(&chain(1, 0).key).is_none() && ends.tile(0, 1, 32).is_none());
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut ends = Ends::default();
        (0..3 * MOST as u64).for_each(|key| ends.keep(vec![chain(key, 1)], vec![]));
        assert!(ends.chains.len() <= MOST);
    }
}
