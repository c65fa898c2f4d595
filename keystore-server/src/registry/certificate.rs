// SPDX-License-Identifier: LGPL-2.0-or-later
//! The certificate of a key that stays on its owner's devices, in the directory.

use plombe_core::keystore::{Bytes, KeyFingerprint, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};

use super::Fingerprints;

/// A certificate that its owner has published from a confirmed device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Fingerprint of its primary key.
    pub id: KeyFingerprint,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Whose it is.
    pub owner: PrincipalId,
    /// With the user IDs of the owner's addresses of that time, and the owner's own signatures; binary.
    pub certificate: Bytes,
    /// Its subkeys, by which it is found as well.
    pub subkeys: Fingerprints,
    /// Was it over already when it was published?
    pub revoked: bool,
    /// When it was published first, seconds since 1970.
    pub since: u64,
    /// When it was changed last.
    pub changed: u64,
}
