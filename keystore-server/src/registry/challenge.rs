// SPDX-License-Identifier: LGPL-2.0-or-later
//! A challenge mail: whoever comes back with its token reads that address's mail.

use plombe_core::keystore::{Bytes, KeyFingerprint, TenantId};
use serde::{Deserialize, Serialize};

/// One challenge, kept for a day after it was sent: it counts against the limits, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// SHA-256 of the token, which is in the mail alone.
    pub hash: [u8; 32],
    /// Whose domain the address is in.
    pub tenant: TenantId,
    /// Where it was sent, and whose certificate is to be shown then.
    pub address: String,
    /// Fingerprint of that certificate.
    pub key: KeyFingerprint,
    /// The certificate with that address and no other. Empty when the challenge is over.
    pub certificate: Bytes,
    /// When it was sent, seconds since 1970.
    pub sent: u64,
    /// Its token is good until then.
    pub expires: u64,
    /// Whether it still counts.
    pub standing: Standing,
}

/// Whether a challenge still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Until it expires.
    Open,
    /// Its token was used.
    Used,
    /// The mail could not be sent.
    Failed,
}

impl Challenge {
    /// The same, over.
    pub fn over(&self, standing: Standing) -> Self {
        Self { standing, certificate: Vec::new().into(), ..self.clone() }
    }

    /// May its token be used at `now`?
    pub fn is_open(&self, now: u64) -> bool {
        self.standing == Standing::Open && now < self.expires
    }
}
