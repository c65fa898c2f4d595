// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which key of a certificate seals, signs and opens; and if none does, why.

use std::time::SystemTime;

use openpgp::{
    cert::{
        Preferences as _, ValidCert,
        amalgamation::{ValidAmalgamation as _, key::PrimaryKey as _},
        prelude::ValidErasedKeyAmalgamation,
    },
    crypto::KeyPair,
    packet::{
        Key,
        key::{PublicParts, UnspecifiedRole},
    },
    policy::{AsymmetricAlgorithm, StandardPolicy},
    types::{HashAlgorithm, KeyFlags, RevocationStatus},
};
use sequoia_openpgp as openpgp;

use super::{Certificate, Tsk};
use crate::{Fingerprint, crypto_policy::CryptoPolicy};

/// Why a certificate cannot be used for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its owner, or their revocation certificate, ended it.
    #[error("it was revoked")]
    Revoked,
    /// No subkey with that capability.
    #[error("it has no key for this")]
    NoKey,
    /// Algorithms or sizes that our crypto policy refuses.
    #[error("it relies on algorithms that are no longer safe")]
    Weak,
    /// Made in the future: a wrong clock, here or there.
    #[error("it is not valid yet; check the clock")]
    NotYetValid,
    /// Nothing in it is signed by its own primary key.
    #[error("it has no valid signature of its own")]
    Invalid,
    /// Nothing wrong with it, but this build has no code for it.
    #[error("it uses an algorithm that this build does not support")]
    Unsupported,
    /// The capability is there, the secret key is not (offline, or on a card).
    #[error("its secret key is not here")]
    NoSecret,
}

/// What a key is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capability {
    Encrypt,
    Sign,
}

impl Capability {
    pub(super) fn in_flags(self, flags: &KeyFlags) -> bool {
        match self {
            Self::Encrypt => flags.for_transport_encryption() || flags.for_storage_encryption(),
            Self::Sign => flags.for_signing(),
        }
    }
}

impl Certificate {
    /// Can mail be sealed for this certificate at `now`?
    pub fn can_encrypt(&self, policy: &CryptoPolicy, now: SystemTime) -> Result<(), Unusable> {
        self.encryption_key(policy, now).map(drop)
    }

    /// Would a signature that this certificate makes at `now` be worth anything?
    pub fn can_sign(&self, policy: &CryptoPolicy, now: SystemTime) -> Result<(), Unusable> {
        newest(&self.cert, policy, now, Capability::Sign, |_| true).map(drop)
    }

    /// The key that a session key is wrapped to: the newest that is valid. Older ones stay out, since wrapping to
    /// several makes a message as weak as the weakest of them (a post-quantum subkey beside an old one, say).
    pub(crate) fn encryption_key(
        &self,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Key<PublicParts, UnspecifiedRole>, Unusable> {
        newest(&self.cert, policy, now, Capability::Encrypt, |_| true)
    }

    /// The key that signs at `now`: the newest that is valid and among `held`, the keys that a keystore signs with.
    pub(crate) fn signing_key_among(
        &self,
        held: &[Fingerprint],
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Key<PublicParts, UnspecifiedRole>, Unusable> {
        newest(&self.cert, policy, now, Capability::Sign, |key| held.contains(&key.fingerprint()))
    }

    /// Does its holder's software say that it reads SEIPDv2?
    pub(crate) fn reads_seipdv2(&self, policy: &CryptoPolicy, now: SystemTime) -> bool {
        let valid = self.cert.with_policy(policy.sequoia(), now);
        valid.ok().and_then(|valid| valid.features()).is_some_and(|features| features.supports_seipdv2())
    }
}

impl Tsk {
    /// The key that signs mail at `now`: the newest that is valid and whose secret is here.
    pub(crate) fn signing_key(&self, policy: &CryptoPolicy, now: SystemTime) -> Result<KeyPair, Unusable> {
        let public = newest(&self.cert, policy, now, Capability::Sign, |key| key.has_unencrypted_secret())?;
        let secret =
            self.cert.keys().unencrypted_secret().find(|key| key.key().fingerprint() == public.fingerprint());
        secret.ok_or(Unusable::NoSecret)?.key().clone().into_keypair().map_err(|_| Unusable::NoSecret)
    }

    /// Every key that may open a message, whether or not it is still valid: old mail stays readable. A key that never
    /// was meant for encryption opens nothing, so that a signing key cannot be used as a decryption oracle.
    pub(crate) fn decryption_keys(&self) -> Vec<KeyPair> {
        let meant_for_it =
            |flags: Option<KeyFlags>| flags.is_none_or(|flags| Capability::Encrypt.in_flags(&flags));
        let primary = self.cert.primary_key();
        let primary_is = primary.self_signatures().any(|sig| meant_for_it(sig.key_flags()))
            || self
                .cert
                .userids()
                .any(|user_id| user_id.self_signatures().any(|sig| meant_for_it(sig.key_flags())));
        let keys = self.cert.keys().unencrypted_secret().filter(|key| {
            key.key().pk_algo().for_encryption()
                && match key.primary() {
                    true => primary_is,
                    false => key.self_signatures().any(|sig| meant_for_it(sig.key_flags())),
                }
        });
        keys.filter_map(|key| key.key().clone().into_keypair().ok()).collect()
    }
}

/// The newest key of `cert` that is good for `capability` at `now`, or the most useful reason why there is none.
fn newest(
    cert: &openpgp::Cert,
    policy: &CryptoPolicy,
    now: SystemTime,
    capability: Capability,
    wanted: impl Fn(&Key<PublicParts, UnspecifiedRole>) -> bool,
) -> Result<Key<PublicParts, UnspecifiedRole>, Unusable> {
    let valid = valid(cert, policy, now)?;
    let mut reason = None;
    let mut best: Option<ValidErasedKeyAmalgamation<PublicParts>> = None;
    for key in valid.keys().filter(|key| has(key, capability)) {
        if let Err(unusable) = usable(&key, now) {
            reason.get_or_insert(unusable);
        } else if !secret_of(cert, &key, &wanted) {
            reason = Some(Unusable::NoSecret);
        } else if best.as_ref().is_none_or(|best| rank(&key) >= rank(best)) {
            best = Some(key);
        }
    }
    match best {
        Some(key) => Ok(key.key().clone()),
        None => Err(reason.unwrap_or_else(|| why_no_key(cert, now, capability))),
    }
}

/// `ValidCert::keys` shows public parts only; `wanted` may ask for the secret one.
fn secret_of(
    cert: &openpgp::Cert,
    key: &ValidErasedKeyAmalgamation<PublicParts>,
    wanted: impl Fn(&Key<PublicParts, UnspecifiedRole>) -> bool,
) -> bool {
    cert.keys().any(|own| own.key().fingerprint() == key.key().fingerprint() && wanted(own.key()))
}

/// Newest first; of two made together the subkey, which can be replaced without a new identity.
fn rank(key: &ValidErasedKeyAmalgamation<PublicParts>) -> (SystemTime, bool) {
    (key.key().creation_time(), !key.primary())
}

fn has(key: &ValidErasedKeyAmalgamation<PublicParts>, capability: Capability) -> bool {
    key.key_flags().is_some_and(|flags| capability.in_flags(&flags))
}

pub(super) fn usable(key: &ValidErasedKeyAmalgamation<PublicParts>, now: SystemTime) -> Result<(), Unusable> {
    if matches!(key.revocation_status(), RevocationStatus::Revoked(_)) {
        Err(Unusable::Revoked)
    } else if key.key().creation_time() > now {
        Err(Unusable::NotYetValid)
    } else if key.alive().is_err() {
        Err(Unusable::Expired)
    } else if !key.key().pk_algo().is_supported() {
        Err(Unusable::Unsupported)
    } else {
        Ok(())
    }
}

/// The certificate as our crypto policy sees it at `now`, provided that it is alive as a whole.
pub(super) fn valid<'a>(
    cert: &'a openpgp::Cert,
    policy: &'a CryptoPolicy,
    now: SystemTime,
) -> Result<ValidCert<'a>, Unusable> {
    let valid = standing(cert, policy, now)?;
    if valid.alive().is_err() { Err(Unusable::Expired) } else { Ok(valid) }
}

/// As [`valid`], but an expired certificate will do: it can be brought back.
pub(super) fn standing<'a>(
    cert: &'a openpgp::Cert,
    policy: &'a CryptoPolicy,
    now: SystemTime,
) -> Result<ValidCert<'a>, Unusable> {
    // Revocation first: a revoked certificate is revoked whatever else is wrong with it.
    if matches!(cert.revocation_status(policy.sequoia(), now), RevocationStatus::Revoked(_)) {
        return Err(Unusable::Revoked);
    }
    if cert.primary_key().key().creation_time() > now {
        return Err(Unusable::NotYetValid);
    }
    cert.with_policy(policy.sequoia(), now).map_err(|_| {
        let lenient = lenient();
        match cert.with_policy(&lenient, now) {
            Ok(_) => Unusable::Weak,
            Err(_) if !cert.primary_key().key().pk_algo().is_supported() => Unusable::Unsupported,
            Err(_) => Unusable::Invalid,
        }
    })
}

/// No key with this capability under our policy; was there one under no policy at all?
fn why_no_key(cert: &openpgp::Cert, now: SystemTime, capability: Capability) -> Unusable {
    let lenient = lenient();
    let weak =
        cert.with_policy(&lenient, now).is_ok_and(|valid| valid.keys().any(|key| has(&key, capability)));
    if weak { Unusable::Weak } else { Unusable::NoKey }
}

/// Accepts what was ever in use. For explaining refusals; nothing is sealed, signed or verified by it.
pub(super) fn lenient() -> StandardPolicy<'static> {
    // As of the beginning of time, not of the clock: core has none.
    let mut policy = StandardPolicy::at(SystemTime::UNIX_EPOCH);
    for hash in [HashAlgorithm::MD5, HashAlgorithm::SHA1, HashAlgorithm::RipeMD] {
        policy.accept_hash(hash);
    }
    AsymmetricAlgorithm::variants().for_each(|algorithm| policy.accept_asymmetric_algo(algorithm));
    policy
}
