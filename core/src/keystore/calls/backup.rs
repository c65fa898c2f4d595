// SPDX-License-Identifier: LGPL-2.0-or-later
//! Backups of keys that stay on the device. The keystore cannot read them.

use serde::{Deserialize, Serialize};

use super::{Done, calls};
use crate::keystore::{Bytes, KeyFingerprint};

/// Stores the backup of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PutBackup {
    /// Of the certificate.
    pub key: KeyFingerprint,
    /// The TSK in an OpenPGP message, sealed to a recovery certificate or under a generated code of 128 bits or more.
    pub sealed: Bytes,
    /// The version that this one replaces; `None` for the first. Another device's newer backup is not overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<u64>,
}

/// Fetches a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FetchBackup {
    /// Of the certificate.
    pub key: KeyFingerprint,
}

/// Lists one's backups.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListBackups {}

/// A backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Backup {
    /// As it was put.
    pub sealed: Bytes,
    /// Which version.
    pub version: u64,
    /// When it was put.
    pub stored_at: u64,
}

/// Which backups there are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Backups {
    /// By fingerprint.
    pub backups: Vec<BackupInfo>,
}

/// That there is a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackupInfo {
    /// Of the certificate.
    pub key: KeyFingerprint,
    /// Which version.
    pub version: u64,
    /// When it was put.
    pub stored_at: u64,
}

calls! {
    PutBackup => "/v1/backups/put", Done;
    FetchBackup => "/v1/backups/fetch", Backup;
    ListBackups => "/v1/backups/list", Backups;
}
