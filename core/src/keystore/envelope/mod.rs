// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sealed requests and replies: whoever terminates TLS in between sees and swaps nothing.
//!
//! A request is sealed to the keystore's pinned key (HPKE, RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256, AES-256-GCM). The reply's key comes from that context's export, so only who opened the request can
//! answer it, and the answer fits no other request.
//!
//! ```text
//! request = {"v":1,"enc":<32 bytes>,"ct":<HPKE ciphertext of the padded JSON body>}
//!   info  = fields("plombe keystore request v1", identity fingerprint)
//!   aad   = fields("plombe keystore binding v1", method, path, device thumbprint, session hash or nothing)
//! reply   = {"v":1,"nonce":<32 random bytes>,"ct":<AES-256-GCM of the padded reply>}
//!   secret = Export(fields("plombe keystore reply v1"), 32)
//!   key    = HKDF-SHA256(salt = nonce, ikm = secret, info = fields("plombe keystore reply key v1", SHA-256(request bytes)), 32)
//!   12 zero bytes as AES-GCM's nonce; aad = SHA-256(request bytes)
//! ```
//!
//! The random nonce is there because a request can be sent twice by whoever carries it: two replies under one key and
//! one nonce would give both away. With it, each reply has a key of its own.

mod reply;
mod request;

pub use reply::{Reply, ReplyKey};
pub use request::{RequestBinding, derive_hpke_public, open_request, seal_request};

/// What a keystore reads of one request.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;
/// What a client reads of one reply.
pub const MAX_REPLY_BYTES: usize = 8 << 20;

/// Where random bytes come from: fills the whole slice.
pub type RandomSource<'a> = dyn FnMut(&mut [u8]) + 'a;

/// Why an envelope was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Larger than either side takes.
    #[error("the sealed body is too large")]
    TooLarge,
    /// Not the JSON of an envelope, or of another version.
    #[error("this is not a sealed body")]
    Malformed,
    /// The keystore's public key is not one that anything can be sealed to.
    #[error("the keystore's key is not usable")]
    BadKey,
    /// Another keystore, another request, another device or session, or changed on the way.
    #[error("the sealed body does not open")]
    Unopened,
}

impl EnvelopeError {
    /// Stable name for logs and clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "envelope-too-large",
            Self::Malformed => "envelope-malformed",
            Self::BadKey => "envelope-bad-key",
            Self::Unopened => "envelope-unopened",
        }
    }
}

#[cfg(test)]
mod tests;
