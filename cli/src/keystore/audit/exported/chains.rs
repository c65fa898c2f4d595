// SPDX-License-Identifier: LGPL-2.0-or-later
//! The chains of many keys in one list that has every place of the log.

use std::collections::HashMap;

use plombe_core::{
    keystore::KeyFingerprint,
    log::{Alarm, ChainFollower, entry::Chain},
};

/// One follower for each key.
#[derive(Default)]
pub(super) struct Chains {
    keys: HashMap<KeyFingerprint, Place>,
    erased: u64,
}

#[derive(Default)]
struct Place {
    chain: ChainFollower,
    /// How many were erased before its last entry, of whatever key.
    erased: u64,
}

impl Chains {
    /// Takes the next entry about a key. As many may be missing before it as were erased in between.
    pub(super) fn next(&mut self, key: KeyFingerprint, position: u64, link: &Chain) -> Result<(), Alarm> {
        let place = self.keys.entry(key).or_default();
        if let Some(previous) = link.previous {
            for _ in place.erased..self.erased {
                if place.chain.counter() + 1 >= link.counter {
                    break;
                }
                place.chain.next_erased(previous);
            }
        }
        place.erased = self.erased;
        place.chain.next(position, link)
    }

    /// Takes an entry that does not say whose it is.
    pub(super) fn next_erased(&mut self) {
        self.erased += 1;
    }

    /// Keys that have entries.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyFingerprint> {
        self.keys.keys()
    }
}

#[cfg(test)]
mod tests {
    use plombe_core::log::entry::Chain;

    use super::Chains;

    #[test]
    fn a_hole_is_as_large_as_what_was_erased_and_no_larger() {
        let key = |digit: &str| digit.repeat(40).parse().unwrap();
        let link = |counter, previous| Chain { counter, previous };
        let mut chains = Chains::default();
        chains.next(key("A"), 0, &link(1, None)).unwrap();
        chains.next(key("B"), 1, &link(1, None)).unwrap();
        chains.next_erased();
        chains.next(key("A"), 3, &link(3, Some(2))).unwrap();
        chains.next(key("B"), 4, &link(2, Some(1))).unwrap();
        assert_eq!(chains.keys().count(), 2);
        // Nothing was erased since.
        chains.next(key("A"), 6, &link(5, Some(5))).unwrap_err();
        chains.next(key("B"), 7, &link(3, Some(1))).unwrap_err();
    }
}
