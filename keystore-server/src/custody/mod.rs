// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys in custody, and what is done with them. Each function that uses one takes the permit for exactly that.

mod backup;
mod cache;
mod change;
mod raw;

use std::{sync::Arc, time::SystemTime};

use plombe_core::{
    cert::{CertError, Tsk},
    crypto_policy::CryptoPolicy,
    custody::{self, CustodyError},
    keystore::{
        KeyFingerprint,
        calls::{
            approvals::BreakGlassUnwrap,
            custody::{SignDigest, Unwrap},
        },
    },
    message::DigestSignature,
    session_key::SessionKey,
};
use zeroize::Zeroizing;

pub use self::backup::{FetchAct, KIND as BACKUP};
use self::cache::Cache;
pub use self::change::{CertifyAct, Change, ChangeAct, Changed};
pub use self::raw::SharePointAct;
use crate::{
    hierarchy::BlobName,
    keychain::SharedKeychain,
    ledger::{Blob, Permit},
    registry::Key,
    store::{Store, StoreError},
};

/// What a TSK's blob is called.
const KIND: &str = "tsk";

/// Every kind of blob that there is.
pub const BLOB_KINDS: [&str; 2] = [KIND, BACKUP];

/// Fetches TSKs, keeps the ones in use, and uses them.
pub struct Vault {
    store: Arc<dyn Store>,
    keychain: SharedKeychain,
    cache: Cache,
}

/// Why nothing was done with a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob is gone, or not what was put there.
    #[error("the stored key cannot be read")]
    Unreadable,
    /// The operation.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// A named operation.
    #[error(transparent)]
    Change(#[from] CertError),
}

/// Leave to unwrap, with the key as it stood when that was decided.
pub struct UnwrapAct {
    /// What is asked.
    pub call: Unwrap,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

/// Leave to unwrap without the key's owner, with the key as it stood when that was decided.
pub struct BreakGlassAct {
    /// What is asked.
    pub call: BreakGlassUnwrap,
    /// Which key the consent is about.
    pub id: KeyFingerprint,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

/// Leave to sign, with the key as it stood when that was decided.
pub struct SignAct {
    /// What is asked.
    pub call: SignDigest,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

impl Vault {
    /// Over a store.
    pub fn new(store: Arc<dyn Store>, keychain: SharedKeychain) -> Self {
        Self { store, keychain, cache: Cache::default() }
    }

    /// Unwraps the session key of one PKESK.
    ///
    /// # Errors
    /// What depends on the secret key is one error; see [`custody::unwrap_session_key`].
    pub async fn unwrap(&self, permit: Permit<UnwrapAct>) -> Result<SessionKey, VaultError> {
        let UnwrapAct { call, key } = permit.into_act();
        self.unwrap_with(key, &call.pkesk.0, call.session_key_size).await
    }

    /// The same, without the key's owner.
    ///
    /// # Errors
    /// As above.
    pub async fn break_glass(&self, permit: Permit<BreakGlassAct>) -> Result<SessionKey, VaultError> {
        let BreakGlassAct { call, key, .. } = permit.into_act();
        self.unwrap_with(key, &call.pkesk.0, call.session_key_size).await
    }

    async fn unwrap_with(
        &self,
        key: Option<Key>,
        pkesk: &[u8],
        size: Option<u8>,
    ) -> Result<SessionKey, VaultError> {
        let key = key.ok_or(VaultError::Unreadable)?;
        let tsk = self.tsk(&key).await?;
        let (pkesk, size) = (pkesk.to_vec(), size.map(usize::from));
        // A named recipient is one subkey; for a hidden one, whichever fits.
        let is_quick = !custody::is_rsa_wrapped(&pkesk);
        let unwrap = move || {
            let mut last = CustodyError::OtherKey;
            for subkey in custody::subkeys_for(&tsk, &pkesk)? {
                match custody::unwrap_session_key(&tsk, &subkey, &pkesk, size) {
                    Err(CustodyError::Refused) => last = CustodyError::Refused,
                    result => return result,
                }
            }
            Err(last)
        };
        Ok(if is_quick { unwrap()? } else { aside(unwrap).await?? })
    }

    /// Signs one digest.
    pub async fn sign(
        &self,
        permit: Permit<SignAct>,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<DigestSignature, VaultError> {
        let SignAct { call, key } = permit.into_act();
        let key = key.ok_or(VaultError::Unreadable)?;
        let tsk = self.tsk(&key).await?;
        let policy = policy.clone();
        let is_quick = custody::signs_with_curve(&tsk, call.subkey.as_fingerprint());
        let sign = move || {
            custody::sign_digest(&tsk, call.subkey.as_fingerprint(), call.hash, &call.digest.0, &policy, now)
        };
        Ok(if is_quick { sign()? } else { aside(sign).await?? })
    }

    async fn tsk(&self, key: &Key) -> Result<Arc<Tsk>, VaultError> {
        if let Some(tsk) = self.cache.find(&key.id, key.blob_version) {
            return Ok(tsk);
        }
        let id = blob_id(&key.id);
        let name = self.keychain.name(KIND, &id);
        let row = self.store.blob(&name).await?.ok_or(VaultError::Unreadable)?;
        let blob = BlobName { kind: KIND, id: &name, version: key.blob_version };
        let bytes = self.keychain.open_stored(&*self.store, key.tenant, &blob, &row.sealed).await;
        let bytes = bytes.map_err(|_| VaultError::Unreadable)?;
        let tsk = custody::from_authenticated_bytes(&bytes).map_err(|_| VaultError::Unreadable)?;
        let tsk = Arc::new(tsk);
        self.cache.keep(key.id.clone(), key.blob_version, Arc::clone(&tsk));
        Ok(tsk)
    }
}

/// Computes where it does not hold up others: a burst of RSA would otherwise stall the writer, and with it everybody. A curve operation
/// takes hardly longer than handing it over, and is done at once.
async fn aside<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(compute).await.map_err(|_| VaultError::Unreadable)
}

fn blob_id(key: &KeyFingerprint) -> Vec<u8> {
    key.as_fingerprint().as_bytes().to_vec()
}

/// The blob of a TSK, for the batch that puts its record in. The ledger seals it.
pub fn blob(key: &Key, tsk: &Tsk) -> Result<Blob, plombe_core::cert::CertError> {
    Ok(Blob {
        kind: KIND,
        id: blob_id(&key.id),
        tenant: key.tenant,
        version: key.blob_version,
        plaintext: Some(Zeroizing::new(custody::to_bytes(tsk)?.to_vec())),
    })
}
