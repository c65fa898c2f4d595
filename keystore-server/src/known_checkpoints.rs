// SPDX-License-Identifier: LGPL-2.0-or-later
//! Checkpoints that need no second look.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

/// As many as a busy keystore signs in a minute; a client that shows an older one costs a signature check and some tiles.
const KEPT: usize = 4096;

/// Which notes this server sent out or found in its own log. They stay part of it: the server knows at least their size, and halts when
/// its database turns out to be shorter or another one.
#[derive(Default)]
pub struct KnownCheckpoints(Mutex<Known>);

#[derive(Default)]
struct Known {
    hashes: HashSet<[u8; 32]>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl KnownCheckpoints {
    /// This one fits.
    pub fn add(&self, note: &str) {
        let hash = hash(note);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.hashes.insert(hash) {
            return;
        }
        known.oldest_first.push_back(hash);
        if known.oldest_first.len() > KEPT
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.hashes.remove(&oldest);
        }
    }

    /// Is it one of them, byte for byte?
    pub fn contains(&self, note: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hashes.contains(&hash(note))
    }
}

fn hash(note: &str) -> [u8; 32] {
    Sha256::digest(note).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_what_it_was_told_and_forgets_the_oldest() {
        let known = KnownCheckpoints::default();
        known.add("first");
        known.add("first");
        assert!(known.contains("first") && !known.contains("first\n"));
        (0..KEPT).for_each(|i| known.add(&i.to_string()));
        assert!(!known.contains("first") && known.contains("0"));
        assert_eq!(known.0.lock().unwrap().hashes.len(), KEPT);
    }
}
