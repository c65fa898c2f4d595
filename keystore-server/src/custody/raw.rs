// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys in the raw, for front ends on their owners' devices.

use plombe_core::{custody, keystore::calls::raw::SharePoint};
use zeroize::Zeroizing;

use super::{Vault, VaultError, aside};
use crate::{ledger::Permit, registry::Key};

/// Leave to multiply a point, with the key as it stood when that was decided.
pub struct SharePointAct {
    /// What is asked.
    pub call: SharePoint,
    /// Filled in under the lock.
    pub key: Option<Key>,
}

impl Vault {
    /// Multiplies one point.
    ///
    /// # Errors
    /// When the key cannot be read, is not for this, or the point is none of its curve's.
    pub async fn share_point(&self, permit: Permit<SharePointAct>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let SharePointAct { call, key } = permit.into_act();
        let tsk = self.tsk(&key.ok_or(VaultError::Unreadable)?).await?;
        let share = move || custody::share_point(&tsk, call.subkey.as_fingerprint(), &call.point.0);
        Ok(aside(share).await??)
    }
}
