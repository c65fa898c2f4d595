// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which key of a TSK in custody may do what.

use std::time::SystemTime;

use openpgp::{
    Cert,
    cert::prelude::ErasedKeyAmalgamation,
    crypto::KeyPair,
    packet::{
        Key,
        key::{PublicParts, UnspecifiedRole},
    },
    types::{KeyFlags, PublicKeyAlgorithm},
};
use sequoia_openpgp as openpgp;

use super::CustodyError;
use crate::{
    Fingerprint,
    cert::{Tsk, Unusable},
    crypto_policy::CryptoPolicy,
};

/// What a keystore does with a key when it is asked from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Unwrap session keys.
    Unwrap,
    /// Sign digests.
    Sign,
}

/// One key that a keystore uses when it is asked from elsewhere.
#[derive(Clone, Debug)]
pub struct CustodyKey {
    /// Identity.
    pub fingerprint: Fingerprint,
    /// What it does.
    pub capability: Capability,
    /// `EdDSA (Ed25519)`, `RSA 3072`, …
    pub algorithm: String,
    /// When it says it was made.
    pub created: SystemTime,
    /// Good, or why not. An expired or revoked key still unwraps: old mail stays readable.
    pub state: Result<(), Unusable>,
}

/// Every key of `tsk` that does something when it is asked from elsewhere. The primary key never does.
pub fn keys(tsk: &Tsk, policy: &CryptoPolicy, now: SystemTime) -> Vec<CustodyKey> {
    let described = tsk.certificate().describe(policy, now).keys.into_iter();
    let keys = described.filter_map(|key| {
        let capability = [Capability::Unwrap, Capability::Sign]
            .into_iter()
            .find(|capability| key_for(tsk, &key.fingerprint, *capability).is_ok())?;
        Some(CustodyKey {
            fingerprint: key.fingerprint,
            capability,
            algorithm: key.algorithm,
            created: key.created,
            state: key.state,
        })
    });
    keys.collect()
}

/// The secret key `wanted`, if `capability` is what it is for, and nothing else.
pub(super) fn key_for(
    tsk: &Tsk,
    wanted: &Fingerprint,
    capability: Capability,
) -> Result<KeyPair, CustodyError> {
    let mut subkeys = tsk.cert.keys().subkeys().unencrypted_secret();
    let key = subkeys.find(|key| key.key().fingerprint() == *wanted).ok_or(CustodyError::NoSuchKey)?;
    let uses = Uses::of(&tsk.cert, key.key().parts_as_public().role_as_unspecified());
    let for_this = match capability {
        Capability::Unwrap => key.key().pk_algo().for_encryption() && uses.encrypt && !uses.is_dual_rsa,
        Capability::Sign => key.key().pk_algo().for_signing() && uses.only_sign,
    };
    if !for_this {
        return Err(CustodyError::NoSuchKey);
    }
    key.key().clone().role_into_unspecified().into_keypair().map_err(|_| CustodyError::Refused)
}

/// What the certificate says that a key is for, or ever said: who has an older copy of it goes by that.
pub(super) struct Uses {
    /// Meant for encryption once; a binding without flags means anything.
    pub(super) encrypt: bool,
    /// Never meant for anything but signing content. With such a key a digest cannot be a certification.
    pub(super) only_sign: bool,
    /// One RSA key that both decrypts and signs: each operation is an oracle against the other.
    pub(super) is_dual_rsa: bool,
}

impl Uses {
    pub(super) fn of(cert: &Cert, key: &Key<PublicParts, UnspecifiedRole>) -> Self {
        let every = flags(cert, key);
        let decrypts = |flags: &KeyFlags| flags.for_transport_encryption() || flags.for_storage_encryption();
        let signs =
            |flags: &KeyFlags| flags.for_signing() || flags.for_certification() || flags.for_authentication();
        let any = |is: &dyn Fn(&KeyFlags) -> bool| every.iter().flatten().any(is);
        let unknown = every.iter().all(Option::is_none);
        let only_sign = KeyFlags::empty().set_signing();
        Self {
            encrypt: any(&decrypts) || every.iter().any(Option::is_none),
            only_sign: !every.is_empty()
                && every
                    .iter()
                    .all(|flags| flags.as_ref().is_some_and(|flags| flags.normalized_eq(&only_sign))),
            is_dual_rsa: is_rsa(key.pk_algo()) && (unknown || any(&decrypts) && any(&signs)),
        }
    }
}

/// The flags in every self-signature about `key`.
fn flags(cert: &Cert, key: &Key<PublicParts, UnspecifiedRole>) -> Vec<Option<KeyFlags>> {
    let of = |found: ErasedKeyAmalgamation<'_, PublicParts>| -> Vec<Option<KeyFlags>> {
        found.self_signatures().map(|signature| signature.key_flags()).collect()
    };
    let found = cert.keys().find(|own| own.key().fingerprint() == key.fingerprint());
    let mut flags = found.map(of).unwrap_or_default();
    if key.fingerprint() == cert.fingerprint() {
        let user_ids = cert.userids();
        flags.extend(user_ids.flat_map(|user_id| {
            user_id.self_signatures().map(|signature| signature.key_flags()).collect::<Vec<_>>()
        }));
    }
    flags
}

#[expect(deprecated, reason = "old keys use them")]
pub(super) fn is_rsa(algorithm: PublicKeyAlgorithm) -> bool {
    use PublicKeyAlgorithm::{RSAEncrypt, RSAEncryptSign, RSASign};
    matches!(algorithm, RSAEncryptSign | RSAEncrypt | RSASign)
}
