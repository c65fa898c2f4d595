// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate for which address: pins, conflicts, decisions.

use plombe_core::{
    Fingerprint,
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    error_code::ErrorCode,
    recipients::{Address, Candidate, Choice, Conflict, Outcome, Pins, Source, choose},
};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    Certificates,
    certificate::Certificate as CertificateHandle,
    error::{Thrown, bad_address, misuse, typed},
    options::time,
};

/// The pins of one person, and what waits for a decision of theirs.
#[wasm_bindgen]
#[derive(Default)]
pub struct Contacts(Pins);

/// Which certificate for one address, and why.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ContactChoice {
    address: String,
    outcome: ContactOutcome,
    /// What will be used.
    fingerprint: Option<String>,
    /// It was not used before, and is pinned when it is.
    first_use: bool,
    /// A person said that it is right.
    confirmed: bool,
    reads_seipdv2: bool,
    explanations: Vec<ContactExplanation>,
}

/// The decision.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "kebab-case")]
pub enum ContactOutcome {
    /// Seal for it.
    Use,
    /// A person has to decide.
    Conflict,
    /// There is nothing to use.
    None,
}

/// What became of one certificate.
#[derive(Serialize, Tsify)]
pub struct ContactExplanation {
    fingerprint: String,
    /// The best first: `own`, `store`, `wkd:advanced`, …
    sources: Vec<String>,
    /// Why it is not used: a code; `null` when it is.
    problem: Option<String>,
}

/// One pin, or one offer.
#[derive(Serialize, Tsify)]
pub struct ContactPin {
    address: String,
    fingerprint: String,
    source: String,
    confirmed: bool,
}

#[wasm_bindgen]
impl Contacts {
    /// As [`toJson`](Self::to_json) wrote them; none if left out.
    #[wasm_bindgen(constructor)]
    pub fn new(json: Option<String>) -> Result<Self, Thrown> {
        let Some(json) = json else { return Ok(Self::default()) };
        serde_json::from_str(&json).map(Self).map_err(|_| misuse("these are no pins"))
    }

    /// For keeping.
    #[wasm_bindgen(js_name = toJson)]
    pub fn to_json(&self) -> Result<String, Thrown> {
        serde_json::to_string(&self.0).map_err(|_| misuse("pins cannot be written"))
    }

    /// Chooses for one address among one's own and the kept certificates. Changes nothing.
    #[wasm_bindgen(unchecked_return_type = "ContactChoice")]
    pub fn choose(
        &self,
        address: &str,
        own: &Certificates,
        kept: &Certificates,
        now: f64,
    ) -> Result<JsValue, Thrown> {
        let address = parse(address)?;
        let choice = self.decide(&address, own, kept, now);
        typed(&self.description(&address, &choice, now))
    }

    /// The same for use: pins a first use and keeps a conflict in mind. `undefined` when there is nothing to use.
    pub fn take(
        &mut self,
        address: &str,
        own: &Certificates,
        kept: &Certificates,
        now: f64,
    ) -> Result<Option<CertificateHandle>, Thrown> {
        let choice = self.decide(&parse(address)?, own, kept, now);
        match choice.outcome {
            Outcome::Use { certificate, first_use } => {
                first_use.into_iter().for_each(|pin| self.0.record(pin));
                Ok(Some(CertificateHandle(*certificate)))
            }
            Outcome::Conflict(conflict) => {
                self.remember(&conflict, now);
                Ok(None)
            }
            Outcome::None => Ok(None),
        }
    }

    /// A person's decision: this certificate and no other is right.
    pub fn trust(&mut self, address: &str, fingerprint: &str, now: f64) -> Result<(), Thrown> {
        let (address, fingerprint) = (parse(address)?, fingerprint_of(fingerprint)?);
        self.0.trust(&address, &fingerprint, Source::Store, time(now));
        Ok(())
    }

    /// A person's decision: this certificate is not theirs.
    pub fn reject(&mut self, address: &str, fingerprint: &str, now: f64) -> Result<(), Thrown> {
        let (address, fingerprint) = (parse(address)?, fingerprint_of(fingerprint)?);
        self.0.reject(&address, &fingerprint, time(now));
        Ok(())
    }

    /// All pins.
    #[wasm_bindgen(unchecked_return_type = "ContactPin[]")]
    pub fn pins(&self) -> Result<JsValue, Thrown> {
        let pin = |pin: &plombe_core::recipients::Pin| ContactPin {
            address: pin.address.to_string(),
            fingerprint: pin.fingerprint.to_hex(),
            source: pin.source.to_string(),
            confirmed: pin.decision == plombe_core::recipients::Decision::Confirmed,
        };
        typed(&self.0.iter().map(pin).collect::<Vec<_>>())
    }

    /// Certificates whose signatures count: one's own, and the kept ones as far as they are believed.
    pub fn signers(&self, own: &Certificates, kept: &Certificates, now: f64) -> Certificates {
        let policy = CryptoPolicy::standard();
        let is_own = |one: &Certificate| own.0.iter().any(|known| known.fingerprint() == one.fingerprint());
        let believed = kept.0.iter().filter(|one| !is_own(one)).cloned();
        let believed = believed.filter_map(|one| self.0.believed(one, &policy, time(now)));
        Certificates(own.0.iter().cloned().chain(believed).collect())
    }
}

impl Contacts {
    fn decide(&self, address: &Address, own: &Certificates, kept: &Certificates, now: f64) -> Choice {
        let text = address.to_string().to_ascii_lowercase();
        let pinned = self.0.of(address).map(|pin| &pin.fingerprint);
        let about = |one: &&Certificate| {
            one.unverified_addresses().contains(&text) || pinned == Some(&one.fingerprint())
        };
        let candidate = |source: Source| {
            move |one: &Certificate| Candidate { certificate: one.clone(), source: source.clone() }
        };
        let own = own.0.iter().filter(about).map(candidate(Source::Own));
        let kept = kept.0.iter().filter(about).map(candidate(Source::Store));
        let candidates = own.chain(kept).collect();
        choose(address, candidates, &self.0, &CryptoPolicy::standard(), time(now))
    }

    fn description(&self, address: &Address, choice: &Choice, now: f64) -> ContactChoice {
        let (outcome, used, first_use) = match &choice.outcome {
            Outcome::Use { certificate, first_use } => {
                (ContactOutcome::Use, Some(certificate), first_use.is_some())
            }
            Outcome::Conflict(_) => (ContactOutcome::Conflict, None, false),
            Outcome::None => (ContactOutcome::None, None, false),
        };
        let pin = self.0.of(address);
        let policy = CryptoPolicy::standard();
        ContactChoice {
            address: address.to_string(),
            outcome,
            fingerprint: used.map(|certificate| certificate.fingerprint().to_hex()),
            first_use,
            confirmed: pin.is_some_and(|pin| pin.decision == plombe_core::recipients::Decision::Confirmed),
            reads_seipdv2: used
                .is_some_and(|certificate| certificate.describe(&policy, time(now)).reads_seipdv2),
            explanations: choice
                .explanations
                .iter()
                .map(|line| ContactExplanation {
                    fingerprint: line.fingerprint.to_hex(),
                    sources: line.sources.iter().map(Source::to_string).collect(),
                    problem: line.result.as_ref().err().map(|why| why.code().to_owned()),
                })
                .collect(),
        }
    }

    fn remember(&mut self, conflict: &Conflict, now: f64) {
        self.0.remember(conflict, time(now));
    }
}

fn parse(address: &str) -> Result<Address, Thrown> {
    Address::parse(address).map_err(|_| bad_address())
}

fn fingerprint_of(text: &str) -> Result<Fingerprint, Thrown> {
    text.parse().map_err(|_| misuse("not a fingerprint"))
}
