// SPDX-License-Identifier: LGPL-2.0-or-later
//! One generation of a tenant's key, and everything that is derived from it.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Okm, Prk, Salt},
    hmac,
};
use plombe_core::{keystore::fields, secret::ResidentKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::blob::{BlobName, NONCE_LEN, Parts, SALT_LEN};

/// One generation of a tenant's key. It never encrypts anything itself: each use derives a key for that use alone.
#[derive(Debug)]
pub struct TenantKey {
    tenant: Uuid,
    generation: u32,
    key: ResidentKey,
}

/// Wrong key, wrong name, damage: alike on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the blob does not open under this key and name")]
pub struct Unreadable;

impl TenantKey {
    /// Makes a random key of this generation.
    pub fn generate(tenant: Uuid, generation: u32) -> Self {
        Self::new(tenant, generation, ResidentKey::generate())
    }

    /// Takes a key that the root key unwrapped.
    pub fn new(tenant: Uuid, generation: u32, key: ResidentKey) -> Self {
        Self { tenant, generation, key }
    }

    /// Whose key this is.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// Which of the tenant's keys this is; counts from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The key itself, for the root key to wrap.
    pub fn resident(&self) -> &ResidentKey {
        &self.key
    }

    /// Seals `plaintext` under a key of its own.
    pub fn seal(&self, name: &BlobName<'_>, plaintext: &[u8]) -> Vec<u8> {
        self.key.with(|key| self.seal_with(key, name, plaintext))
    }

    /// Seals each under a key of its own. Taking this key out of its hiding place costs as much as several blobs, and is done once.
    pub fn seal_all<'a>(&self, blobs: impl IntoIterator<Item = (BlobName<'a>, &'a [u8])>) -> Vec<Vec<u8>> {
        let blobs = blobs.into_iter();
        self.key.with(|key| blobs.map(|(name, plaintext)| self.seal_with(key, &name, plaintext)).collect())
    }

    fn seal_with(&self, key: &[u8; 32], name: &BlobName<'_>, plaintext: &[u8]) -> Vec<u8> {
        let (salt, nonce) = (random::<SALT_LEN>(), random::<NONCE_LEN>());
        let context = name.context(self.tenant, self.generation);
        let mut blob = Parts::header(self.generation, &salt, &nonce, plaintext.len());
        // Encrypted where it will lie: the plaintext is in no second buffer, and this one never grows.
        let header_len = blob.len();
        blob.extend_from_slice(plaintext);
        let tag = blob_key(key, &salt, &context)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&context),
                &mut blob[header_len..],
            )
            .expect("no blob is near GCM's limit of 64 GiB");
        blob.extend_from_slice(tag.as_ref());
        blob
    }

    /// Opens what [`Self::seal`] sealed, under the same names. The key is taken out once.
    pub(super) fn open_all(
        &self,
        blobs: &[(BlobName<'_>, Parts<'_>)],
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, Unreadable> {
        self.key.with(|key| blobs.iter().map(|(name, parts)| self.open_with(key, name, parts)).collect())
    }

    fn open_with(
        &self,
        key: &[u8; 32],
        name: &BlobName<'_>,
        parts: &Parts<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let context = name.context(self.tenant, self.generation);
        let mut buffer = Zeroizing::new(parts.sealed.to_vec());
        let plaintext_len = blob_key(key, parts.salt, &context)
            .open_in_place(Nonce::assume_unique_for_key(*parts.nonce), Aad::from(&context), &mut buffer)
            .map_err(|_| Unreadable)?
            .len();
        buffer.truncate(plaintext_len);
        Ok(buffer)
    }

    /// MAC of a list of fields, for `purpose` alone. The purpose names the format version too: `"head v1"`.
    pub fn mac(&self, purpose: &str, values: &[&[u8]]) -> [u8; 32] {
        let tag = hmac::sign(&self.mac_key(purpose), &fields(values));
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// Compares in constant time.
    pub(super) fn verifies(&self, purpose: &str, values: &[&[u8]], tag: &[u8; 32]) -> bool {
        hmac::verify(&self.mac_key(purpose), &fields(values), tag).is_ok()
    }

    /// Derives a key for `purpose`: the same each time, another one in each generation.
    ///
    /// For what may change when the tenant key is rotated, such as blind indexes and pseudo-random answers. What
    /// the world outside knows the public half of (the log's signing key, the HPKE key) is generated at random and
    /// sealed as a blob instead: it has to outlive the tenant key, and to be replaced when its own time comes.
    pub fn derive(&self, purpose: &str) -> ResidentKey {
        let mut derived = Zeroizing::new([0; 32]);
        self.expand(b"plombe keystore derived key v1", purpose, |okm| {
            okm.fill(derived.as_mut_slice()).expect("SHA-256 has 32 bytes");
        });
        ResidentKey::from_slice(&derived)
    }

    fn mac_key(&self, purpose: &str) -> hmac::Key {
        self.expand(b"plombe keystore mac key v1", purpose, |okm| okm.into())
    }

    fn expand<R>(&self, what: &[u8], purpose: &str, finish: impl FnOnce(Okm<'_, hmac::Algorithm>) -> R) -> R {
        let generation = self.generation.to_be_bytes();
        let info = fields(&[what, self.tenant.as_bytes(), &generation, purpose.as_bytes()]);
        let prk = self.key.with(|key| extract(key, &[]));
        finish(prk.expand(&[&info], hmac::HMAC_SHA256).expect("32 bytes are within HKDF's limit"))
    }
}

fn blob_key(key: &[u8; 32], salt: &[u8; SALT_LEN], context: &[u8]) -> LessSafeKey {
    let prk = extract(key, salt);
    let okm = prk.expand(std::slice::from_ref(&context), &AES_256_GCM);
    LessSafeKey::new(UnboundKey::from(okm.expect("32 bytes are within HKDF's limit")))
}

fn extract(key: &[u8; 32], salt: &[u8]) -> Prk {
    Salt::new(HKDF_SHA256, salt).extract(key)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("a system without randomness cannot hold keys");
    bytes
}
