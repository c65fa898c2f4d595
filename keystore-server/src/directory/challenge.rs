// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is done for somebody whom nobody knows: ask by mail, believe the answer, let a certificate end. Each is an act of the keystore itself,
//! decided under the log's lock and on record before it happens. What is refused is counted.

use plombe_core::{
    cert::{Certificate, Unusable},
    crypto_policy::CryptoPolicy,
    keystore::{Bytes, KeyFingerprint, TenantId, fields},
    recipients::Address,
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    ledger::{Act, Effects, Scene},
    registry::{Challenge, ChallengeStanding, Fingerprints, MailProven, Record, Registry},
};

/// Challenges count for a day.
const DAY: u64 = 24 * 3600;

/// What the link of a challenge mail is good for: the token is in the mail alone, its hash is on record.
pub(super) fn hash(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(fields(&[b"plombe keystore challenge token v1", token])).into()
}

/// The challenge of a token's hash, if it is still open.
pub(super) fn open(registry: &Registry, hash: &[u8; 32], now: u64) -> Option<Challenge> {
    let mut known = registry.challenges().filter(|challenge| challenge.is_open(now));
    known.find(|challenge| challenge.hash.ct_eq(hash).into()).cloned()
}

/// One mail, to ask whether somebody reads it.
pub struct SendChallenge {
    pub(super) to: Address,
    pub(super) key: KeyFingerprint,
    /// With that address and no other.
    pub(super) certificate: Bytes,
    /// That it binds.
    pub(super) subkeys: Fingerprints,
    pub(super) hash: [u8; 32],
    pub(super) mail: Vec<u8>,
    pub(super) link_seconds: u64,
    pub(super) per_mailbox: u32,
    pub(super) per_day: u32,
}

impl SendChallenge {
    /// Whom it goes to.
    pub fn to(&self) -> &Address {
        &self.to
    }

    /// The mail.
    pub fn mail(&self) -> &[u8] {
        &self.mail
    }

    /// For when it could not be sent.
    pub(super) fn failed(&self) -> Failed {
        Failed { key: self.key.clone(), address: self.to.to_string(), hash: self.hash }
    }
}

impl Act for SendChallenge {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SendChallenge { key: self.key.clone(), address: self.to.to_string() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let registry = scene.registry;
        let tenant = may_be_shown(registry, &self.to, &self.key, &self.subkeys)?;
        let now = seconds(scene.now);
        let is_recent = |challenge: &&Challenge| now < challenge.sent.saturating_add(DAY);
        let own = || registry.challenges().filter(|challenge| challenge.tenant == tenant);
        let mailbox = mailbox(&self.to);
        let to_mailbox = |challenge: &&Challenge| {
            // What could not be sent has not bothered anybody.
            challenge.standing != ChallengeStanding::Failed
                && Address::parse(&challenge.address).is_ok_and(|to| self::mailbox(&to) == mailbox)
        };
        let is_too_many = |count: usize, most: u32| count >= usize::try_from(most).unwrap_or(usize::MAX);
        if is_too_many(own().filter(is_recent).count(), self.per_day)
            || is_too_many(own().filter(is_recent).filter(to_mailbox).count(), self.per_mailbox)
        {
            return Err(refusal::CHALLENGE_TOO_MANY.into());
        }
        let challenge = Challenge {
            hash: self.hash,
            tenant,
            address: self.to.to_string(),
            key: self.key.clone(),
            certificate: self.certificate.clone(),
            sent: now,
            expires: now + self.link_seconds,
            standing: ChallengeStanding::Open,
        };
        let ended =
            own().filter(|old| !is_recent(old)).map(|old| Record::Challenge(old.clone()).key()).collect();
        Ok(Effects { put: vec![Record::Challenge(challenge)], ended, ..Effects::none(()) })
    }
}

/// The mail server did not take it.
pub(super) struct Failed {
    key: KeyFingerprint,
    address: String,
    hash: [u8; 32],
}

impl Act for Failed {
    type Answer = ();

    fn action(&self) -> Action {
        Action::ChallengeFailed { key: self.key.clone(), address: self.address.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let challenge = scene.registry.challenge(&self.hash).ok_or(refusal::CHALLENGE_UNKNOWN)?;
        let over = challenge.over(ChallengeStanding::Failed);
        Ok(Effects { put: vec![Record::Challenge(over)], ..Effects::none(()) })
    }
}

/// Somebody came back with the token.
pub(super) struct Confirm {
    pub(super) challenge: Challenge,
    pub(super) policy: CryptoPolicy,
}

impl Act for Confirm {
    type Answer = ();

    fn action(&self) -> Action {
        Action::ConfirmAddress { key: self.challenge.key.clone(), address: self.challenge.address.clone() }
    }

    /// Much may have happened since the mail was sent: everything is looked at again.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let now = seconds(scene.now);
        let challenge = open(scene.registry, &self.challenge.hash, now).ok_or(refusal::CHALLENGE_UNKNOWN)?;
        let unknown = || Refusal::from(refusal::CHALLENGE_UNKNOWN);
        let address = Address::parse(&challenge.address).map_err(|_| unknown())?;
        let certificate = Certificate::parse(&challenge.certificate.0).map_err(|_| unknown())?;
        let (subkeys, revoked) = look_at(&certificate, &self.policy, scene.now);
        let tenant = may_be_shown(scene.registry, &address, &challenge.key, &subkeys)?;
        let proven = MailProven {
            place: MailProven::place_of(&address),
            tenant,
            address: challenge.address.clone(),
            key: challenge.key.clone(),
            certificate: challenge.certificate.clone(),
            subkeys,
            revoked,
            since: now,
            changed: now,
        };
        let used = challenge.over(ChallengeStanding::Used);
        Ok(Effects { put: vec![Record::MailProven(proven), Record::Challenge(used)], ..Effects::none(()) })
    }
}

/// A certificate ends by its own word. No mail is needed for that: only who has the key can have said it.
pub(super) struct RevokeByUpload {
    pub(super) key: KeyFingerprint,
    pub(super) uploaded: Certificate,
    pub(super) policy: CryptoPolicy,
}

impl Act for RevokeByUpload {
    type Answer = ();

    fn action(&self) -> Action {
        Action::RevokeByUpload { key: self.key.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let now = seconds(scene.now);
        let known = scene.registry.mail_proven_of_key(&self.key);
        let known = known.filter(|proven| proven.key == self.key && !proven.revoked);
        let known = known.filter(|proven| scene.registry.stops(proven.tenant).is_none());
        let ended = known.filter_map(|proven| {
            let before = Certificate::parse(&proven.certificate.0).ok()?;
            let after = before.merge_revocation(&self.uploaded).ok()?;
            let (_, revoked) = look_at(&after, &self.policy, scene.now);
            let certificate = after.to_bytes().into();
            revoked.then(|| {
                Record::MailProven(MailProven { certificate, revoked, changed: now, ..proven.clone() })
            })
        });
        let put: Vec<Record> = ended.collect();
        if put.is_empty() {
            Err(refusal::NOTHING_TO_REVOKE.into())
        } else {
            Ok(Effects { put, ..Effects::none(()) })
        }
    }
}

/// May a certificate be shown for an address that nobody has answered for but its mailbox? In whose domain?
///
/// A subkey for encryption is easily claimed, and who has it opens the mail without having made the certificate: a
/// principal's is nobody else's.
fn may_be_shown(
    registry: &Registry,
    address: &Address,
    key: &KeyFingerprint,
    subkeys: &Fingerprints,
) -> Result<TenantId, Refusal> {
    let tenant = registry.tenant_of_address(&address.to_string()).ok_or(refusal::CHALLENGE_ELSEWHERE)?;
    // A restored older state may have forgotten whose an address is.
    if registry.stops(tenant.id).is_some() {
        return Err(refusal::HISTORY_LOST.into());
    }
    if registry.owner_of_mailbox(address).is_some() {
        return Err(refusal::CHALLENGE_OF_PRINCIPAL.into());
    }
    if registry.mail_proven_at(&MailProven::place_of(address)).is_some() {
        return Err(refusal::CHALLENGE_ADDRESS_TAKEN.into());
    }
    let is_principals = |key: &KeyFingerprint| {
        registry.certificate(key).is_some()
            || registry.certificates_of_subkey(key).next().is_some()
            || in_custody(registry, key)
    };
    if is_principals(key) || subkeys.iter().any(is_principals) {
        return Err(refusal::CHALLENGE_KEY_OF_PRINCIPAL.into());
    }
    Ok(tenant.id)
}

fn in_custody(registry: &Registry, key: &KeyFingerprint) -> bool {
    registry.key(key).or_else(|| registry.key_of_subkey(key)).is_some()
}

/// What gets the mail, as far as one can tell from the address: no tags, no case.
fn mailbox(address: &Address) -> String {
    MailProven::mailbox_of(address).as_ref().unwrap_or(address).to_string().to_ascii_lowercase()
}

/// Subkeys that a certificate binds, and whether it is over.
pub(crate) fn look_at(
    certificate: &Certificate,
    policy: &CryptoPolicy,
    now: std::time::SystemTime,
) -> (Fingerprints, bool) {
    let described = certificate.describe(policy, now);
    let bound = described.keys.into_iter().skip(1).filter(|key| key.state != Err(Unusable::Invalid));
    let subkeys = bound.filter_map(|key| key.fingerprint.try_into().ok()).collect();
    (subkeys, described.state == Err(Unusable::Revoked))
}

#[cfg(test)]
mod tests;
