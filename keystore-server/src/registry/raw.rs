// SPDX-License-Identifier: LGPL-2.0-or-later
//! A device of a key's owner may use the key in the raw, for a while.

use plombe_core::keystore::{DeviceId, KeyFingerprint, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};

use super::RecordId;

/// Given by the owner on the very device that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawUse {
    /// Which key.
    pub key: KeyFingerprint,
    /// Which device.
    pub device: DeviceId,
    /// Whose both are.
    pub owner: PrincipalId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Seconds since 1970.
    pub given: u64,
    /// Not from this on.
    pub expires: u64,
}

impl RawUse {
    /// Its identity.
    pub fn id(key: &KeyFingerprint, device: DeviceId) -> RecordId {
        RecordId::of(&[device.0.as_bytes(), key.as_fingerprint().as_bytes()])
    }
}
