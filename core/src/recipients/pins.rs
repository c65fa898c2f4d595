// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate belongs to which address, as first seen or as a person decided.
//!
//! As TOML, which is how it is kept:
//!
//! ```toml
//! [[pin]]
//! address = "bob@example.org"
//! fingerprint = "B0B0…"
//! source = "wkd:advanced"
//! first-seen = "2026-11-21T22:30:00Z"
//! decision = "first-use"
//!
//! # A certificate that contradicts a pin, until somebody decides.
//! [[offered]]
//! address = "bob@example.org"
//! fingerprint = "B0B2…"
//! source = "wkd:advanced"
//! since = "2026-11-22T08:00:00Z"
//!
//! [[rejected]]
//! address = "bob@example.org"
//! fingerprint = "0BAD…"
//! since = "2026-11-22T08:00:00Z"
//! ```

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Address, Conflict, Source};
use crate::{Fingerprint, cert::Certificate, crypto_policy::CryptoPolicy};

/// The pins of one person: at most one for each address, and what was rejected for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pins {
    #[serde(rename = "pin", skip_serializing_if = "Vec::is_empty")]
    pins: Vec<Pin>,
    #[serde(rename = "offered", skip_serializing_if = "Vec::is_empty")]
    offers: Vec<Offer>,
    #[serde(rename = "rejected", skip_serializing_if = "Vec::is_empty")]
    rejections: Vec<Rejection>,
}

/// One certificate for one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pin {
    /// Whose.
    pub address: Address,
    /// Of the primary key: subkeys may change, the identity may not.
    #[serde(with = "hex")]
    pub fingerprint: Fingerprint,
    /// Where it was first found.
    pub source: Source,
    /// When it was first used.
    #[serde(with = "rfc3339")]
    pub first_seen: SystemTime,
    /// How it came to be pinned.
    pub decision: Decision,
}

/// How a certificate came to be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It was the first one.
    FirstUse,
    /// A person said that it is right.
    Confirmed,
}

/// One certificate that contradicts what was known, and that nobody has decided about yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Offer {
    /// Whose it claims to be.
    pub address: Address,
    /// Of its primary key.
    #[serde(with = "hex")]
    pub fingerprint: Fingerprint,
    /// Where it was found.
    pub source: Source,
    /// When it was first found.
    #[serde(with = "rfc3339")]
    pub since: SystemTime,
}

/// One certificate that a person does not want for an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rejection {
    /// Whose it claims to be.
    pub address: Address,
    /// Of its primary key.
    #[serde(with = "hex")]
    pub fingerprint: Fingerprint,
    /// When it was rejected.
    #[serde(with = "rfc3339")]
    pub since: SystemTime,
}

impl Pins {
    /// The pin of `address`.
    pub fn of(&self, address: &Address) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.address == *address)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Pin> {
        self.pins.iter()
    }

    /// Was this certificate rejected for `address`?
    pub fn is_rejected(&self, address: &Address, fingerprint: &Fingerprint) -> bool {
        self.rejections.iter().any(|no| no.address == *address && no.fingerprint == *fingerprint)
    }

    /// A certificate as far as its signatures may be believed: without the addresses that are pinned to another one, or
    /// for which it was rejected or waits for a decision. `None` when no address is left, so that its signer counts as
    /// unknown.
    ///
    /// A key server that offers a forged certificate gets it into the store, where it waits. Without this, mail signed
    /// with it would be good before anybody has decided. The store is also shared with other programs, which put into
    /// it what the network gave them.
    pub fn believed(
        &self,
        certificate: Certificate,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Option<Certificate> {
        let fingerprint = certificate.fingerprint();
        let rejected = self.rejections.iter().map(|no| (&no.address, &no.fingerprint));
        let offered = self.offers.iter().map(|offer| (&offer.address, &offer.fingerprint));
        let pinned = self.pins.iter().map(|pin| (&pin.address, &pin.fingerprint));
        let doubtful: Vec<&Address> =
            (rejected.chain(offered).filter(|(_, doubted)| **doubted == fingerprint))
                .chain(pinned.filter(|(_, believed)| **believed != fingerprint))
                .map(|(address, _)| address)
                .collect();
        let rest = certificate.without_addresses(&doubtful);
        if rest.unverified_user_ids().len() == certificate.unverified_user_ids().len() {
            return Some(certificate);
        }
        (!rest.addresses(policy, now).is_empty()).then_some(rest)
    }

    /// Takes over what [`choose`](super::choose()) says about a first use. An address that has a pin keeps it.
    pub fn record(&mut self, pin: Pin) {
        if self.of(&pin.address).is_none() {
            self.pins.push(pin);
        }
    }

    /// Keeps a conflict in mind, so that sealing without a look at the network meets it too. Decisions end it.
    pub fn remember(&mut self, conflict: &Conflict, now: SystemTime) {
        for (fingerprint, source) in &conflict.offered {
            if !self.offers_of(&conflict.address, fingerprint).any(|offer| offer.source == *source) {
                self.offers.push(Offer {
                    address: conflict.address.clone(),
                    fingerprint: fingerprint.clone(),
                    source: source.clone(),
                    since: now,
                });
            }
        }
    }

    /// Where a certificate that waits for a decision was found.
    pub(super) fn offers_of(
        &self,
        address: &Address,
        fingerprint: &Fingerprint,
    ) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(move |offer| offer.address == *address && offer.fingerprint == *fingerprint)
    }

    /// What waits for a decision.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offers.iter()
    }

    /// A person's decision: this certificate and no other is right for `address`.
    pub fn trust(&mut self, address: &Address, fingerprint: &Fingerprint, source: Source, now: SystemTime) {
        self.rejections.retain(|no| !(no.address == *address && no.fingerprint == *fingerprint));
        // What was offered instead lost; it must not come up again at the next look.
        let lost =
            self.offers.iter().filter(|offer| offer.address == *address && offer.fingerprint != *fingerprint);
        let lost: Vec<Fingerprint> = lost.map(|offer| offer.fingerprint.clone()).collect();
        lost.iter().for_each(|other| self.reject(address, other, now));
        self.offers.retain(|offer| offer.address != *address);
        let known = self.of(address).filter(|pin| pin.fingerprint == *fingerprint).cloned();
        let pin = known.unwrap_or_else(|| Pin {
            address: address.clone(),
            fingerprint: fingerprint.clone(),
            source,
            first_seen: now,
            decision: Decision::Confirmed,
        });
        self.pins.retain(|pin| pin.address != *address);
        self.pins.push(Pin { decision: Decision::Confirmed, ..pin });
    }

    /// A person's decision: this certificate is not `address`'s. A pin on it is gone.
    pub fn reject(&mut self, address: &Address, fingerprint: &Fingerprint, now: SystemTime) {
        self.pins.retain(|pin| !(pin.address == *address && pin.fingerprint == *fingerprint));
        self.offers.retain(|offer| !(offer.address == *address && offer.fingerprint == *fingerprint));
        if !self.is_rejected(address, fingerprint) {
            let rejection =
                Rejection { address: address.clone(), fingerprint: fingerprint.clone(), since: now };
            self.rejections.push(rejection);
        }
    }
}

mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::Fingerprint;

    pub(super) fn serialize<S: Serializer>(fingerprint: &Fingerprint, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&fingerprint.to_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fingerprint, D::Error> {
        let text = String::deserialize(from)?;
        match text.parse() {
            Ok(fingerprint @ (Fingerprint::V4(_) | Fingerprint::V6(_))) => Ok(fingerprint),
            _ => Err(D::Error::custom("not a fingerprint of 40 or 64 hexadecimal digits")),
        }
    }
}

pub(super) mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in super::super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_rfc3339_seconds(*time))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        humantime::parse_rfc3339(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    /// For times that may be missing; the field is left out then.
    pub(in super::super) mod optional {
        use std::time::SystemTime;

        use serde::{Deserializer, Serializer};

        pub(in super::super::super) fn serialize<S: Serializer>(
            time: &Option<SystemTime>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, to),
                None => to.serialize_none(),
            }
        }

        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<SystemTime>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}
