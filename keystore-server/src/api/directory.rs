// SPDX-License-Identifier: LGPL-2.0-or-later
//! Owners put the certificates of keys on their devices into the directory, and take them out.

use plombe_core::{
    cert::Certificate,
    keystore::{
        KeyFingerprint, ProblemCode,
        calls::directory::{
            InDirectory, ListPublished, PublishCertificate, PublishedCertificate, PublishedCertificates,
            WithdrawCertificate, Withdrawn,
        },
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    directory::{look_at, own_addresses},
    ledger::{Act, Effects, Scene},
    registry::{self, Fingerprints, Record},
};

/// Own statements only; one with post-quantum keys and years of rotations has some tens of kilobytes.
const LARGEST: usize = 128 * 1024;
/// Of one person.
const MOST: usize = 10;
/// Addresses that an entry of the log names.
const MOST_NAMED: usize = 10;

impl Serve for PublishCertificate {
    async fn serve(self, app: &App, caller: &Caller) -> Result<InDirectory, Failure> {
        let certificate = Certificate::parse(&self.certificate.0)
            .map_err(|error| Failure::new(ProblemCode::Unacceptable, error.to_string()))?;
        let act = Publish::prepare(app, caller, certificate)?;
        if act.certificate.len() > LARGEST {
            return Err(Failure::new(ProblemCode::TooLarge, "a certificate here has at most 128 KiB"));
        }
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

impl Serve for WithdrawCertificate {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Withdrawn, Failure> {
        Ok(app.ledger.ask(caller.ask(Withdraw(self.key))).await?.answer)
    }
}

impl Serve for ListPublished {
    async fn serve(self, app: &App, caller: &Caller) -> Result<PublishedCertificates, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        Ok(PublishedCertificates {
            certificates: registry.certificates_of(who.principal.id).map(describe).collect(),
        })
    }
}

/// A certificate as it is to stand in the directory.
struct Publish {
    id: KeyFingerprint,
    /// In whose place it comes; merged under no lock, so it must still be there.
    before: Option<registry::Certificate>,
    /// The owner's addresses in it; when there are none, whose addresses it claims.
    addresses: Vec<String>,
    certificate: Vec<u8>,
    subkeys: Fingerprints,
    revoked: bool,
}

impl Publish {
    /// Takes what concerns the caller's addresses, and merges it with what is there: nothing is lost, a revocation above all.
    fn prepare(app: &App, caller: &Caller, offered: Certificate) -> Result<Self, Failure> {
        let now = app.now();
        let id: KeyFingerprint = offered
            .fingerprint()
            .try_into()
            .map_err(|_| Failure::new(ProblemCode::Unacceptable, "versions 4 and 6 are published"))?;
        let (own, before) = {
            let registry = app.ledger.registry();
            let who = caller.even_pending(app, &registry)?.principal;
            let before = registry.certificate(&id).filter(|before| before.owner == who.id).cloned();
            (own_addresses(&registry, who), before)
        };
        let mut certificate = offered.filter_to_addresses(&own).map_err(unreadable)?;
        if let Some(before) = &before {
            let known = Certificate::parse(&before.certificate.0).map_err(unreadable)?;
            let known = known.filter_to_addresses(&own).map_err(unreadable)?;
            certificate = known.merge(certificate).map_err(unreadable)?;
        }
        let mut addresses = certificate.addresses(&app.policy, now);
        if addresses.is_empty() {
            addresses = offered.addresses(&app.policy, now);
        }
        addresses.truncate(MOST_NAMED);
        let (subkeys, revoked) = look_at(&certificate, &app.policy, now);
        Ok(Self { id, before, addresses, certificate: certificate.to_bytes(), subkeys, revoked })
    }
}

impl Act for Publish {
    type Answer = InDirectory;

    fn action(&self) -> Action {
        Action::PublishCertificate { key: self.id.clone(), addresses: self.addresses.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<InDirectory>, Refusal> {
        let who = scene.who()?.principal;
        if scene.registry.certificate(&self.id) != self.before.as_ref() {
            return Err(refusal::KEY_CHANGED_MEANWHILE.into());
        }
        if self.before.is_none() && scene.registry.certificates_of(who.id).count() >= MOST {
            return Err(refusal::TOO_MANY_CERTIFICATES.into());
        }
        let in_custody = |key: &KeyFingerprint| {
            scene.registry.key(key).or_else(|| scene.registry.key_of_subkey(key)).map(|key| key.owner)
        };
        if self.subkeys.iter().any(|key| in_custody(key) == Some(who.id)) {
            return Err(refusal::IN_CUSTODY.into());
        }
        // A subkey for encryption is easily claimed. Whoever claims somebody else's learns nothing of where it is, and nobody is led
        // from it to the certificate that claims it.
        let found = self.subkeys.iter().filter(|key| in_custody(key).is_none()).cloned();
        let subkeys = Fingerprints::from_iter(found);
        let now = seconds(scene.now);
        let certificate = registry::Certificate {
            id: self.id.clone(),
            tenant: who.tenant,
            owner: who.id,
            certificate: std::mem::take(&mut self.certificate).into(),
            subkeys,
            revoked: self.revoked,
            since: self.before.as_ref().map_or(now, |before| before.since),
            changed: now,
        };
        let answer = InDirectory {
            certificate: describe(&certificate),
            addresses: self.addresses.clone(),
            position: scene.position,
        };
        Ok(Effects { put: vec![Record::Certificate(certificate)], ..Effects::none(answer) })
    }
}

struct Withdraw(KeyFingerprint);

impl Act for Withdraw {
    type Answer = Withdrawn;

    fn action(&self) -> Action {
        Action::WithdrawCertificate { key: self.0.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Withdrawn>, Refusal> {
        let certificate = scene.registry.certificate(&self.0).ok_or(refusal::NOT_FOUND)?;
        let ended = vec![Record::Certificate(certificate.clone()).key()];
        Ok(Effects { ended, ..Effects::none(Withdrawn { position: scene.position }) })
    }
}

fn describe(certificate: &registry::Certificate) -> PublishedCertificate {
    PublishedCertificate {
        fingerprint: certificate.id.clone(),
        certificate: certificate.certificate.clone(),
        since: certificate.since,
        changed_at: certificate.changed,
    }
}

fn unreadable(error: plombe_core::cert::CertError) -> Failure {
    Failure::new(ProblemCode::Unacceptable, error.to_string())
}
