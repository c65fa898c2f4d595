// SPDX-License-Identifier: LGPL-2.0-or-later
//! Backups that this keystore cannot open.

use plombe_core::keystore::{KeyFingerprint, calls::backup};

use super::{Vault, VaultError};
use crate::{hierarchy::BlobName, ledger::Permit, registry::Backup};

/// What a backup's blob is called.
pub const KIND: &str = "backup";

/// Leave to fetch a backup.
pub struct FetchAct {
    /// Of which key.
    pub key: KeyFingerprint,
    /// Filled in under the lock.
    pub backup: Option<Backup>,
}

impl Vault {
    /// Fetches a backup, as it was put.
    ///
    /// # Errors
    /// When the blob cannot be read, or was replaced since that was decided.
    pub async fn backup(&self, permit: Permit<FetchAct>) -> Result<backup::Backup, VaultError> {
        let backup = permit.into_act().backup.ok_or(VaultError::Unreadable)?;
        let name = self.keychain.name(KIND, &Backup::id(backup.owner, &backup.key));
        let row = self.store.blob(&name).await?.ok_or(VaultError::Unreadable)?;
        let blob = BlobName { kind: KIND, id: &name, version: backup.version };
        let sealed = self.keychain.open_stored(&*self.store, backup.tenant, &blob, &row.sealed).await;
        let sealed = sealed.map_err(|_| VaultError::Unreadable)?.to_vec().into();
        Ok(backup::Backup { sealed, version: backup.version, stored_at: backup.stored })
    }
}
