// SPDX-License-Identifier: LGPL-2.0-or-later
//! The generations of a tenant's key that are in use.

use std::{collections::BTreeMap, sync::Arc};

use plombe_core::secret::ResidentKey;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    blob::{BlobName, MalformedBlob, Parts},
    mac::{Mac, MacError},
    tenant_key::TenantKey,
};

/// All generations of one tenant's key that something in the database still uses. New things are made under the
/// current one, old ones are opened by the one that they name. Cheap to clone: the keys are shared.
#[derive(Clone, Debug)]
pub struct TenantKeys {
    current: Arc<TenantKey>,
    all: BTreeMap<u32, Arc<TenantKey>>,
}

/// Why a blob cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenBlobError {
    /// Not the bytes of a sealed blob.
    #[error("not a sealed blob of a known format")]
    Malformed,
    /// Sealed under a key that this server has not loaded, as happens while the tenant key is rotated: load the
    /// tenant's keys again, then try again.
    #[error("sealed under generation {0} of the tenant key, which is not loaded")]
    UnknownGeneration(u32),
    /// Damaged, moved from another place, an older version put back, or sealed by somebody else.
    #[error("the stored data was changed by someone without the tenant key")]
    Unreadable,
}

impl TenantKeys {
    /// A keyring with one generation, which is the current one.
    pub fn new(current: TenantKey) -> Self {
        let current = Arc::new(current);
        Self { all: BTreeMap::from([(current.generation(), Arc::clone(&current))]), current }
    }

    /// Adds a generation that is not the current one: older, or announced and not yet used.
    ///
    /// # Panics
    ///
    /// When the key is another tenant's.
    #[must_use]
    pub fn and(mut self, other: TenantKey) -> Self {
        assert_eq!(other.tenant(), self.tenant(), "a keyring holds the keys of one tenant");
        self.all.entry(other.generation()).or_insert_with(|| Arc::new(other));
        self
    }

    /// Makes `generation` the current one; `None` when it is not in this keyring.
    #[must_use]
    pub fn with_current(mut self, generation: u32) -> Option<Self> {
        self.current = Arc::clone(self.all.get(&generation)?);
        Some(self)
    }

    /// Both keyrings in one; the newest generation is the current one. Older generations stay: something that was read
    /// before it was sealed anew is still to be opened.
    ///
    /// # Panics
    ///
    /// When the other is another tenant's.
    #[must_use]
    pub fn and_newest(mut self, other: Self) -> Self {
        assert_eq!(other.tenant(), self.tenant(), "a keyring holds the keys of one tenant");
        for (generation, key) in other.all {
            self.all.entry(generation).or_insert(key);
        }
        if let Some((_, newest)) = self.all.last_key_value() {
            self.current = Arc::clone(newest);
        }
        self
    }

    /// Whose keys these are.
    pub fn tenant(&self) -> Uuid {
        self.current.tenant()
    }

    /// Under which key new things are made.
    pub fn current(&self) -> &TenantKey {
        &self.current
    }

    /// Which generations are here, oldest first.
    pub fn generations(&self) -> impl Iterator<Item = u32> + '_ {
        self.all.keys().copied()
    }

    /// The key of one generation.
    pub fn generation(&self, generation: u32) -> Option<&TenantKey> {
        self.all.get(&generation).map(Arc::as_ref)
    }

    /// Seals `plaintext` under the current generation. Format: `hierarchy/blob.rs`.
    pub fn seal(&self, name: &BlobName<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.current.seal(name, plaintext)
    }

    /// The same for several.
    pub fn seal_all<'a>(&self, blobs: impl IntoIterator<Item = (BlobName<'a>, &'a [u8])>) -> Vec<Vec<u8>> {
        self.current.seal_all(blobs)
    }

    /// Opens a blob with the generation that it names.
    ///
    /// # Errors
    ///
    /// See [`OpenBlobError`]; only `UnknownGeneration` is worth a second try.
    pub fn open(&self, name: &BlobName<'_>, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenBlobError> {
        let opened = self.open_all([(*name, blob)])?;
        opened.into_iter().next().ok_or(OpenBlobError::Unreadable)
    }

    /// The same for several, in their order, or none of them.
    ///
    /// # Errors
    ///
    /// Of the first that does not open.
    pub fn open_all<'a>(
        &self,
        blobs: impl IntoIterator<Item = (BlobName<'a>, &'a [u8])>,
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, OpenBlobError> {
        let parsed = blobs.into_iter().map(|(name, blob)| Ok((name, Parts::parse(blob)?)));
        let parsed =
            parsed.collect::<Result<Vec<_>, MalformedBlob>>().map_err(|_| OpenBlobError::Malformed)?;
        let mut opened = Vec::with_capacity(parsed.len());
        for some in parsed.chunk_by(|(_, one), (_, next)| one.generation == next.generation) {
            let generation = some[0].1.generation;
            let key = self.generation(generation).ok_or(OpenBlobError::UnknownGeneration(generation))?;
            opened.extend(key.open_all(some).map_err(|_| OpenBlobError::Unreadable)?);
        }
        Ok(opened)
    }

    /// MAC under the current generation; see [`TenantKey::mac`].
    pub fn mac(&self, purpose: &str, values: &[&[u8]]) -> Mac {
        Mac { generation: self.current.generation(), tag: self.current.mac(purpose, values) }
    }

    /// Checks a MAC in constant time, under the generation that it names.
    ///
    /// # Errors
    ///
    /// See [`MacError`].
    pub fn verify_mac(&self, purpose: &str, values: &[&[u8]], mac: &Mac) -> Result<(), MacError> {
        let key = self.generation(mac.generation).ok_or(MacError::UnknownGeneration(mac.generation))?;
        if key.verifies(purpose, values, &mac.tag) { Ok(()) } else { Err(MacError::Wrong) }
    }

    /// Derives a key from the current generation; see [`TenantKey::derive`].
    pub fn derive(&self, purpose: &str) -> ResidentKey {
        self.current.derive(purpose)
    }
}

#[cfg(test)]
mod tests;
