// SPDX-License-Identifier: LGPL-2.0-or-later
//! A key that a program holds for as long as it runs.

use std::fmt;

use sequoia_openpgp::crypto::mem::{Encrypted, Protected};
use zeroize::Zeroizing;

/// A long-lived symmetric key of 32 bytes, kept encrypted in memory between two uses.
///
/// It lies under a key that is computed, each time, from 16 KiB of random memory. A core dump or a swapped page holds
/// ciphertext; whoever wants the key has to find and combine both, and reads the running program anyway. One use
/// costs the hash of those 16 KiB, some tens of microseconds.
///
/// It cannot be cloned: a second owner borrows, or takes an `Arc`.
pub struct ResidentKey(Encrypted);

impl ResidentKey {
    /// How long each of them is.
    pub const LEN: usize = 32;

    /// Takes key bytes that come from elsewhere: unwrapped, derived, read from a file.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self::from_slice(&key)
    }

    /// Takes a key that lies in a buffer already, so that no copy of it is made on the way. The buffer stays the
    /// caller's to wipe.
    pub fn from_slice(key: &[u8; 32]) -> Self {
        Self::encrypt(Protected::from(key.as_slice()))
    }

    /// Makes a random key, which nobody has seen.
    pub fn generate() -> Self {
        let mut key = Protected::new(Self::LEN);
        sequoia_openpgp::crypto::random(&mut key).expect("a system without randomness cannot hold keys");
        Self::encrypt(key)
    }

    /// Lends the plain bytes to `use_it` and wipes them afterwards. Whatever it copies is its own to wipe.
    pub fn with<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.0.map(|key| use_it(key.as_ref().try_into().expect("it was made from 32 bytes")))
    }

    fn encrypt(key: Protected) -> Self {
        Self(Encrypted::new(key).expect("each backend has AES-256 and its default AEAD mode"))
    }
}

impl fmt::Debug for ResidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentKey(..)")
    }
}

impl From<Zeroizing<[u8; 32]>> for ResidentKey {
    fn from(key: Zeroizing<[u8; 32]>) -> Self {
        Self::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lends_what_was_put_in_each_time() {
        let key = ResidentKey::new(Zeroizing::new([7; 32]));
        for _ in 0..3 {
            assert!(key.with(|bytes| *bytes == [7; 32]));
        }
    }

    #[test]
    fn generated_keys_differ() {
        let (one, other) = (ResidentKey::generate(), ResidentKey::generate());
        assert!(one.with(|one| other.with(|other| one != other && *one != [0; 32])));
    }

    #[test]
    fn debug_shows_neither_key_nor_ciphertext() {
        assert_eq!(format!("{:?}", ResidentKey::new(Zeroizing::new([0xab; 32]))), "ResidentKey(..)");
    }
}
