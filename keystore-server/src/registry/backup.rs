// SPDX-License-Identifier: LGPL-2.0-or-later
//! A backup of a key that stays on its owner's devices.

use plombe_core::keystore::{KeyFingerprint, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};

use super::RecordId;

/// That there is a backup. The message itself is a blob; the keystore has no key that opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Whose it is. Two people's backups never meet, whatever key they say that it is.
    pub owner: PrincipalId,
    /// Of which certificate, as the owner says.
    pub key: KeyFingerprint,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Counts its changes.
    pub version: u64,
    /// Seconds since 1970.
    pub stored: u64,
}

impl Backup {
    /// Its identity.
    pub fn id(owner: PrincipalId, key: &KeyFingerprint) -> RecordId {
        RecordId::of(&[owner.0.as_bytes(), key.as_fingerprint().as_bytes()])
    }
}
