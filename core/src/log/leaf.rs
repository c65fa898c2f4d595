// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a leaf holds: a place in the log and a commitment, never the entry itself.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::NodeHash;
use crate::keystore::fields;

const LEAF_PURPOSE: &[u8] = b"plombe log leaf v1";
const COMMITMENT_PURPOSE: &[u8] = b"plombe log commitment v1";

/// The largest body of an entry, so that one entry fits into a bundle's 16-bit length with room to spare.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Length of [`leaf_content`]: three fields with their lengths.
pub const LEAF_CONTENT_BYTES: usize = 4 + LEAF_PURPOSE.len() + 4 + 8 + 4 + 32;

/// 32 random bytes of one entry, kept beside its body.
///
/// Without it nobody can guess a body from the public tree, however few bodies are likely; when body and salt are erased, the
/// leaf that stays tells nothing about them.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(Zeroizing<[u8; 32]>);

impl Salt {
    /// Takes 32 bytes that the caller drew from a cryptographic random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the store and for those who may read the entry.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// Binds salt and body: SHA-256 of the fields `"plombe log commitment v1"`, salt, body.
pub fn commitment(salt: &Salt, body: &[u8]) -> NodeHash {
    NodeHash(Sha256::digest(fields(&[COMMITMENT_PURPOSE, salt.expose(), body])).into())
}

/// What the leaf at place `seq` holds: the fields `"plombe log leaf v1"`, u64be seq, commitment. The first entry has seq 0.
pub fn leaf_content(seq: u64, commitment: &NodeHash) -> Vec<u8> {
    fields(&[LEAF_PURPOSE, &seq.to_be_bytes(), &commitment.0])
}

/// The leaf's hash in the tree.
pub fn leaf_hash(seq: u64, commitment: &NodeHash) -> NodeHash {
    NodeHash::leaf(&leaf_content(seq, commitment))
}

/// An entry as those see it who may: whole, or what erasure left of it. Either form yields the leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Everything is there.
    Whole {
        /// The entry's own salt.
        salt: Salt,
        /// The entry's bytes as they were hashed; byte for byte.
        body: Vec<u8>,
    },
    /// Body and salt were erased.
    Erased {
        /// What binds them, for whoever still has a copy.
        commitment: NodeHash,
    },
}

impl Disclosure {
    /// The commitment, computed anew where that is possible.
    pub fn commitment(&self) -> NodeHash {
        match self {
            Self::Whole { salt, body } => commitment(salt, body),
            Self::Erased { commitment } => *commitment,
        }
    }

    /// The hash that the tree must hold at `seq` for this to be the entry.
    pub fn leaf_hash(&self, seq: u64) -> NodeHash {
        leaf_hash(seq, &self.commitment())
    }

    /// Wire format: `0x01 ‖ salt[32] ‖ body`, or `0x00 ‖ commitment[32]`.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Whole { salt, body } => [&[1], &salt.expose()[..], body].concat(),
            Self::Erased { commitment } => [&[0], &commitment.0[..]].concat(),
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes; an empty or oversized body is refused.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match kind {
            0 => Some(Self::Erased { commitment: NodeHash::from_slice(rest)? }),
            1 => {
                let (salt, body) = rest.split_first_chunk::<32>()?;
                let sized = (1..=MAX_BODY_BYTES).contains(&body.len());
                sized.then(|| Self::Whole { salt: Salt::new(*salt), body: body.to_vec() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaf_and_commitment_have_the_documented_bytes() {
        let salt = Salt::new([7; 32]);
        let mut bound = b"\0\0\0\x18plombe log commitment v1\0\0\0\x20".to_vec();
        bound.extend([7; 32]);
        bound.extend(b"\0\0\0\x02{}");
        let expected = NodeHash(Sha256::digest(bound).into());
        assert_eq!(commitment(&salt, b"{}"), expected);

        let mut content = b"\0\0\0\x12plombe log leaf v1\0\0\0\x08\0\0\0\0\0\0\x01\x02\0\0\0\x20".to_vec();
        content.extend(expected.0);
        assert_eq!(leaf_content(258, &expected), content);
        assert_eq!(content.len(), LEAF_CONTENT_BYTES);
        // As docs/log.md has them; computed with Python.
        assert_eq!(expected.to_string(), "4ee56b89b23f5424bed77df637f57e1860bd34ca98c3013a11c4b20e8d7a3474");
        assert_eq!(
            leaf_hash(258, &expected).to_string(),
            "27f68bd24f826cb7c867583fde3d5571223207fca46fc533cdf4598a08c43049"
        );
    }

    #[test]
    fn an_erased_entry_keeps_its_leaf_and_only_there() {
        let whole = Disclosure::Whole { salt: Salt::new([1; 32]), body: b"{}".to_vec() };
        let erased = Disclosure::Erased { commitment: whole.commitment() };
        assert_eq!(whole.leaf_hash(5), erased.leaf_hash(5));
        assert_ne!(erased.leaf_hash(5), erased.leaf_hash(6));
        for disclosure in [whole, erased] {
            assert_eq!(Disclosure::from_bytes(&disclosure.to_bytes()), Some(disclosure));
        }
    }

    #[test]
    fn another_salt_is_another_leaf() {
        assert_ne!(commitment(&Salt::new([1; 32]), b"{}"), commitment(&Salt::new([2; 32]), b"{}"));
    }

    #[test]
    fn damaged_disclosures_are_refused() {
        let erased = Disclosure::Erased { commitment: NodeHash::empty() }.to_bytes();
        let empty_body = [&[1][..], &[9; 32]].concat();
        let oversized = [&[1][..], &vec![9; 33 + MAX_BODY_BYTES]].concat();
        for wrong in
            [&b""[..], &erased[..32], &[erased.clone(), vec![0]].concat(), &empty_body, &oversized, &[2; 40]]
        {
            assert_eq!(Disclosure::from_bytes(wrong), None);
        }
    }

    #[test]
    fn a_salt_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Salt::new([0xab; 32])), "Salt(..)");
    }
}
