// SPDX-License-Identifier: LGPL-2.0-or-later
//! What mails told about somebody's certificate (Autocrypt Level 1, "peer state").
//!
//! As TOML, which is how it is kept:
//!
//! ```toml
//! address = "bob@example.org"
//! last-seen = "2026-11-21T22:30:00Z"
//!
//! [[brought]]
//! source = "autocrypt"
//! seen = "2026-11-21T22:30:00Z"
//! prefer-encrypt = true
//! certificate = "mDME…"
//! ```

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{
    Address, Candidate, Source,
    answer::{self, AnswerError},
    pins::rfc3339,
};
use crate::{Fingerprint, cert::Certificate, crypto_policy::CryptoPolicy};

/// Past this a certificate is not added to but replaced: what strangers send may not grow without end.
const MOST_BYTES: usize = 64 << 10;

/// What mails told about one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Correspondent {
    /// Whose.
    pub address: Address,
    /// Date of the newest mail from there, whether or not it brought a certificate.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<SystemTime>,
    /// At most two per source: the first that came, and the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brought: Vec<Brought>,
}

/// A certificate that mails brought along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Brought {
    /// `autocrypt` or `autocrypt-gossip`.
    pub source: Source,
    /// Effective date of the newest mail with it: the smaller of that mail's date and the time it was read.
    #[serde(with = "rfc3339")]
    pub seen: SystemTime,
    /// That mail asked for encrypted answers.
    #[serde(default)]
    pub prefer_encrypt: bool,
    /// Cut down to the address.
    #[serde(with = "base64")]
    certificate: Vec<u8>,
}

/// What a mail said, and was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Learned {
    /// A certificate that mails have not brought before.
    New(Fingerprint),
    /// A newer mail with the same one.
    Known,
    /// Something newer is known already.
    Older,
}

impl Correspondent {
    /// Somebody of whom nothing is known.
    pub fn new(address: Address) -> Self {
        Self { address, last_seen: None, brought: Vec::new() }
    }

    /// There was a mail from this address on `date`. Whether it brought a certificate does not matter.
    pub fn saw(&mut self, date: SystemTime) {
        self.last_seen = self.last_seen.max(Some(date));
    }

    /// Keeps the certificate in `keydata` as a candidate, unless a newer mail was read before.
    ///
    /// Autocrypt lets the newest certificate replace all others. Here the first stays beside it when their primary keys
    /// differ, so that a forged mail cannot silently take its place: [`choose`](super::choose()) sees both, and a
    /// person decides.
    ///
    /// # Errors
    /// When `keydata` is not one certificate with the address in a valid user ID.
    pub fn learn(
        &mut self,
        keydata: &[u8],
        source: &Source,
        prefer_encrypt: bool,
        date: SystemTime,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Learned, AnswerError> {
        let date = date.min(now);
        let newest = self.of(source).map(|brought| brought.seen).max();
        if newest.is_some_and(|newest| date < newest) {
            return Ok(Learned::Older);
        }
        let mut certificates = answer::certificates(keydata, &self.address, policy, now)?;
        let certificate = match certificates.pop() {
            Some(certificate) if certificates.is_empty() => certificate,
            _ => return Err(AnswerError::TooMany),
        };
        let fingerprint = certificate.fingerprint();
        let mut brought = Brought {
            source: source.clone(),
            seen: date,
            prefer_encrypt,
            certificate: certificate.to_bytes(),
        };
        let same = |known: &&mut Brought| {
            known.source == *source && known.certificate().is_some_and(|c| c.fingerprint() == fingerprint)
        };
        if let Some(known) = self.brought.iter_mut().find(same) {
            // What was known stays, revocations above all; a replayed old copy takes nothing away.
            let merged = known.certificate().and_then(|old| old.merge(certificate).ok());
            let merged = merged.map(|merged| merged.to_bytes()).filter(|bytes| bytes.len() <= MOST_BYTES);
            brought.certificate = merged.unwrap_or(brought.certificate);
            *known = brought;
            return Ok(Learned::Known);
        }
        // The first of this source stays, whatever stood between it and this one goes.
        let mut first = true;
        self.brought.retain(|known| known.source != *source || std::mem::take(&mut first));
        self.brought.push(brought);
        Ok(Learned::New(fingerprint))
    }

    /// The certificates as candidates, which nobody vouches for.
    pub fn candidates(&self) -> Vec<Candidate> {
        let candidate = |brought: &Brought| {
            Some(Candidate { certificate: brought.certificate()?, source: brought.source.clone() })
        };
        self.brought.iter().filter_map(candidate).collect()
    }

    fn of<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = &'a Brought> {
        self.brought.iter().filter(move |brought| brought.source == *source)
    }
}

impl Brought {
    /// The certificate; `None` when the store was damaged.
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::parse(&self.certificate).ok()
    }
}

mod base64 {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
