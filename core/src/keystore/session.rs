// SPDX-License-Identifier: LGPL-2.0-or-later
//! The value that stands for a log-in. Opaque, and useless without the device key that it is bound to.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::bytes::{from_base64url, to_base64url};

/// 256 random bits as base64url, sent as `Authorization: DPoP <value>`. Secret.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

/// SHA-256 of a session token's text: what the keystore stores, what a proof names (`ath`) and what a request is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionHash(pub [u8; 32]);

/// What is not a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session token")]
pub struct NotASessionToken;

impl SessionToken {
    /// From 32 random bytes.
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(to_base64url(bytes)))
    }

    /// Reads what came in a header or from a store.
    pub fn parse(text: &str) -> Result<Self, NotASessionToken> {
        let bytes = Zeroizing::new(from_base64url(text).ok_or(NotASessionToken)?);
        if bytes.len() != 32 {
            return Err(NotASessionToken);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The text. Every use of a session token goes through here.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be stored, logged and compared.
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

/// Only inside sealed answers, like [`super::SecretBytes`].
impl Serialize for SessionToken {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SessionToken {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::SessionToken;

    #[test]
    fn a_session_token_holds_256_bits() {
        let token = SessionToken::from_random(&[9; 32]);
        assert_eq!(SessionToken::parse(token.expose()).unwrap().hash(), token.hash());
        for wrong in [
            "",
            "short",
            &token.expose()[1..],
            &format!("{}A", token.expose()),
            &format!(" {}", token.expose()),
        ] {
            assert!(SessionToken::parse(wrong).is_err(), "{wrong}");
        }
    }
}
