// SPDX-License-Identifier: LGPL-2.0-or-later
//! Secrets that a caller hands in or that a program holds. They are wiped on drop, never serialised, and `Debug` shows
//! none of them.

mod resident;

use std::fmt;

use zeroize::Zeroizing;

pub use self::resident::ResidentKey;

/// What a person types to lock or unlock a TSK, or to open a password-sealed message. Bytes, usually UTF-8.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes ownership, so that no second copy stays behind.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes. Every use of a passphrase goes through here.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}
