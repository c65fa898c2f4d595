// SPDX-License-Identifier: LGPL-2.0-or-later
//! One's own entries in the keystore's public directory.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{Bytes, KeyFingerprint};

/// Publishes a certificate whose key is not in custody, for the addresses that the keystore knows to be the caller's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishCertificate {
    /// Binary.
    pub certificate: Bytes,
}

/// Takes one's certificate out of the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCertificate {
    /// Which.
    pub key: KeyFingerprint,
}

/// What is published now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Which certificate.
    pub key: KeyFingerprint,
    /// For which addresses; none after a withdrawal.
    pub addresses: Vec<String>,
}

calls! {
    PublishCertificate => "/v1/directory/publish", Published;
    WithdrawCertificate => "/v1/directory/withdraw", Published;
}
