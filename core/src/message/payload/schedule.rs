// SPDX-License-Identifier: LGPL-2.0-or-later
//! SEIPDv2's clear header, and the key, nonce and associated data of each chunk (RFC 9580 section 5.13.2).

use hkdf::Hkdf;
use sequoia_openpgp::{
    crypto::{self, AEADAlgorithm},
    types::SymmetricAlgorithm,
};
use sha2::Sha256;

use super::PayloadError;

/// Bytes of the clear header: version, cipher, mode, chunk size octet, salt.
pub const HEADER_SIZE: usize = 4 + 32;

/// Largest legal chunk size octet: 4 MiB.
const LARGEST_CHUNK_OCTET: u8 = 16;

/// Bytes of an authentication tag, in every mode.
pub(crate) const TAG_SIZE: usize = 16;

/// Mode of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    /// EAX.
    Eax,
    /// OCB, which everybody has.
    Ocb,
    /// GCM.
    Gcm,
}

impl Aead {
    /// Octet of RFC 9580 section 9.6.
    pub fn octet(self) -> u8 {
        match self {
            Self::Eax => 1,
            Self::Ocb => 2,
            Self::Gcm => 3,
        }
    }

    /// Bytes of a nonce; the last eight are the chunk's index.
    pub fn nonce_size(self) -> usize {
        match self {
            Self::Eax => 16,
            Self::Ocb => 15,
            Self::Gcm => 12,
        }
    }

    fn from_octet(octet: u8) -> Option<Self> {
        [Self::Eax, Self::Ocb, Self::Gcm].into_iter().find(|aead| aead.octet() == octet)
    }

    pub(crate) fn sequoia(self) -> AEADAlgorithm {
        AEADAlgorithm::from(self.octet())
    }
}

/// The clear header of a SEIPDv2 body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V2Header {
    pub(crate) cipher: SymmetricAlgorithm,
    pub(crate) aead: Aead,
    pub(crate) chunk_octet: u8,
    pub(crate) salt: [u8; 32],
}

impl V2Header {
    /// Large enough that per-chunk cost vanishes, small enough that every reader can hold one.
    const OUR_CHUNK_OCTET: u8 = 12;

    /// A fresh header with 256 KiB chunks.
    pub(crate) fn generate(cipher: SymmetricAlgorithm, aead: Aead) -> Result<Self, PayloadError> {
        let mut salt = [0; 32];
        crypto::random(&mut salt).map_err(|_| PayloadError::Unsupported("randomness".into()))?;
        Ok(Self { cipher, aead, chunk_octet: Self::OUR_CHUNK_OCTET, salt })
    }

    /// Reads the header after the version octet. `Err` names what this build does not know.
    pub(crate) fn parse(bytes: &[u8; HEADER_SIZE - 1]) -> Result<Self, PayloadError> {
        let cipher = SymmetricAlgorithm::from(bytes[0]);
        let aead = Aead::from_octet(bytes[1])
            .ok_or_else(|| PayloadError::Unsupported(format!("AEAD mode {}", bytes[1])))?;
        let chunk_octet = bytes[2];
        if chunk_octet > LARGEST_CHUNK_OCTET {
            return Err(PayloadError::Damaged);
        }
        // The modes are defined for 128-bit blocks, and AES is what anybody uses.
        if !matches!(
            cipher,
            SymmetricAlgorithm::AES128 | SymmetricAlgorithm::AES192 | SymmetricAlgorithm::AES256
        ) {
            return Err(PayloadError::Unsupported(format!("{cipher} with AEAD")));
        }
        let salt = bytes[3..].try_into().expect("36 octets, less version and three parameters");
        Ok(Self { cipher, aead, chunk_octet, salt })
    }

    /// Version, parameters, salt: the beginning of the packet's body.
    pub fn to_bytes(&self) -> [u8; HEADER_SIZE] {
        let mut bytes = [0; HEADER_SIZE];
        bytes[..4].copy_from_slice(&[2, self.cipher.into(), self.aead.octet(), self.chunk_octet]);
        bytes[4..].copy_from_slice(&self.salt);
        bytes
    }

    /// Bytes of session key that the cipher takes.
    pub(crate) fn key_size(&self) -> usize {
        match self.cipher {
            SymmetricAlgorithm::AES128 => 16,
            SymmetricAlgorithm::AES192 => 24,
            _ => 32,
        }
    }
}

/// Key, nonces and associated data for every chunk of one container.
///
/// Chunk `i` is sealed under [`Schedule::key`] with [`Schedule::nonce`]`(i)` and [`Schedule::aad`]; after the last
/// chunk comes a tag over nothing, with the next index as nonce and [`Schedule::final_aad`] as associated data.
pub struct Schedule {
    header: V2Header,
    key: crypto::SessionKey,
    nonce_prefix: Vec<u8>,
}

impl Schedule {
    /// `None` when the session key has the wrong size.
    pub(crate) fn new(header: V2Header, session_key: &[u8]) -> Option<Self> {
        let key_size = header.key_size();
        if session_key.len() != key_size {
            return None;
        }
        let mut derived: crypto::SessionKey = vec![0; key_size + header.aead.nonce_size() - 8].into();
        let schedule = Self { key: Vec::new().into(), nonce_prefix: Vec::new(), header };
        Hkdf::<Sha256>::new(Some(&schedule.header.salt), session_key)
            .expand(&schedule.aad(), &mut derived)
            .expect("HKDF-SHA256 yields up to 8,160 bytes");
        Some(Self { key: derived[..key_size].into(), nonce_prefix: derived[key_size..].to_vec(), ..schedule })
    }

    /// The message key; as secret as the session key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn sequoia_key(&self) -> &crypto::SessionKey {
        &self.key
    }

    /// The mode.
    pub fn aead(&self) -> Aead {
        self.header.aead
    }

    pub(crate) fn cipher(&self) -> SymmetricAlgorithm {
        self.header.cipher
    }

    /// Plaintext bytes of every chunk but the last, which may be shorter.
    pub fn chunk_size(&self) -> usize {
        1 << (self.header.chunk_octet + 6)
    }

    /// Nonce of chunk `index`; the final tag has the index after the last chunk's.
    pub fn nonce(&self, index: u64) -> Vec<u8> {
        [&self.nonce_prefix[..], &index.to_be_bytes()].concat()
    }

    /// Associated data of every chunk.
    pub fn aad(&self) -> [u8; 5] {
        let header = &self.header;
        [0xd2, 2, header.cipher.into(), header.aead.octet(), header.chunk_octet]
    }

    /// Associated data of the final tag. `total` counts plaintext bytes.
    pub fn final_aad(&self, total: u64) -> [u8; 13] {
        let mut aad = [0; 13];
        aad[..5].copy_from_slice(&self.aad());
        aad[5..].copy_from_slice(&total.to_be_bytes());
        aad
    }
}
