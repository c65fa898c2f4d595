// SPDX-License-Identifier: LGPL-2.0-or-later
//! A key in custody, and who else may use it.

use std::collections::BTreeSet;

use plombe_core::keystore::{Bytes, GrantId, KeyFingerprint, PrincipalId, TenantId, calls::grants::KeyUse};
use serde::{Deserialize, Serialize};

use super::Fingerprints;

/// A TSK in custody. The secret part is a sealed blob of its own, fetched on use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Fingerprint of its primary key.
    pub id: KeyFingerprint,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Whose it is.
    pub owner: PrincipalId,
    /// The certificate in its newest form, binary.
    pub certificate: Bytes,
    /// Keys that unwrap session keys.
    pub unwrapping: Fingerprints,
    /// Keys that sign digests.
    pub signing: Fingerprints,
    /// Whether it is used.
    pub state: KeyState,
    /// Counts the changes of the secret blob.
    pub blob_version: u64,
    /// Seconds since 1970.
    pub since: u64,
}

/// Whether a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Unwraps and signs.
    Active,
    /// Its certificate is revoked: unwraps old mail, signs nothing.
    Revoked,
}

/// Another principal may use a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Identity.
    pub id: GrantId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Which key.
    pub key: KeyFingerprint,
    /// Whose it is, and who said so from a confirmed device of theirs.
    pub owner: PrincipalId,
    /// Who may.
    pub to: PrincipalId,
    /// For what.
    pub uses: BTreeSet<KeyUse>,
    /// Seconds since 1970.
    pub given: u64,
    /// Not after this.
    pub expires: u64,
}
