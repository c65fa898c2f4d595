// SPDX-License-Identifier: LGPL-2.0-or-later
//! The decision: one certificate, a conflict, or none; and for each candidate why.

use std::{fmt, time::SystemTime};

use super::{Address, Decision, Pin, Pins, Source};
use crate::{
    Fingerprint,
    cert::{Certificate, Unusable},
    crypto_policy::CryptoPolicy,
};

/// A certificate that may be the one, and where it was found.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As it was found.
    pub certificate: Certificate,
    /// Where.
    pub source: Source,
}

/// What to do for one address, and why.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The decision.
    pub outcome: Outcome,
    /// One per certificate that was looked at, the best source first.
    pub explanations: Vec<Explanation>,
}

/// The decision.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Seal for this certificate: everything that the candidates know about it, merged.
    Use {
        /// What was chosen.
        certificate: Box<Certificate>,
        /// Set on first use: keep it with [`Pins::record`], so that a later change is noticed.
        first_use: Option<Pin>,
    },
    /// A person has to decide.
    Conflict(Conflict),
    /// None of them can be used.
    None,
}

/// The certificates of an address contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Whose.
    pub address: Address,
    /// What was used until now, and whether it still could be.
    pub pinned: Option<(Fingerprint, Result<(), Unusable>)>,
    /// What is offered instead, the best source first.
    pub offered: Vec<(Fingerprint, Source)>,
}

/// What became of one certificate.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Of its primary key.
    pub fingerprint: Fingerprint,
    /// Everywhere that it was found, the best source first.
    pub sources: Vec<Source>,
    /// Chosen, or why not.
    pub result: Result<(), NotUsed>,
}

/// Why a certificate was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotUsed {
    /// It does not say that it belongs to the address, or not validly.
    #[error("the address is not in a user ID that is valid")]
    AddressMissing,
    /// Nothing can be sealed for it.
    #[error("nothing can be sealed for it: {0}")]
    Unusable(Unusable),
    /// A person said so.
    #[error("it was rejected for this address (`plombe key trust` takes that back)")]
    Rejected,
    /// Another one is pinned, and nobody vouches for this one.
    #[error("another certificate is pinned, and nobody vouches for this one")]
    AnotherIsPinned,
    /// Another one comes from a better source.
    #[error("another certificate comes from a better source")]
    BetterSource,
    /// Another one from the same source is newer.
    #[error("the same source has a newer one")]
    Newer,
    /// A person has to decide about it.
    #[error("it contradicts another certificate; `plombe key trust` decides")]
    InConflict,
}

/// Chooses among `candidates` the certificate to seal for `address` with.
///
/// * A certificate must carry the address in a valid user ID and be usable; several copies of one are merged first.
/// * For our own address our own certificate is used, the newest if there are several.
/// * The first certificate for an address is pinned. From then on only its primary key will do; newer versions of it
///   (extended, with new subkeys) are taken over.
/// * A different primary key is a conflict when somebody vouches for it (the domain by WKD, a verifying key server),
///   or when the pinned certificate cannot be used any more. A person's rejection ends it.
/// * On first use the best source wins; within a source that vouches, the newest; two that nobody vouches for are a
///   conflict.
pub fn choose(
    address: &Address,
    candidates: Vec<Candidate>,
    pins: &Pins,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Choice {
    let mut certificates: Vec<Considered> = merged(address, candidates, pins)
        .into_iter()
        .map(|(certificate, sources)| Considered {
            state: state(address, &certificate, pins, policy, now),
            certificate,
            sources,
        })
        .collect();
    certificates.sort_by_key(|considered| considered.sources[0].rank());

    let is_own = |considered: &Considered| considered.sources[0] == Source::Own && considered.state.is_ok();
    let outcome = match pins.of(address) {
        _ if certificates.iter().any(is_own) => own(&mut certificates),
        Some(pin) => with_pin(pin, &mut certificates),
        None => first_use(address, &mut certificates, now),
    };
    let explanations = certificates.into_iter().map(Considered::explain).collect();
    Choice { outcome, explanations }
}

/// A certificate on its way through the decision.
struct Considered {
    certificate: Certificate,
    sources: Vec<Source>,
    /// `Ok` means still in the running, and in the end chosen.
    state: Result<(), NotUsed>,
}

impl Considered {
    fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    fn offer(&self) -> (Fingerprint, Source) {
        (self.fingerprint(), self.sources[0].clone())
    }

    fn vouched_for(&self) -> bool {
        self.sources.iter().any(Source::vouches)
    }

    fn explain(self) -> Explanation {
        Explanation { fingerprint: self.fingerprint(), sources: self.sources, result: self.state }
    }
}

/// Copies of one certificate become one, with all its sources, the best first. Where one that waits for a decision
/// came from is remembered, although it may come from the store this time.
fn merged(address: &Address, candidates: Vec<Candidate>, pins: &Pins) -> Vec<(Certificate, Vec<Source>)> {
    let mut all: Vec<(Certificate, Vec<Source>)> = Vec::new();
    for candidate in candidates {
        let fingerprint = candidate.certificate.fingerprint();
        match all.iter_mut().find(|(known, _)| known.fingerprint() == fingerprint) {
            Some((known, sources)) => {
                let both = known.clone().merge(candidate.certificate);
                *known = both.expect("merging fails only for different fingerprints");
                sources.push(candidate.source);
            }
            None => all.push((candidate.certificate, vec![candidate.source])),
        }
    }
    for (certificate, sources) in &mut all {
        let fingerprint = certificate.fingerprint();
        sources.extend(pins.offers_of(address, &fingerprint).map(|offer| offer.source.clone()));
        sources.sort();
        sources.dedup();
    }
    all
}

fn state(
    address: &Address,
    certificate: &Certificate,
    pins: &Pins,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Result<(), NotUsed> {
    if pins.is_rejected(address, &certificate.fingerprint()) {
        return Err(NotUsed::Rejected);
    }
    if !certificate.has_address(address, policy, now) {
        return Err(NotUsed::AddressMissing);
    }
    certificate.can_encrypt(policy, now).map_err(NotUsed::Unusable)
}

/// Whoever holds the secret key knows best; nothing to pin, nobody to ask.
fn own(certificates: &mut [Considered]) -> Outcome {
    let mut own: Vec<&mut Considered> = Vec::new();
    for considered in certificates.iter_mut().filter(|considered| considered.state.is_ok()) {
        if considered.sources[0] == Source::Own {
            own.push(considered);
        } else {
            considered.state = Err(NotUsed::BetterSource);
        }
    }
    own.sort_by_key(|considered| std::cmp::Reverse(considered.certificate.created()));
    own.iter_mut().skip(1).for_each(|considered| considered.state = Err(NotUsed::Newer));
    Outcome::Use { certificate: Box::new(own[0].certificate.clone()), first_use: None }
}

fn with_pin(pin: &Pin, certificates: &mut [Considered]) -> Outcome {
    let pinned = certificates.iter().find(|considered| considered.fingerprint() == pin.fingerprint);
    let pinned_state = pinned.map_or(Err(NotUsed::Unusable(Unusable::Invalid)), |pinned| pinned.state);
    let chosen = pinned.filter(|pinned| pinned.state.is_ok()).map(|pinned| pinned.certificate.clone());

    let mut offered = Vec::new();
    for other in certificates.iter_mut().filter(|considered| considered.fingerprint() != pin.fingerprint) {
        if other.state.is_err() {
            continue;
        }
        // What nobody vouches for cannot stop mail that would otherwise go out.
        if chosen.is_none() || other.vouched_for() {
            offered.push(other.offer());
            other.state = Err(NotUsed::InConflict);
        } else {
            other.state = Err(NotUsed::AnotherIsPinned);
        }
    }
    if !offered.is_empty() {
        for considered in certificates.iter_mut().filter(|considered| considered.state.is_ok()) {
            considered.state = Err(NotUsed::InConflict);
        }
        let pinned_state = match pinned_state {
            Ok(()) => Ok(()),
            Err(NotUsed::Unusable(reason)) => Err(reason),
            Err(_) => Err(Unusable::Invalid),
        };
        return Outcome::Conflict(Conflict {
            address: pin.address.clone(),
            pinned: Some((pin.fingerprint.clone(), pinned_state)),
            offered,
        });
    }
    match chosen {
        Some(certificate) => Outcome::Use { certificate: Box::new(certificate), first_use: None },
        None => Outcome::None,
    }
}

fn first_use(address: &Address, certificates: &mut [Considered], now: SystemTime) -> Outcome {
    let usable = |considered: &&mut Considered| considered.state.is_ok();
    let Some(best) = certificates.iter().find(|considered| considered.state.is_ok()) else {
        return Outcome::None;
    };
    let rank = best.sources[0].rank();
    let vouched_for = best.vouched_for();

    let mut same_rank: Vec<&mut Considered> = Vec::new();
    for considered in certificates.iter_mut().filter(usable) {
        if considered.sources[0].rank() == rank {
            same_rank.push(considered);
        } else {
            considered.state = Err(NotUsed::BetterSource);
        }
    }
    if same_rank.len() > 1 && !vouched_for {
        let offered = same_rank.iter().map(|considered| considered.offer()).collect();
        same_rank.iter_mut().for_each(|considered| considered.state = Err(NotUsed::InConflict));
        return Outcome::Conflict(Conflict { address: address.clone(), pinned: None, offered });
    }
    same_rank.sort_by_key(|considered| std::cmp::Reverse(considered.certificate.created()));
    same_rank.iter_mut().skip(1).for_each(|considered| considered.state = Err(NotUsed::Newer));
    let chosen = &same_rank[0];
    let pin = Pin {
        address: address.clone(),
        fingerprint: chosen.fingerprint(),
        source: chosen.sources[0].clone(),
        first_seen: now,
        decision: Decision::FirstUse,
    };
    Outcome::Use { certificate: Box::new(chosen.certificate.clone()), first_use: Some(pin) }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offered =
            self.offered.iter().map(|(fingerprint, source)| format!("{fingerprint} (from {source})"));
        let offered = offered.collect::<Vec<_>>().join(", ");
        match &self.pinned {
            Some((pinned, Ok(()))) => write!(
                f,
                "the certificate for {} changed: until now it was {pinned}, now there is {offered}",
                self.address
            ),
            Some((pinned, Err(reason))) => write!(
                f,
                "the certificate for {} cannot be used any more ({pinned}: {reason}); there is {offered}",
                self.address
            ),
            None => write!(f, "there are several certificates for {}: {offered}", self.address),
        }
    }
}
