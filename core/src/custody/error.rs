// SPDX-License-Identifier: LGPL-2.0-or-later
//! Why a key in custody did nothing.

use crate::cert::Unusable;

/// Why nothing was unwrapped or signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// The TSK has no such key, or the key is not for this: wrong flags, primary key, one key for two purposes.
    #[error("there is no key with this fingerprint that may do this")]
    NoSuchKey,
    /// The key's time is over, or it was ended.
    #[error("this key cannot sign: {0}")]
    Unusable(#[from] Unusable),
    /// Not exactly one session key packet of version 3 or 6.
    #[error("this is not exactly one wrapped session key")]
    NotOneWrappedKey,
    /// Names another recipient, or another algorithm than the key's.
    #[error("this session key is wrapped to another key")]
    OtherKey,
    /// A version 6 packet does not tell the size of its session key; it must be asked for: 16, 24 or 32 bytes.
    #[error("ask for a session key of 16, 24 or 32 bytes")]
    SessionKeySize,
    /// Not SHA-256, SHA-384, SHA-512, SHA3-256 or SHA3-512.
    #[error("this hash algorithm is not signed")]
    Hash,
    /// Not as long as its hash.
    #[error("the digest does not have the length of its hash")]
    DigestLength,
    /// RSA with a library that is not constant in time.
    #[error("this build does not use RSA keys in custody: its library is not constant in time")]
    VariableTime,
    /// Everything that depends on the secret key looks like this.
    #[error("refused")]
    Refused,
}

impl CustodyError {
    /// Stable name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSuchKey => "no_such_key",
            Self::Unusable(_) => "key_unusable",
            Self::NotOneWrappedKey => "not_one_wrapped_key",
            Self::OtherKey => "other_key",
            Self::SessionKeySize => "session_key_size",
            Self::Hash => "hash_refused",
            Self::DigestLength => "digest_length",
            Self::VariableTime => "variable_time",
            Self::Refused => "refused",
        }
    }
}
