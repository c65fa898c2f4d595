// SPDX-License-Identifier: LGPL-2.0-or-later
//! What belongs to what. Cloning costs nothing, and clones share all that none of them has changed.

use std::{cmp::Ordering, ops::Bound};

use equivalent::{Comparable, Equivalent};
use imbl::OrdSet;
use plombe_core::keystore::{KeyFingerprint, fields};
use sha2::{Digest as _, Sha256};

/// Stands for what is too long to be held a million times. Nobody gains by a collision, which would take 2^64 of them.
pub(super) type Short = [u8; 16];

/// Of these texts together.
pub(super) fn short(texts: &[&str]) -> Short {
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    hashed(&texts)
}

/// Of a fingerprint.
pub(super) fn short_of(fingerprint: &KeyFingerprint) -> Short {
    hashed(&[fingerprint.as_fingerprint().as_bytes()])
}

fn hashed(parts: &[&[u8]]) -> Short {
    std::array::from_fn({
        let hash = Sha256::digest(fields(parts));
        move |i| hash[i]
    })
}

/// Any number of things that belong to each of many.
#[derive(Clone)]
pub(super) struct Many<K, V>(OrdSet<(K, V)>);

impl<K, V> Default for Many<K, V> {
    fn default() -> Self {
        Self(OrdSet::default())
    }
}

impl<K: Ord + Clone, V: Ord + Clone> Many<K, V> {
    pub(super) fn insert(&mut self, to: K, what: V) {
        self.0.insert((to, what));
    }

    pub(super) fn remove(&mut self, from: K, what: V) {
        self.0.remove(&(from, what));
    }

    /// In their order.
    pub(super) fn of<'a>(&'a self, whose: &K) -> impl Iterator<Item = &'a V> + use<'a, K, V> {
        let (before, after) = (Edge(whose, Ordering::Less), Edge(whose, Ordering::Greater));
        self.0.range((Bound::Excluded(before), Bound::Excluded(after))).map(|(_, what)| what)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, what)| what)
    }
}

/// Right before, or right after, all pairs that begin with this.
struct Edge<'a, K>(&'a K, Ordering);

impl<K: Ord, V> Equivalent<(K, V)> for Edge<'_, K> {
    fn equivalent(&self, _: &(K, V)) -> bool {
        false
    }
}

impl<K: Ord, V> Comparable<(K, V)> for Edge<'_, K> {
    fn compare(&self, pair: &(K, V)) -> Ordering {
        self.0.cmp(&pair.0).then(self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_one_is_found_among_what_belongs_to_many() {
        let mut many = Many::default();
        for (to, what) in (0..40).flat_map(|to| (0..to).map(move |what| (to, what))) {
            many.insert(to, what);
        }
        let before = many.clone();
        for to in 0..40 {
            assert!(many.of(&to).copied().eq(0..to), "{to}");
            many.remove(to, 0);
            assert!(many.of(&to).copied().eq(1..to), "{to}");
            assert!(before.of(&to).copied().eq(0..to), "what was shared before {to} changed is as it was");
        }
        assert_eq!(many.of(&40).count(), 0);
        assert_eq!(many.all().count(), 39 * 38 / 2);
    }

    #[test]
    fn texts_are_not_mistaken_for_others_that_read_the_same_together() {
        assert_eq!(short(&["a", "bc"]), short(&["a", "bc"]));
        assert_ne!(short(&["a", "bc"]), short(&["ab", "c"]));
    }
}
