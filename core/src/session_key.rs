// SPDX-License-Identifier: LGPL-2.0-or-later
//! The seam: whoever yields the session key opens the message.

use std::fmt;

use sequoia_openpgp::{crypto, types::SymmetricAlgorithm};

/// Key of one message. Comes from a local TSK, a password, a keystore or a controlled message's shares.
#[derive(Clone)]
pub struct SessionKey {
    /// Named by PKESK v3 and SKESK v4. With SEIPDv2 the container names it, and nothing here is believed.
    pub(crate) cipher: Option<SymmetricAlgorithm>,
    pub(crate) key: crypto::SessionKey,
}

impl SessionKey {
    /// Wraps raw key bytes. `cipher` is the algorithm octet of RFC 9580 section 9.3, which SEIPDv2 does not need.
    pub fn from_bytes(cipher: Option<u8>, key: &[u8]) -> Self {
        Self { cipher: cipher.map(SymmetricAlgorithm::from), key: crypto::SessionKey::from(key) }
    }

    /// The key bytes. Every use of a session key outside this crate goes through here.
    pub fn expose(&self) -> &[u8] {
        &self.key
    }

    /// Algorithm octet of RFC 9580 section 9.3, when the key carries one.
    pub fn cipher_octet(&self) -> Option<u8> {
        self.cipher.map(u8::from)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}
