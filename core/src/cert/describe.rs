// SPDX-License-Identifier: LGPL-2.0-or-later
//! A certificate taken apart for people to look at.

use std::time::SystemTime;

use openpgp::{
    cert::{
        Preferences as _,
        amalgamation::ValidateAmalgamation as _,
        prelude::{ErasedKeyAmalgamation, UserIDAmalgamation, ValidErasedKeyAmalgamation},
    },
    packet::key::PublicParts,
    types::{KeyFlags, RevocationStatus},
};
use sequoia_openpgp as openpgp;

use super::{Certificate, LockedTsk, Unusable, usable};
use crate::{Fingerprint, crypto_policy::CryptoPolicy, recipients::Address};

/// What there is to know about a certificate at one moment.
#[derive(Clone, Debug)]
pub struct Description {
    /// Identity.
    pub fingerprint: Fingerprint,
    /// 4 or 6.
    pub version: u8,
    /// When the primary key says it was made.
    pub created: SystemTime,
    /// `None` is never.
    pub expires: Option<SystemTime>,
    /// Good as a whole, or why not.
    pub state: Result<(), Unusable>,
    /// Its holder's software says that it reads SEIPDv2 (AEAD).
    pub reads_seipdv2: bool,
    /// In the certificate's order, the primary one first; revoked and unsound ones too.
    pub user_ids: Vec<UserIdDescription>,
    /// The primary key first, then the subkeys, whatever they are worth.
    pub keys: Vec<KeyDescription>,
}

/// One user ID.
#[derive(Clone, Debug)]
pub struct UserIdDescription {
    /// As it stands there. Anybody may have written it: strip control characters before it is shown.
    pub text: String,
    /// The mail address in it.
    pub address: Option<Address>,
    /// Good, or why not.
    pub state: Result<(), Unusable>,
}

/// The primary key or a subkey.
#[derive(Clone, Debug)]
pub struct KeyDescription {
    /// Identity.
    pub fingerprint: Fingerprint,
    /// `EdDSA (Ed25519)`, `RSA 3072`, …
    pub algorithm: String,
    /// When it says it was made.
    pub created: SystemTime,
    /// `None` when it ends with the certificate only.
    pub expires: Option<SystemTime>,
    /// What it is for.
    pub capabilities: Capabilities,
    /// Good, or why not.
    pub state: Result<(), Unusable>,
}

/// What a key is for, as the certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// May certify: bind subkeys and user IDs, revoke.
    pub certify: bool,
    /// May sign content.
    pub sign: bool,
    /// May be sealed to.
    pub encrypt: bool,
    /// May log in somewhere (SSH, TLS).
    pub authenticate: bool,
}

/// Where a secret key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// Here, in the open.
    Open,
    /// Here, under a passphrase.
    Locked,
    /// A stub: on a card or kept offline.
    Stub,
    /// Not here.
    Missing,
}

impl Certificate {
    /// Takes the certificate apart, as it stands at `now`.
    pub fn describe(&self, policy: &CryptoPolicy, now: SystemTime) -> Description {
        let primary = self.cert.primary_key();
        let valid = self.cert.with_policy(policy.sequoia(), now).ok();
        let mut user_ids: Vec<(bool, UserIdDescription)> = Vec::new();
        let primary_user_id = valid.as_ref().and_then(|valid| valid.primary_userid().ok());
        for user_id in self.cert.userids() {
            let is_primary =
                primary_user_id.as_ref().is_some_and(|primary| primary.userid() == user_id.userid());
            user_ids.push((!is_primary, describe_user_id(&user_id, policy, now)));
        }
        user_ids.sort_by_key(|(not_primary, _)| *not_primary);
        Description {
            fingerprint: self.fingerprint(),
            version: self.version(),
            created: primary.key().creation_time(),
            expires: valid.as_ref().and_then(|valid| valid.primary_key().key_expiration_time()),
            state: usable::valid(&self.cert, policy, now).map(drop),
            reads_seipdv2: valid
                .as_ref()
                .and_then(|valid| valid.features())
                .is_some_and(|features| features.supports_seipdv2()),
            user_ids: user_ids.into_iter().map(|(_, description)| description).collect(),
            keys: self.cert.keys().map(|key| describe_key(&key, policy, now)).collect(),
        }
    }
}

impl LockedTsk {
    /// Where the secret part of each key is, the primary key first.
    pub fn secrets(&self) -> Vec<(Fingerprint, SecretState)> {
        use openpgp::packet::key::SecretKeyMaterial as Secret;
        let state = |secret: Option<&Secret>| match secret {
            None => SecretState::Missing,
            Some(Secret::Unencrypted(_)) => SecretState::Open,
            Some(Secret::Encrypted(encrypted)) if encrypted.s2k().is_supported() => SecretState::Locked,
            Some(Secret::Encrypted(_)) => SecretState::Stub,
        };
        self.cert.keys().map(|key| (key.key().fingerprint(), state(key.key().optional_secret()))).collect()
    }
}

fn describe_user_id(
    user_id: &UserIDAmalgamation<'_>,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> UserIdDescription {
    let revoked = user_id.revocation_status(policy.sequoia(), now);
    let state = if matches!(revoked, RevocationStatus::Revoked(_)) {
        Err(Unusable::Revoked)
    } else if user_id.binding_signature(policy.sequoia(), now).is_ok() {
        Ok(())
    } else if user_id.binding_signature(&usable::lenient(), now).is_ok() {
        Err(Unusable::Weak)
    } else {
        Err(Unusable::Invalid)
    };
    UserIdDescription {
        text: String::from_utf8_lossy(user_id.userid().value()).into_owned(),
        address: Address::of_user_id(user_id.userid()),
        state,
    }
}

fn describe_key(
    key: &ErasedKeyAmalgamation<'_, PublicParts>,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> KeyDescription {
    let lenient = usable::lenient();
    let strict = key.with_policy(policy.sequoia(), now);
    let state = match (&strict, key.with_policy(&lenient, now)) {
        (Ok(valid), _) => usable::usable(valid, now),
        _ if key.key().creation_time() > now => Err(Unusable::NotYetValid),
        (Err(_), Ok(valid)) if usable::usable(&valid, now) == Err(Unusable::Revoked) => {
            Err(Unusable::Revoked)
        }
        (Err(_), Ok(_)) => Err(Unusable::Weak),
        _ if !key.key().pk_algo().is_supported() => Err(Unusable::Unsupported),
        _ => Err(Unusable::Invalid),
    };
    let valid = strict.or_else(|_| key.with_policy(&lenient, now)).ok();
    let expires = |valid: &ValidErasedKeyAmalgamation<PublicParts>| valid.key_expiration_time();
    KeyDescription {
        fingerprint: key.key().fingerprint(),
        algorithm: algorithm(key),
        created: key.key().creation_time(),
        expires: valid.as_ref().and_then(expires),
        capabilities: capabilities(valid.as_ref().and_then(|valid| valid.key_flags())),
        state,
    }
}

/// The name that people know, with what tells a strong key from a weak one.
pub(super) fn algorithm(key: &ErasedKeyAmalgamation<'_, PublicParts>) -> String {
    use openpgp::crypto::mpi::PublicKey as K;
    let name = key.key().pk_algo();
    match key.key().mpis() {
        K::RSA { n, .. } => format!("RSA {}", n.bits()),
        K::DSA { p, .. } => format!("DSA {}", p.bits()),
        K::ElGamal { p, .. } => format!("ElGamal {}", p.bits()),
        K::EdDSA { curve, .. } => format!("EdDSA {curve}"),
        K::ECDSA { curve, .. } => format!("ECDSA {curve}"),
        K::ECDH { curve, .. } => format!("ECDH {curve}"),
        _ => name.to_string(),
    }
}

fn capabilities(flags: Option<KeyFlags>) -> Capabilities {
    let Some(flags) = flags else { return Capabilities::default() };
    Capabilities {
        certify: flags.for_certification(),
        sign: flags.for_signing(),
        encrypt: usable::Capability::Encrypt.in_flags(&flags),
        authenticate: flags.for_authentication(),
    }
}
