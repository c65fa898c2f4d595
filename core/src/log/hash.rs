// SPDX-License-Identifier: LGPL-2.0-or-later
//! SHA-256 as a Merkle tree uses it (RFC 6962 section 2.1).

use std::{fmt, str::FromStr};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// A node of the tree, a root, or a commitment: 32 bytes of SHA-256.
///
/// `Display` and [`FromStr`] speak hex, JSON base64url without padding, checkpoints standard base64
/// ([`to_base64`](Self::to_base64)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeHash(pub [u8; 32]);

impl NodeHash {
    /// Hashes what a leaf holds: SHA-256 of `0x00 ‖ content`.
    pub fn leaf(content: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(content).finalize().into())
    }

    /// Hashes two neighbours into the node above them: SHA-256 of `0x01 ‖ left ‖ right`.
    ///
    /// Leaves and nodes start with different bytes, so that no node passes for a leaf.
    pub fn node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// The root of a tree without leaves: SHA-256 of nothing.
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// Exactly 32 bytes, or nothing.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Standard base64 with padding, as in the third line of a checkpoint.
    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    /// Reads what [`to_base64`](Self::to_base64) writes, and no other spelling of it.
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_slice(&BASE64_STANDARD.decode(text).ok()?)
    }
}

impl fmt::Display for NodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is written as 64 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for NodeHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NotAHash);
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| NotAHash)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAHash)?;
        }
        Ok(Self(hash))
    }
}

impl Serialize for NodeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for NodeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| Self::from_slice(&bytes))
            .ok_or_else(|| de::Error::custom("a hash is 32 bytes in base64url without padding"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_tree_and_empty_leaf_are_those_of_rfc_6962() {
        assert_eq!(
            NodeHash::empty().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            NodeHash::leaf(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    #[test]
    fn a_node_is_not_the_leaf_of_its_children() {
        let (left, right) = (NodeHash::leaf(b"a"), NodeHash::leaf(b"b"));
        assert_ne!(NodeHash::node(&left, &right), NodeHash::leaf(&[left.0, right.0].concat()));
        assert_ne!(NodeHash::node(&left, &right), NodeHash::node(&right, &left));
    }

    #[test]
    fn each_spelling_comes_back_and_no_other_is_read() {
        let hash = NodeHash::leaf(b"bag");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(NodeHash::from_base64(&hash.to_base64()), Some(hash));
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<NodeHash>(&json).unwrap(), hash);
        assert!(serde_json::from_str::<NodeHash>(&json.replace('"', "").replace('_', "/")).is_err());
        assert!(NodeHash::from_base64(hash.to_base64().trim_end_matches('=')).is_none());
        for wrong in ["", "00", &"+1".repeat(32), &"é".repeat(32), &format!("{hash}0")] {
            assert_eq!(wrong.parse::<NodeHash>(), Err(NotAHash), "{wrong}");
        }
    }
}
