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
fn a_passphrase_costs_what_the_format_allows() {
    use sequoia_openpgp::{
        Cert, crypto::S2K, packet::key::SecretKeyMaterial, parse::Parse as _, types::HashAlgorithm,
    };
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let armored = alice(profile).tsk.lock(Some(&Passphrase::new("correct horse"))).unwrap().to_armored();
        let cert = Cert::from_bytes(armored.as_bytes()).unwrap();
        let mut secrets = 0;
        for key in cert.keys().secret() {
            let SecretKeyMaterial::Encrypted(secret) = key.key().secret() else { panic!("{profile}: open") };
            match (profile, secret.s2k()) {
                (Profile::Rfc9580, S2K::Argon2 { t: 3, m: 16, .. }) => {
                    assert!(
                        secret.aead_algo().is_some(),
                        "{profile}: nothing binds the secret to its public part"
                    );
                }
                (
                    Profile::Rfc4880,
                    S2K::Iterated { hash: HashAlgorithm::SHA256, hash_bytes: 0x3e0_0000, .. },
                ) => {}
                (_, other) => panic!("{profile}: {other:?}"),
            }
            secrets += 1;
        }
        assert!(secrets > 1, "{profile}");
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
fn a_primary_key_without_signatures_is_not_written_as_nothing() {
    let bytes = alice(Profile::Rfc4880).tsk.certificate().to_bytes();
    // One packet in the new format with a length of one octet.
    let bare = Certificate::parse(&bytes[..2 + usize::from(bytes[1])]).unwrap();
    for written in [bare.to_bytes(), bare.to_armored().into_bytes()] {
        assert_eq!(Certificate::parse(&written).unwrap().fingerprint(), bare.fingerprint());
    }
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

#[test]
fn an_expired_certificate_can_be_brought_back_and_ended_early() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let later = now() + cert::DEFAULT_TTL + DAY;
        let alice = alice(profile).tsk;
        assert_eq!(alice.certificate().can_encrypt(&policy(), later), Err(Unusable::Expired));
        let extended = alice.set_expiry(Some(later + DAY + DAY), &policy(), later).unwrap();
        assert_eq!(extended.certificate().can_encrypt(&policy(), later + DAY), Ok(()), "{profile}");
        assert_eq!(extended.certificate().can_sign(&policy(), later + DAY), Ok(()), "{profile}");
        assert_eq!(
            extended.certificate().can_sign(&policy(), later + DAY * 3),
            Err(Unusable::Expired),
            "{profile}"
        );
        let for_ever = extended.set_expiry(None, &policy(), later + DAY).unwrap().certificate();
        assert_eq!(for_ever.can_encrypt(&policy(), later + DAY * 4000), Ok(()), "{profile}");
        assert_eq!(for_ever.describe(&policy(), later + DAY * 2).expires, None, "{profile}");
    }
}

#[test]
fn changes_within_the_second_of_generation_count() {
    let alice = alice(Profile::Rfc4880).tsk.set_expiry(None, &policy(), now()).unwrap();
    let moment_later = now() + Duration::from_secs(1);
    assert_eq!(alice.certificate().describe(&policy(), moment_later).expires, None);
}

#[test]
fn an_expiry_that_openpgp_cannot_say_is_refused() {
    let alice = || alice(Profile::Rfc4880).tsk;
    let (before_creation, beyond_2106) = (now() - DAY, now() + DAY * 365 * 150);
    assert!(matches!(alice().set_expiry(Some(before_creation), &policy(), now()), Err(CertError::BadTime)));
    assert!(matches!(alice().set_expiry(Some(now()), &policy(), now()), Err(CertError::BadTime)));
    assert!(matches!(alice().set_expiry(Some(beyond_2106), &policy(), now()), Err(CertError::BadTime)));
}

#[test]
fn user_ids_come_and_go_but_the_last_one_stays() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let day = |n: u32| now() + DAY * n;
        let alice = alice(profile).tsk.add_user_id("Alice <alice@work.example>", &policy(), day(1)).unwrap();
        assert_eq!(
            alice.certificate().addresses(&policy(), day(1)),
            ["alice@example.org", "alice@work.example"],
            "{profile}"
        );
        assert_eq!(alice.certificate().can_encrypt(&policy(), day(1)), Ok(()), "{profile}");
        let moved = alice.revoke_user_id("alice@example.org", &policy(), day(2)).unwrap();
        assert_eq!(moved.certificate().addresses(&policy(), day(3)), ["alice@work.example"], "{profile}");
        assert_eq!(moved.certificate().can_encrypt(&policy(), day(3)), Ok(()), "{profile}");
        assert_eq!(moved.certificate().can_sign(&policy(), day(3)), Ok(()), "{profile}");
        let gone = moved.clone().revoke_user_id("alice@example.org", &policy(), day(3));
        assert!(matches!(gone, Err(CertError::NoSuchUserId)), "{profile}");
        let last = moved.revoke_user_id("alice@work.example", &policy(), day(3));
        assert!(matches!(last, Err(CertError::LastUserId)), "{profile}");
    }
}

#[test]
fn user_ids_cannot_smuggle_headers_or_a_second_address() {
    assert_eq!(cert::user_id(Some(" Alice "), "alice@EXAMPLE.org").unwrap(), "Alice <alice@example.org>");
    assert_eq!(cert::user_id(None, "alice@example.org").unwrap(), "alice@example.org");
    for name in ["Alice <bob@example.org>", "Alice\nBcc: bob", "a@b", "Alice (CEO)"] {
        assert!(
            matches!(cert::user_id(Some(name), "alice@example.org"), Err(CertError::BadUserId)),
            "{name:?}"
        );
    }
    assert!(matches!(cert::user_id(None, "not an address"), Err(CertError::BadUserId)));
    let bad = Tsk::generate(Profile::Rfc4880, &["a@example.org\r\nX: y".into()], None, now());
    assert!(matches!(bad, Err(CertError::BadUserId)));
}

#[test]
fn rotation_hands_over_at_once_and_ends_the_old_subkeys_after_the_overlap() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let rotated = alice(profile).tsk.rotate(cert::DEFAULT_OVERLAP, &policy(), now() + DAY).unwrap();
        assert_eq!((rotated.added.len(), rotated.replaced.len()), (2, 2), "{profile}");
        let end = now() + DAY + cert::DEFAULT_OVERLAP;
        assert!(rotated.replaced.iter().all(|(_, at)| *at == end), "{profile}");

        let certificate = rotated.tsk.certificate();
        let state = |subkey: &plombe_core::Fingerprint, at| {
            let keys = certificate.describe(&policy(), at).keys;
            keys.into_iter().find(|key| key.fingerprint == *subkey).unwrap().state
        };
        for subkey in &rotated.added {
            assert_eq!(state(subkey, end + DAY), Ok(()), "{profile}");
        }
        for (subkey, _) in &rotated.replaced {
            assert_eq!(state(subkey, end - DAY), Ok(()), "{profile}");
            assert_eq!(state(subkey, end + DAY), Err(Unusable::Expired), "{profile}");
        }
        // Extending the certificate does not bring back what rotation ended.
        let extended = rotated.tsk.set_expiry(None, &policy(), end + DAY).unwrap().certificate();
        let alive =
            extended.describe(&policy(), end + DAY * 2).keys.iter().filter(|key| key.state.is_ok()).count();
        assert_eq!(alive, 3, "{profile}");
    }
}

#[test]
fn rotation_without_overlap_revokes_the_old_subkeys_as_superseded() {
    let rotated = alice(Profile::Rfc4880).tsk.rotate(Duration::ZERO, &policy(), now() + DAY).unwrap();
    let keys = |at| rotated.tsk.certificate().describe(&policy(), at).keys;
    let revoked = |at| keys(at).iter().filter(|key| key.state == Err(Unusable::Revoked)).count();
    assert_eq!(revoked(now() + DAY * 2), 2);
    // Superseded is not compromised: what they signed before stays good.
    assert_eq!(revoked(now()), 0);
    // Every secret is still there to open old mail with.
    let secrets = rotated.tsk.lock(None).unwrap().secrets();
    assert_eq!(secrets.len(), 5);
    assert!(secrets.iter().all(|(_, state)| *state == cert::SecretState::Open));
}

#[test]
fn findings_say_what_is_wrong_before_it_hurts() {
    let codes = |certificate: &Certificate, at| {
        certificate.check(&policy(), at).iter().map(cert::Finding::code).collect::<Vec<_>>()
    };
    let generated = alice(Profile::Rfc4880);
    let certificate = generated.tsk.certificate();
    assert_eq!(codes(&certificate, now()), [""; 0]);
    let end = now() + cert::DEFAULT_TTL;
    assert_eq!(codes(&certificate, end - DAY * 10), ["expires-soon"]);
    assert_eq!(codes(&certificate, end + DAY), ["expired"]);
    assert_eq!(codes(&certificate, now() - DAY), ["not-yet-valid", "no-address"]);
    let revoked = certificate.apply_revocation(generated.revocation.as_bytes()).unwrap();
    assert_eq!(codes(&revoked, now()), ["revoked"]);
    let signing_only = Tsk::generate_signing_only(Profile::Rfc4880, &["CI".into()], None, now()).unwrap();
    assert_eq!(codes(&signing_only.tsk.certificate(), now()), ["cannot-encrypt", "no-address"]);
}

#[test]
fn importing_a_tsk_again_changes_no_secret() {
    let alice = alice(Profile::Rfc4880).tsk;
    let (hers, his) = (Passphrase::new("hers"), Passphrase::new("his"));
    let ours = alice.clone().lock(Some(&hers)).unwrap();
    let theirs = alice.lock(Some(&his)).unwrap();
    let merged = ours.clone().merge_secret(theirs).unwrap();
    assert!(merged.clone().unlock(Some(&hers)).is_ok());
    assert!(matches!(merged.unlock(Some(&his)), Err(UnlockError::WrongPassphrase)));
}

#[test]
fn publishing_under_one_address_leaves_the_others_out_and_keeps_revocations() {
    let ids = ["alice@example.org".to_owned(), "Alice <alice@work.example>".to_owned()];
    let generated = Tsk::generate(Profile::Rfc4880, &ids, None, now()).unwrap();
    let address = "ALICE@example.org".parse().unwrap();
    let published = generated.tsk.certificate().filter_to_address(&address, &policy(), now()).unwrap();
    assert_eq!(published.unverified_user_ids(), ["alice@example.org"]);
    assert_eq!(published.can_encrypt(&policy(), now()), Ok(()));
    let other = "bob@example.org".parse().unwrap();
    let refused = generated.tsk.certificate().filter_to_address(&other, &policy(), now());
    assert!(matches!(refused, Err(CertError::NoSuchAddress)));
    let rotated = generated.tsk.rotate(Duration::ZERO, &policy(), now() + DAY).unwrap().tsk.certificate();
    let published = rotated.filter_to_address(&address, &policy(), now() + DAY * 2).unwrap();
    assert_eq!(published.describe(&policy(), now() + DAY * 2).keys.len(), 5);
}
