// SPDX-License-Identifier: LGPL-2.0-or-later
//! Documents signed by a key in a keystore.

use std::time::SystemTime;

use plombe_core::{
    Fingerprint,
    cert::{Reason, Tsk, Unusable},
    crypto_policy::CryptoPolicy,
    custody::{self, Capability, CustodyError, sign_digest},
    mail,
    message::{RemoteKey, SignError, Signing, verify},
    verdict::VerdictKind,
};
use sequoia_openpgp::{cert::CipherSuite, types::KeyFlags};

use crate::{
    cast::{Reader, Watched, alice, bob, now},
    keys::{self, HAS_SAFE_RSA, every_kind, is_rsa, key_that},
};

const SHA256: u8 = 8;
const SHA512: u8 = 10;
const DOCUMENT: &[u8] = b"attack at dawn\n";

/// A client of a keystore that holds `tsk`.
pub(crate) fn remote(tsk: &Tsk, now: SystemTime) -> RemoteKey<'_> {
    let held = custody::keys(tsk, &CryptoPolicy::standard(), now);
    let held = held.into_iter().filter(|key| key.capability == Capability::Sign);
    RemoteKey {
        certificate: tsk.certificate(),
        held: held.map(|key| key.fingerprint).collect(),
        sign: Box::new(move |request| {
            let policy = CryptoPolicy::standard();
            Ok(sign_digest(tsk, request.key, request.hash, request.digest, &policy, now)?)
        }),
    }
}

#[test]
fn what_a_keystore_signs_verifies() {
    let policy = CryptoPolicy::standard();
    for (kind, alice) in every_kind() {
        let remote = remote(&alice, now());
        let reader = Reader::knowing(&[&alice]);
        for text in [false, true] {
            let signing =
                Signing { signers: vec![(&remote).into()], text, armor: true, policy: &policy, now: now() };
            let mut signature = Vec::new();
            let signed = signing.detached(&mut &DOCUMENT[..], &mut signature);
            if is_rsa(&kind) && !HAS_SAFE_RSA {
                let Err(SignError::Remote { source, .. }) = signed else { panic!("not signed") };
                assert_eq!(source.downcast_ref(), Some(&CustodyError::VariableTime));
                continue;
            }
            signed.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            let verified = verify::detached(&signature, &mut &DOCUMENT[..], &reader.context()).unwrap();
            assert_eq!(verified.verdict.verdict, VerdictKind::Good, "{kind}");

            let mut message = Vec::new();
            signing.inline(&mut &DOCUMENT[..], &mut message).unwrap();
            let opened = verify::inline(&mut &message[..], &reader.context(), Watched::default()).unwrap();
            assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{kind}");

            message.clear();
            signing.cleartext(&mut &DOCUMENT[..], &mut message).unwrap();
            let opened = verify::inline(&mut &message[..], &reader.context(), Watched::default()).unwrap();
            assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{kind}");
        }
    }
}

#[test]
fn a_mail_is_sealed_and_signed_without_a_tsk() {
    let (alice, bob, policy) = (alice(), bob(), CryptoPolicy::standard());
    let (remote, certificate) = (remote(&alice, now()), bob.certificate());
    let recipient = mail::Recipient { address: "bob@example.test", certificate: &certificate };
    let seal = mail::Seal::new(vec![recipient], Some((&remote).into()), &policy, now());
    let plain = b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\n\r\nhello\r\n";
    let sealed = seal.seal(plain).unwrap();
    let readers: Vec<_> =
        sealed.copies[0].report.recipients.iter().map(|recipient| recipient.certificate.clone()).collect();
    assert_eq!(readers, [bob.fingerprint(), alice.fingerprint()], "the sender can read it, too");
    mail::Sign { signer: (&remote).into(), autocrypt: None, policy: &policy, now: now() }
        .sign(plain)
        .unwrap();
}

#[test]
fn only_subkeys_that_only_sign_sign_digests() {
    let policy = CryptoPolicy::standard();
    let sign = |tsk: &Tsk, key: &Fingerprint| sign_digest(tsk, key, SHA512, &[7; 64], &policy, now());
    for (kind, alice) in every_kind() {
        for key in [alice.fingerprint(), key_that(&alice, Capability::Unwrap), bob().fingerprint()] {
            assert_eq!(sign(&alice, &key).unwrap_err(), CustodyError::NoSuchKey, "{kind}");
        }
    }
    // Flags beside "sign" on a subkey, and "sign" on the primary key.
    let builder = || keys::builder(CipherSuite::Cv25519, sequoia_openpgp::Profile::RFC4880);
    let signing = || KeyFlags::empty().set_signing();
    for flags in [
        signing().set_certification(),
        signing().set_authentication(),
        signing().set_group_key(),
        KeyFlags::empty().set_authentication(),
    ] {
        let alice = keys::tsk(builder().add_subkey(flags.clone(), None, None));
        let subkey = keys::secret_cert(&alice).keys().subkeys().next().unwrap().key().fingerprint();
        assert_eq!(sign(&alice, &subkey).unwrap_err(), CustodyError::NoSuchKey, "{flags:?}");
    }
    let alice = keys::tsk(builder().set_primary_key_flags(signing().set_certification()));
    assert_eq!(sign(&alice, &alice.fingerprint()).unwrap_err(), CustodyError::NoSuchKey);
    assert!(custody::keys(&alice, &policy, now()).is_empty());
}

#[test]
fn a_digest_is_one_of_a_strong_hash() {
    let (alice, policy) = (alice(), CryptoPolicy::standard());
    let subkey = key_that(&alice, Capability::Sign);
    let sign = |hash, size| sign_digest(&alice, &subkey, hash, &vec![7; size], &policy, now());
    for (hash, size) in [(SHA256, 32), (9, 48), (SHA512, 64), (12, 32), (14, 64)] {
        sign(hash, size).unwrap();
        for wrong in [0, 20, size - 1, size + 1, 128] {
            assert_eq!(sign(hash, wrong).unwrap_err(), CustodyError::DigestLength, "{hash} {wrong}");
        }
    }
    // MD5, SHA-1, RIPEMD-160, SHA-224, private and unknown ones.
    for (hash, size) in [(1, 16), (2, 20), (3, 20), (11, 28), (100, 32), (255, 32), (0, 0)] {
        assert_eq!(sign(hash, size).unwrap_err(), CustodyError::Hash, "{hash}");
    }
}

#[test]
fn a_key_whose_time_is_over_does_not_sign() {
    let policy = CryptoPolicy::standard();
    let sign =
        |tsk: &Tsk, key: &Fingerprint, at| sign_digest(tsk, key, SHA512, &[7; 64], &policy, at).map(drop);
    let hour = std::time::Duration::from_secs(3600);
    let alice = alice();
    let subkey = key_that(&alice, Capability::Sign);
    assert_eq!(sign(&alice, &subkey, now()), Ok(()));
    assert_eq!(sign(&alice, &subkey, now() - 2 * hour), Err(Unusable::NotYetValid.into()));
    let expiring = alice.clone().set_expiry(Some(now() + hour), &policy, now()).unwrap();
    assert_eq!(sign(&expiring, &subkey, now() + 2 * hour), Err(Unusable::Expired.into()));
    let subkey_revoked = alice.clone().revoke_subkey(&subkey, Reason::Compromised, "", now()).unwrap();
    assert_eq!(sign(&subkey_revoked, &subkey, now() + hour), Err(Unusable::Revoked.into()));
    let revoked = alice.revoke(Reason::Compromised, "", now()).unwrap();
    assert_eq!(sign(&revoked, &subkey, now() + hour), Err(Unusable::Revoked.into()));
}
