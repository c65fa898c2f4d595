// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates and TSKs: generate, lock, unlock, change, as a program outside of core sees them.

use std::time::{Duration, SystemTime};

use plombe_core::{
    cert::{self, CertError, Certificate, LockedTsk, Profile, Reason, Tsk, UnlockError, Unusable},
    crypto_policy::CryptoPolicy,
    secret::Passphrase,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn policy() -> CryptoPolicy {
    CryptoPolicy::standard()
}

fn alice(profile: Profile) -> cert::Generated {
    let user_id = cert::user_id(Some("Alice"), "alice@example.org").unwrap();
    Tsk::generate(profile, &[user_id], Some(cert::DEFAULT_TTL), now()).unwrap()
}

#[test]
fn a_generated_certificate_seals_and_signs_until_it_expires() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let alice = alice(profile).tsk.certificate();
        assert_eq!(alice.addresses(&policy(), now()), ["alice@example.org"], "{profile}");
        assert_eq!(alice.can_encrypt(&policy(), now()), Ok(()), "{profile}");
        assert_eq!(alice.can_sign(&policy(), now()), Ok(()), "{profile}");
        assert_eq!(alice.can_encrypt(&policy(), now() - DAY), Err(Unusable::NotYetValid), "{profile}");
        let last_second = now() + cert::DEFAULT_TTL - Duration::from_secs(1);
        assert_eq!(alice.can_encrypt(&policy(), last_second), Ok(()), "{profile}");
        assert_eq!(alice.can_encrypt(&policy(), last_second + DAY), Err(Unusable::Expired), "{profile}");
        assert_eq!(alice.can_sign(&policy(), last_second + DAY), Err(Unusable::Expired), "{profile}");
    }
}

#[test]
fn versions_follow_the_profile() {
    assert_eq!(alice(Profile::Rfc4880).tsk.certificate().version(), 4);
    assert_eq!(alice(Profile::Rfc9580).tsk.certificate().version(), 6);
}

#[test]
fn pqc_is_made_or_refused_with_a_way_out() {
    match Tsk::generate(Profile::Pqc, &["alice@example.org".into()], None, now()) {
        Ok(generated) => assert_eq!(generated.tsk.certificate().can_encrypt(&policy(), now()), Ok(())),
        Err(error) => {
            assert!(matches!(error, CertError::ProfileUnsupported { profile: Profile::Pqc }), "{error:?}");
            assert!(error.to_string().contains("crypto-rust"), "{error}");
        }
    }
}

#[test]
fn signing_only_has_no_key_to_seal_for() {
    let tsk =
        Tsk::generate_signing_only(Profile::Rfc4880, &["ci@example.org".into()], None, now()).unwrap().tsk;
    assert_eq!(tsk.certificate().can_encrypt(&policy(), now()), Err(Unusable::NoKey));
    assert_eq!(tsk.certificate().can_sign(&policy(), now()), Ok(()));
}

#[test]
fn a_locked_tsk_opens_with_its_passphrase_only() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let alice = alice(profile).tsk;
        let fingerprint = alice.fingerprint();
        let armored = alice.lock(Some(&Passphrase::new("correct horse"))).unwrap().to_armored();
        let locked = LockedTsk::parse_all(armored.as_bytes()).unwrap().remove(0);
        assert!(locked.is_locked());
        let unlock = |passphrase: Option<&str>| {
            locked.clone().unlock(passphrase.map(Passphrase::new).as_ref()).map(|tsk| tsk.fingerprint())
        };
        assert!(matches!(unlock(None), Err(UnlockError::PassphraseNeeded)), "{profile}");
        assert!(matches!(unlock(Some("wrong horse")), Err(UnlockError::WrongPassphrase)), "{profile}");
        assert!(matches!(unlock(Some("")), Err(UnlockError::WrongPassphrase)), "{profile}");
        assert_eq!(unlock(Some("correct horse")).unwrap(), fingerprint, "{profile}");
    }
}

#[test]
fn changing_the_passphrase_forgets_the_old_one() {
    let alice = alice(Profile::Rfc4880).tsk;
    let (old, new) = (Passphrase::new("old"), Passphrase::new("new"));
    let locked = alice.lock(Some(&old)).unwrap();
    let relocked = locked.unlock(Some(&old)).unwrap().lock(Some(&new)).unwrap();
    assert!(matches!(relocked.clone().unlock(Some(&old)), Err(UnlockError::WrongPassphrase)));
    assert!(relocked.clone().unlock(Some(&new)).is_ok());
    assert!(!relocked.unlock(Some(&new)).unwrap().lock(None).unwrap().is_locked());
}

#[test]
fn a_certificate_never_holds_secrets() {
    let alice = alice(Profile::Rfc4880).tsk.lock(None).unwrap();
    let from_tsk_file = Certificate::parse(alice.to_armored().as_bytes()).unwrap();
    assert!(from_tsk_file.to_armored().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
    assert!(from_tsk_file.to_armored().ends_with("-----END PGP PUBLIC KEY BLOCK-----\n"));
    assert!(matches!(
        LockedTsk::parse_all(from_tsk_file.to_armored().as_bytes()).err(),
        Some(CertError::NoSecretKey)
    ));
    assert_eq!(from_tsk_file.to_bytes(), alice.certificate().to_bytes());
}

#[test]
fn several_armored_blocks_and_binary_keyrings_are_read_whole() {
    let [a, b] = ["a@example.org", "b@example.org"].map(|address| {
        Tsk::generate(Profile::Rfc4880, &[address.into()], None, now()).unwrap().tsk.certificate()
    });
    let armored = format!("Hi, my keys:\n\n{}\nand the other\n{}", a.to_armored(), b.to_armored());
    let found = Certificate::parse_all(armored.as_bytes()).unwrap();
    assert_eq!([found[0].fingerprint(), found[1].fingerprint()], [a.fingerprint(), b.fingerprint()]);
    let found = Certificate::parse_all(&[a.to_bytes(), b.to_bytes()].concat()).unwrap();
    assert_eq!([found[0].fingerprint(), found[1].fingerprint()], [a.fingerprint(), b.fingerprint()]);
    assert!(matches!(Certificate::parse(armored.as_bytes()), Err(CertError::SeveralCertificates)));
}

#[test]
fn what_is_not_a_certificate_is_refused() {
    let alice = alice(Profile::Rfc4880).tsk.certificate();
    let bytes = alice.to_bytes();
    for junk in [&b""[..], b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", &[0xff; 40], &bytes[..40]] {
        assert!(matches!(Certificate::parse_all(junk), Err(CertError::Malformed)), "{junk:?}");
    }
}

#[test]
fn the_revocation_made_at_generation_ends_the_certificate_and_no_other() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let (alice, mallory) = (alice(profile), alice(profile));
        let revoked = alice.tsk.certificate().apply_revocation(alice.revocation.as_bytes()).unwrap();
        // No reason given: distrusted at all times, before the revocation too.
        assert_eq!(revoked.can_encrypt(&policy(), now()), Err(Unusable::Revoked), "{profile}");
        assert_eq!(revoked.can_sign(&policy(), now() + DAY), Err(Unusable::Revoked), "{profile}");
        let foreign = alice.tsk.certificate().apply_revocation(mallory.revocation.as_bytes());
        assert!(matches!(foreign, Err(CertError::NotItsRevocation)), "{profile}");
        let issuers = Certificate::unverified_revocation_issuers(alice.revocation.as_bytes()).unwrap();
        assert!(issuers.iter().any(|issuer| revoked.matches(issuer)), "{profile}");
    }
}

#[test]
fn a_retired_certificate_stays_good_for_what_it_signed_before() {
    let retired = alice(Profile::Rfc4880).tsk.revoke(Reason::Retired, "bought a horse", now() + DAY).unwrap();
    assert_eq!(retired.certificate().can_sign(&policy(), now()), Ok(()));
    assert_eq!(retired.certificate().can_sign(&policy(), now() + DAY + DAY), Err(Unusable::Revoked));
}

#[test]
fn merging_keeps_what_either_side_knows() {
    let alice = alice(Profile::Rfc4880);
    let before = alice.tsk.certificate();
    let revoked = before.clone().apply_revocation(alice.revocation.as_bytes()).unwrap();
    for merged in [before.clone().merge(revoked.clone()).unwrap(), revoked.merge(before.clone()).unwrap()] {
        assert_eq!(merged.can_encrypt(&policy(), now()), Err(Unusable::Revoked));
    }
    let other =
        Tsk::generate(Profile::Rfc4880, &["b@example.org".into()], None, now()).unwrap().tsk.certificate();
    assert!(matches!(before.merge(other), Err(CertError::DifferentCertificate)));
}

#[test]
fn a_minimised_certificate_still_seals_and_verifies_for_its_address_only() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let ids = ["alice@example.org".to_owned(), "Alice <alice@work.example>".to_owned()];
        let full = Tsk::generate(profile, &ids, None, now()).unwrap().tsk.certificate();
        let small = full.minimise("Alice@Work.example", &policy(), now()).unwrap();
        assert_eq!(small.addresses(&policy(), now()), ["alice@work.example"], "{profile}");
        assert_eq!(small.can_encrypt(&policy(), now()), Ok(()), "{profile}");
        assert_eq!(small.can_sign(&policy(), now()), Ok(()), "{profile}");
        assert!(small.to_bytes().len() < full.to_bytes().len());
        assert!(matches!(full.minimise("bob@example.org", &policy(), now()), Err(CertError::NoSuchAddress)));
    }
}
