// SPDX-License-Identifier: LGPL-2.0-or-later
//! A device key that speaks for a principal, and its sessions.

use std::collections::BTreeMap;

use plombe_core::keystore::{
    DeviceId, DeviceThumbprint, PrincipalId, SessionId, TenantId, calls::login::DeviceState,
};
use serde::{Deserialize, Serialize};

use super::Purpose;

/// A device: whoever holds its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Identity.
    pub id: DeviceId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// Whose it says it is; known to be true once it is confirmed.
    pub principal: PrincipalId,
    /// What its holder calls it.
    pub name: String,
    /// Its key.
    pub thumbprint: DeviceThumbprint,
    /// Whether it may use keys.
    pub state: DeviceState,
    /// How it came: `code`, `oidc <issuer>`.
    pub enrolled_by: String,
    /// Seconds since 1970.
    pub enrolled: u64,
}

/// A log-in of a device. Its value is opaque, stored hashed, and useless without the device's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Identity; stays the same when the value is renewed.
    pub id: SessionId,
    /// SHA-256 of the value.
    pub hash: [u8; 32],
    /// Hash and end of the value before the last renewal: several programs of one device share a session.
    pub before: Option<([u8; 32], u64)>,
    /// Whose organisation.
    pub tenant: TenantId,
    /// The only device that can use it.
    pub device: DeviceId,
    /// The newest value is good until then; seconds since 1970.
    pub expires: u64,
    /// The device may renew it until then, counted from its log-in.
    pub ends: u64,
    /// Which log-in at an identity provider it began with, so that the provider can end it.
    #[serde(default)]
    pub provider: Option<ProviderSession>,
    /// What a passkey was shown for, and until when that counts.
    #[serde(default)]
    pub stepped_up: BTreeMap<Purpose, u64>,
}

/// A log-in at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSession {
    /// The provider.
    pub issuer: String,
    /// Its name for the user.
    pub subject: String,
    /// Its name for its own session, when it said it.
    pub session: Option<String>,
}

impl Session {
    /// Hashes of the values that may come along.
    pub fn hashes(&self) -> impl Iterator<Item = [u8; 32]> {
        std::iter::once(self.hash).chain(self.before.map(|(hash, _)| hash))
    }

    /// Was a passkey shown for this, and does that still count?
    pub fn has_stepped_up(&self, purpose: Purpose, now: u64) -> bool {
        self.stepped_up.get(&purpose).is_some_and(|until| now < *until)
    }

    /// Until when the value of this hash is good.
    pub fn expiry_of(&self, hash: &[u8; 32]) -> u64 {
        match self.before {
            Some((before, expires)) if before == *hash => expires,
            _ => self.expires,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Five minutes are 300 seconds, and the last of them is 299 seconds after the showing.
    #[test]
    fn a_passkey_that_was_shown_counts_for_its_purpose_until_its_time_is_over() {
        let shown = 1_800_000_000;
        let session = Session {
            id: SessionId(Uuid::nil()),
            hash: [0; 32],
            before: None,
            tenant: TenantId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            expires: shown + 600,
            ends: shown + 7200,
            provider: None,
            stepped_up: [(Purpose::Devices, shown + 300)].into(),
        };
        assert!(session.has_stepped_up(Purpose::Devices, shown));
        assert!(session.has_stepped_up(Purpose::Devices, shown + 299));
        assert!(!session.has_stepped_up(Purpose::Devices, shown + 300));
        for other in Purpose::ALL.iter().filter(|purpose| **purpose != Purpose::Devices) {
            assert!(!session.has_stepped_up(*other, shown), "{other:?}");
        }
    }
}
