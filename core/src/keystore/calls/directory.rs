// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates of keys that stay on their owners' devices, in the keystore's directory. (Keys in custody are there by themselves.)

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{Bytes, KeyFingerprint};

/// Puts a certificate into the directory, or brings the one that is there up to date.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishCertificate {
    /// The certificate, binary. Only what concerns the caller's own addresses is taken from it.
    pub certificate: Bytes,
}

/// Takes a certificate out of the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WithdrawCertificate {
    /// Which.
    pub key: KeyFingerprint,
}

/// Lists what the caller has published.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListPublished {}

/// A certificate in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedCertificate {
    /// Of the certificate.
    pub fingerprint: KeyFingerprint,
    /// What was taken, and what was there before: binary.
    pub certificate: Bytes,
    /// When it was published first.
    pub since: u64,
    /// When it was changed last.
    pub changed_at: u64,
}

/// What is in the directory now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InDirectory {
    /// As it is there.
    pub certificate: PublishedCertificate,
    /// Under which addresses it is found.
    pub addresses: Vec<String>,
    /// Position of the log entry that stands for this.
    pub position: u64,
}

/// It is gone from the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Withdrawn {
    /// Position of the log entry that stands for this.
    pub position: u64,
}

/// Published certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedCertificates {
    /// By fingerprint.
    pub certificates: Vec<PublishedCertificate>,
}

calls! {
    PublishCertificate => "/v1/directory/publish", InDirectory;
    WithdrawCertificate => "/v1/directory/withdraw", Withdrawn;
    ListPublished => "/v1/directory/list", PublishedCertificates;
}
