// SPDX-License-Identifier: LGPL-2.0-or-later
//! A MAC under a tenant key, with the generation that made it.

/// Stored beside what it protects. `generation u32be ‖ tag (32)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac {
    /// Generation of the tenant key.
    pub generation: u32,
    /// HMAC-SHA256.
    pub tag: [u8; 32],
}

/// Why a MAC does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacError {
    /// Not 36 bytes.
    #[error("not a MAC of the known format")]
    Malformed,
    /// Made under a key that this server has not loaded: load the tenant's keys again, then try again.
    #[error("made under generation {0} of the tenant key, which is not loaded")]
    UnknownGeneration(u32),
    /// What it protects was changed by someone without the tenant key.
    #[error("what is stored was changed by someone without the tenant key")]
    Wrong,
}

impl Mac {
    /// How it is stored.
    pub fn to_bytes(self) -> [u8; 36] {
        let mut bytes = [0; 36];
        bytes[..4].copy_from_slice(&self.generation.to_be_bytes());
        bytes[4..].copy_from_slice(&self.tag);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`MacError::Malformed`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MacError> {
        let (generation, tag) = bytes.split_first_chunk().ok_or(MacError::Malformed)?;
        let tag = tag.try_into().map_err(|_| MacError::Malformed)?;
        Ok(Self { generation: u32::from_be_bytes(*generation), tag })
    }
}
