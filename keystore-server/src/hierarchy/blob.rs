// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bytes of a sealed blob, and what it is called.
//!
//! ```text
//! version (1) = 1 ‖ generation u32be ‖ salt (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//!
//! info = AAD = fields("plombe keystore blob v1", tenant id (16), generation u32be, kind, id, version u64be)
//! key        = HKDF-SHA256(ikm = tenant key, salt, info), 32 bytes
//! ciphertext ‖ tag = AES-256-GCM(key, nonce, AAD, plaintext)
//! ```
//!
//! Salt and nonce are random. The salt alone makes each key new, so no number of blobs brings two nonces under one key together.

use plombe_core::keystore::fields;
use uuid::Uuid;

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"plombe keystore blob v1";
pub(super) const SALT_LEN: usize = 32;
pub(super) const NONCE_LEN: usize = 12;
const HEADER_LEN: usize = 1 + 4 + SALT_LEN + NONCE_LEN;
const TAG_LEN: usize = 16;

/// Which blob it is. Bound to the ciphertext: opened under another name, it is unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobName<'a> {
    /// What it holds: `"tsk"`, `"grant"`. One word per kind of record, never used for two.
    pub kind: &'a str,
    /// Which one of its kind.
    pub id: &'a [u8],
    /// Counts the replacements of this blob, so that an old one cannot be put back unseen. It stands in what the head's MAC covers.
    pub version: u64,
}

impl BlobName<'_> {
    pub(super) fn context(&self, tenant: Uuid, generation: u32) -> Vec<u8> {
        fields(&[
            PURPOSE,
            tenant.as_bytes(),
            &generation.to_be_bytes(),
            self.kind.as_bytes(),
            self.id,
            &self.version.to_be_bytes(),
        ])
    }
}

/// Not the format of a sealed blob: damage, or not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a sealed blob of a known format")]
pub struct MalformedBlob;

/// Says under which generation of the tenant key a blob was sealed. Unverified: whoever writes to the database writes this too.
///
/// # Errors
///
/// When these are not the bytes of a sealed blob.
pub fn generation_of(blob: &[u8]) -> Result<u32, MalformedBlob> {
    Parts::parse(blob).map(|parts| parts.generation)
}

pub(super) struct Parts<'a> {
    pub(super) generation: u32,
    pub(super) salt: &'a [u8; SALT_LEN],
    pub(super) nonce: &'a [u8; NONCE_LEN],
    /// Ciphertext and tag.
    pub(super) sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, MalformedBlob> {
        let [VERSION, rest @ ..] = blob else { return Err(MalformedBlob) };
        let (generation, rest) = rest.split_first_chunk::<4>().ok_or(MalformedBlob)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(MalformedBlob)?;
        let (nonce, sealed) = rest.split_first_chunk().ok_or(MalformedBlob)?;
        if sealed.len() < TAG_LEN {
            return Err(MalformedBlob);
        }
        Ok(Self { generation: u32::from_be_bytes(*generation), salt, nonce, sealed })
    }

    /// What stands before the ciphertext, with room for a plaintext of `plaintext_len` and its tag.
    pub(super) fn header(
        generation: u32,
        salt: &[u8; SALT_LEN],
        nonce: &[u8; NONCE_LEN],
        plaintext_len: usize,
    ) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_LEN + plaintext_len + TAG_LEN);
        header.push(VERSION);
        header.extend_from_slice(&generation.to_be_bytes());
        header.extend_from_slice(salt);
        header.extend_from_slice(nonce);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_or_of_another_version_is_refused() {
        let shortest = [&[1][..], &[0, 0, 0, 9], &[0; SALT_LEN + NONCE_LEN + TAG_LEN]].concat();
        assert_eq!(generation_of(&shortest), Ok(9));
        for length in 0..shortest.len() {
            assert_eq!(generation_of(&shortest[..length]), Err(MalformedBlob), "{length} bytes");
        }
        for version in [0, 2, 255] {
            let mut other = shortest.clone();
            other[0] = version;
            assert_eq!(generation_of(&other), Err(MalformedBlob), "version {version}");
        }
    }
}
