// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate as key servers list it (HKP's machine-readable index).

use std::time::{SystemTime, UNIX_EPOCH};

use openpgp::types::RevocationStatus;
use sequoia_openpgp as openpgp;

use super::Certificate;
use crate::{crypto_policy::CryptoPolicy, recipients::wkd::percent_encoded};

impl Certificate {
    /// One `pub:` line and a `uid:` line for each user ID, whose text is percent-encoded.
    pub fn hkp_index(&self, policy: &CryptoPolicy, now: SystemTime) -> String {
        let key = self.cert.primary_key().key().clone();
        let valid = self.cert.with_policy(policy.sequoia(), now).ok();
        let expires = valid.as_ref().and_then(|valid| valid.primary_key().key_expiration_time());
        let revoked =
            matches!(self.cert.revocation_status(policy.sequoia(), now), RevocationStatus::Revoked(_));
        let mut text = format!(
            "pub:{:X}:{}:{}:{}:{}:{}\n",
            key.fingerprint(),
            u8::from(key.pk_algo()),
            key.mpis().bits().map(|bits| bits.to_string()).unwrap_or_default(),
            seconds(key.creation_time()),
            expires.map(|at| seconds(at).to_string()).unwrap_or_default(),
            flags(revoked, expires.is_some_and(|at| at <= now)),
        );
        for user_id in self.cert.userids() {
            let name = percent_encoded(&String::from_utf8_lossy(user_id.userid().value()));
            let since = user_id.self_signatures().filter_map(|signature| signature.signature_creation_time());
            let since = since.min().map(|at| seconds(at).to_string()).unwrap_or_default();
            let revoked =
                matches!(user_id.revocation_status(policy.sequoia(), now), RevocationStatus::Revoked(_));
            text.push_str(&format!("uid:{name}:{since}::{}\n", flags(revoked, false)));
        }
        text
    }
}

fn flags(revoked: bool, expired: bool) -> &'static str {
    match (revoked, expired) {
        (true, true) => "re",
        (true, false) => "r",
        (false, true) => "e",
        (false, false) => "",
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
