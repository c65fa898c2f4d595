// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the key that certifies is used for: named operations, whose packets the keystore builds.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{Bytes, KeyFingerprint};

/// Certifies User IDs on somebody else's certificate, which claims them itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CertifyUserIds {
    /// The certifying key in custody.
    pub key: KeyFingerprint,
    /// The certificate that is vouched for, binary.
    pub certificate: Bytes,
    /// Which of its User IDs.
    pub user_ids: Vec<String>,
}

/// Replaces subkeys by new ones. Old encryption subkeys still unwrap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateSubkeys {
    /// The key.
    pub key: KeyFingerprint,
}

/// Sets when a key expires.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetExpiry {
    /// The key.
    pub key: KeyFingerprint,
    /// When; `None` for never.
    pub expires_at: Option<u64>,
}

/// Revokes a key, one of its subkeys or one of its User IDs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// The key.
    pub key: KeyFingerprint,
    /// What of it.
    pub target: RevocationTarget,
    /// Why, by OpenPGP's codes. [`UserIdInvalid`](RevocationReason::UserIdInvalid) goes with User IDs, and only with them.
    pub reason: RevocationReason,
    /// Why, for people. Public.
    #[serde(default)]
    pub message: String,
}

/// What of a key is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RevocationTarget {
    /// All of it.
    Certificate,
    /// One subkey.
    Subkey(KeyFingerprint),
    /// One User ID.
    UserId(String),
}

/// Why something is revoked (RFC 9580 section 5.2.3.31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// None given.
    Unspecified,
    /// Replaced by another.
    Superseded,
    /// Somebody else may have it.
    Compromised,
    /// No longer in use.
    Retired,
    /// For User IDs: no longer true.
    UserIdInvalid,
}

/// Adds a User ID.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddUserId {
    /// The key.
    pub key: KeyFingerprint,
    /// The new User ID.
    pub user_id: String,
}

/// A certificate that has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedCertificate {
    /// All of it, binary.
    pub certificate: Bytes,
    /// Position of the log entry that stands for this use.
    pub position: u64,
}

calls! {
    CertifyUserIds => "/v1/keys/certify", ChangedCertificate;
    RotateSubkeys => "/v1/keys/rotate", ChangedCertificate;
    SetExpiry => "/v1/keys/expire", ChangedCertificate;
    RevokeKey => "/v1/keys/revoke", ChangedCertificate;
    AddUserId => "/v1/keys/add-user-id", ChangedCertificate;
}
