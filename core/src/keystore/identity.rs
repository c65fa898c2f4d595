// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which keystore this is: the two public keys that a client pins.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::{bytes::from_base64url, bytes::to_base64url, fields, origin::Origin};

/// A keystore's public keys, pinned by clients at the first log-in, and where it was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeystoreIdentity {
    /// Where it is. Not part of the fingerprint: a keystore may move and stays the same keystore.
    pub origin: Origin,
    /// X25519 key that requests are sealed to.
    pub hpke_public: HpkePublicKey,
    /// The log's key in the C2SP signed-note form (`name+hash+key`).
    pub log_verifier: String,
}

/// X25519 public key of a keystore; base64url in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HpkePublicKey(pub [u8; 32]);

/// Hash of a keystore's keys: what a request is sealed for, what an enrolment code names and what people compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityFingerprint(pub [u8; 32]);

impl KeystoreIdentity {
    /// SHA-256 over `fields("plombe keystore identity v1", HPKE key, log verifier)`.
    pub fn fingerprint(&self) -> IdentityFingerprint {
        let input =
            fields(&[b"plombe keystore identity v1", &self.hpke_public.0, self.log_verifier.as_bytes()]);
        IdentityFingerprint(Sha256::digest(input).into())
    }

    /// Are these the same keys, wherever they are?
    pub fn is_same_keystore(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl fmt::Display for IdentityFingerprint {
    /// Lower-case hex in groups of four digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks_exact(2).enumerate() {
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl fmt::Debug for IdentityFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityFingerprint({self})")
    }
}

impl Serialize for HpkePublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&to_base64url(&self.0))
    }
}

impl<'de> Deserialize<'de> for HpkePublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = from_base64url(&String::deserialize(from)?);
        let key = bytes.and_then(|bytes| bytes.try_into().ok());
        key.map(Self).ok_or_else(|| de::Error::custom("not an X25519 public key"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{HpkePublicKey, KeystoreIdentity};

    /// A keystore's identity with the given HPKE key.
    pub(crate) fn identity(hpke_public: [u8; 32]) -> KeystoreIdentity {
        KeystoreIdentity {
            origin: "https://keys.example.org".parse().unwrap(),
            hpke_public: HpkePublicKey(hpke_public),
            log_verifier: "keys.example.org+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".into(),
        }
    }

    #[test]
    fn a_keystore_that_moves_stays_the_same() {
        let here = identity([7; 32]);
        let there = KeystoreIdentity { origin: "http://localhost:8080".parse().unwrap(), ..here.clone() };
        assert!(here.is_same_keystore(&there));
    }

    #[test]
    fn either_key_makes_another_keystore() {
        let one = identity([7; 32]);
        assert!(!one.is_same_keystore(&identity([8; 32])));
        assert!(!one.is_same_keystore(&KeystoreIdentity { log_verifier: "x".into(), ..one.clone() }));
    }

    #[test]
    fn the_fingerprint_is_this_one() {
        // Computed with Python's hashlib: other clients must get the same.
        assert_eq!(
            identity([7; 32]).fingerprint().to_string(),
            "acc5 00ca edc9 2401 e62a 2c00 7dfe 9a0d 7552 14a6 6935 2a67 6b68 bd10 7ca7 5ec2"
        );
    }
}
