// SPDX-License-Identifier: LGPL-2.0-or-later
//! Every long-lived key that a running server holds, and what each is for.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::hmac;
use plombe_core::{
    keystore::{
        HpkePublicKey, KeystoreIdentity, Origin, TenantId,
        envelope::{EnvelopeError, derive_hpke_public},
        fields,
    },
    log::{Checkpoint, KeyKind, SignedCheckpoint, VerifierKey, VerifierKeyError},
    secret::ResidentKey,
};
use zeroize::Zeroizing;

use crate::{
    hierarchy::{BlobName, OpenBlobError, TenantKeys, generation_of},
    registry::INSTANCE,
    root_key::RootKey,
    store::{Name, Store},
    tenant_keys::{self, TenantKeysError},
};

/// Length of a pseudonym. Nobody gains by a collision, which would take 2^64 records.
pub(crate) const NAME_LEN: usize = 16;

/// The keystore's own secrets, made when it is set up and sealed under the instance's key.
pub struct InstanceSecrets {
    /// Requests are sealed to its public half.
    pub hpke: ResidentKey,
    /// Seed of the Ed25519 key that signs checkpoints.
    pub log: ResidentKey,
    /// Makes pseudonyms. Stays the same when tenants' keys are rotated.
    pub names: ResidentKey,
    /// Makes session keys up where an RSA padding is wrong.
    pub rejection: ResidentKey,
}

impl InstanceSecrets {
    const LEN: usize = 4 * ResidentKey::LEN;

    /// Makes new ones.
    pub fn generate() -> Self {
        let generate = ResidentKey::generate;
        Self { hpke: generate(), log: generate(), names: generate(), rejection: generate() }
    }

    /// For sealing: the four keys in the order of the fields.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::LEN));
        for key in [&self.hpke, &self.log, &self.names, &self.rejection] {
            key.with(|key| bytes.extend_from_slice(key));
        }
        bytes
    }

    /// From what was sealed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut keys = bytes.as_chunks::<{ ResidentKey::LEN }>().0.iter().map(ResidentKey::from_slice);
        let mut next = || (bytes.len() == Self::LEN).then(|| keys.next())?;
        Some(Self { hpke: next()?, log: next()?, names: next()?, rejection: next()? })
    }
}

/// Why a server's keys do not fit together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeychainError {
    /// The log's name or key.
    #[error(transparent)]
    Log(#[from] VerifierKeyError),
    /// The key that requests are sealed to.
    #[error("the keystore's own key cannot be used")]
    Hpke(#[from] EnvelopeError),
}

/// Tenants' keys by tenant, and the instance's secrets.
pub struct Keychain {
    root: Arc<dyn RootKey>,
    tenants: RwLock<HashMap<TenantId, TenantKeys>>,
    by_name: RwLock<HashMap<Name, TenantId>>,
    secrets: InstanceSecrets,
    names: hmac::Key,
    records: hmac::Key,
    identity: KeystoreIdentity,
    verifier: VerifierKey,
}

impl Keychain {
    /// Puts them together. `instance` is the instance's own key; tenants' come by [`Keychain::add`].
    ///
    /// # Errors
    /// When `log_name` is not one that a log can have, or the secrets are not keys.
    pub fn new(
        root: Arc<dyn RootKey>,
        instance: TenantKeys,
        secrets: InstanceSecrets,
        origin: Origin,
        log_name: &str,
    ) -> Result<Self, KeychainError> {
        let hpke_public = HpkePublicKey(secrets.hpke.with(derive_hpke_public)?);
        let verifier = secrets.log.with(|seed| VerifierKey::of_seed(log_name, KeyKind::Log, seed))?;
        // Derived, and good for nothing but comparing: they may lie in memory as they are.
        let derive = |purpose: &[u8]| {
            let key = secrets.names.with(|key| hmac::Key::new(hmac::HMAC_SHA256, key));
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, &fields(&[purpose])).as_ref())
        };
        let keychain = Self {
            root,
            names: derive(b"plombe keystore names v1"),
            records: derive(b"plombe keystore record digest v1"),
            identity: KeystoreIdentity { origin, hpke_public, log_verifier: verifier.to_string() },
            tenants: RwLock::default(),
            by_name: RwLock::default(),
            secrets,
            verifier,
        };
        keychain.add(INSTANCE, instance);
        Ok(keychain)
    }

    /// The root key.
    pub fn root(&self) -> &dyn RootKey {
        &*self.root
    }

    /// Is this sealed under a key that is not here? So it is when another server was told to change a tenant's key.
    pub fn lacks(&self, tenant: &[u8], sealed: &[u8]) -> bool {
        let keys = self.tenant_of(tenant).and_then(|tenant| self.tenant(tenant));
        match (keys, generation_of(sealed)) {
            (Some(keys), Ok(generation)) => keys.generation(generation).is_none(),
            // What is damaged, no key opens.
            (keys, _) => keys.is_none(),
        }
    }

    /// Reads tenants' keys again; the newest of each is what is sealed with from now on.
    ///
    /// # Errors
    /// See [`TenantKeysError`].
    pub async fn reload(&self, store: &dyn Store) -> Result<(), TenantKeysError> {
        for (tenant, keys) in tenant_keys::load(store, &*self.root).await? {
            self.add(tenant, keys);
        }
        Ok(())
    }

    /// Adds a tenant's keys to those that are here.
    pub fn add(&self, tenant: TenantId, keys: TenantKeys) {
        let name = self.name_of_tenant(tenant);
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name, tenant);
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let keys = match tenants.remove(&tenant) {
            Some(others) => others.and_newest(keys),
            None => keys,
        };
        tenants.insert(tenant, keys);
    }

    /// Pseudonym of a tenant.
    pub fn name_of_tenant(&self, tenant: TenantId) -> Name {
        self.name("tenant-of", tenant.0.as_bytes())
    }

    /// The tenant of a pseudonym, when its keys are here.
    pub fn tenant_of(&self, name: &[u8]) -> Option<TenantId> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// A tenant's keys.
    pub fn tenant(&self, tenant: TenantId) -> Option<TenantKeys> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()
    }

    /// What clients pin.
    pub fn identity(&self) -> &KeystoreIdentity {
        &self.identity
    }

    /// Checks the log's signatures.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key that requests are sealed to.
    pub fn hpke(&self) -> &ResidentKey {
        &self.secrets.hpke
    }

    /// Makes session keys up where an RSA padding is wrong.
    pub fn rejection(&self) -> &ResidentKey {
        &self.secrets.rejection
    }

    /// Signs what the log says of itself.
    pub fn sign(&self, checkpoint: &Checkpoint) -> SignedCheckpoint {
        self.secrets.log.with(|seed| checkpoint.sign(&self.verifier, seed))
    }

    /// A key for something that is no long-lived secret, the same on all servers of this keystore.
    pub fn derived(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let tag = hmac::sign(&self.names, &fields(&[b"plombe keystore derived v1", purpose]));
        Zeroizing::new(tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes"))
    }

    /// Pseudonym of a thing.
    pub fn name(&self, kind: &str, id: &[u8]) -> Name {
        hmac::sign(&self.names, &fields(&[kind.as_bytes(), id])).as_ref()[..NAME_LEN].to_vec()
    }

    /// What a record adds to the digest of all records.
    pub fn record_digest(&self, kind: i16, name: &[u8], version: u64, sealed: &[u8]) -> [u8; 32] {
        let input = fields(&[&kind.to_be_bytes(), name, &version.to_be_bytes(), sealed]);
        let tag = hmac::sign(&self.records, &input);
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// Seals under a tenant's current key; `None` when there is no such tenant.
    pub fn seal(&self, tenant: TenantId, name: &BlobName<'_>, plaintext: &[u8]) -> Option<Vec<u8>> {
        self.tenant(tenant).map(|keys| keys.seal(name, plaintext))
    }

    /// The same for several.
    pub fn seal_all<'a>(
        &self,
        tenant: TenantId,
        blobs: impl IntoIterator<Item = (BlobName<'a>, &'a [u8])>,
    ) -> Option<Vec<Vec<u8>>> {
        self.tenant(tenant).map(|keys| keys.seal_all(blobs))
    }

    /// Opens what was read from `store`; when it is under a key that is not here yet, reads that first.
    ///
    /// # Errors
    /// See [`OpenBlobError`].
    pub async fn open_stored(
        &self,
        store: &dyn Store,
        tenant: TenantId,
        name: &BlobName<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenBlobError> {
        match self.open(tenant, name, sealed) {
            Err(OpenBlobError::UnknownGeneration(generation)) => {
                if let Err(error) = self.reload(store).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        generation,
                        "a tenant's new key is missing"
                    );
                }
                self.open(tenant, name, sealed)
            }
            result => result,
        }
    }

    /// Opens what was sealed under one of a tenant's keys.
    pub fn open(
        &self,
        tenant: TenantId,
        name: &BlobName<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenBlobError> {
        self.tenant(tenant).ok_or(OpenBlobError::Unreadable)?.open(name, sealed)
    }

    /// The same for several, in their order, or none of them.
    pub fn open_all<'a>(
        &self,
        tenant: TenantId,
        blobs: impl IntoIterator<Item = (BlobName<'a>, &'a [u8])>,
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, OpenBlobError> {
        self.tenant(tenant).ok_or(OpenBlobError::Unreadable)?.open_all(blobs)
    }
}

/// Shared by everything that runs.
pub type SharedKeychain = Arc<Keychain>;
