// SPDX-License-Identifier: LGPL-2.0-or-later
//! What Alice's program makes of certificates that mails bring along.

use std::time::{Duration, SystemTime};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, Profile, Reason, Tsk},
    crypto_policy::CryptoPolicy,
    recipients::{
        Address, Candidate, Choice, Correspondent, Learned, NotUsed, Outcome, Pins, Source,
        answer::AnswerError, choose,
    },
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn bobs_address() -> Address {
    Address::parse("bob@example.org").unwrap()
}

fn tsk(user_id: &str) -> Tsk {
    Tsk::generate(Profile::Rfc4880, &[user_id.to_owned()], Some(DAY * 365), now() - DAY * 100).unwrap().tsk
}

fn bob() -> Tsk {
    tsk("Bob <bob@example.org>")
}

/// A mail of `date` with this certificate.
#[track_caller]
fn mail(known: &mut Correspondent, certificate: &Certificate, date: SystemTime) -> Learned {
    let keydata = certificate.to_bytes();
    known.learn(&keydata, &Source::Autocrypt, true, date, &CryptoPolicy::standard(), now()).unwrap()
}

fn fingerprints(known: &Correspondent) -> Vec<Fingerprint> {
    known.candidates().iter().map(|candidate| candidate.certificate.fingerprint()).collect()
}

fn decide(candidates: Vec<Candidate>, pins: &Pins) -> Choice {
    choose(&bobs_address(), candidates, pins, &CryptoPolicy::standard(), now())
}

#[test]
fn only_a_newer_mail_changes_what_is_known() {
    let (bob, mallory) = (bob().certificate(), bob().certificate());
    let mut known = Correspondent::new(bobs_address());
    assert_eq!(mail(&mut known, &bob, now() - DAY * 10), Learned::New(bob.fingerprint()));
    assert_eq!(mail(&mut known, &mallory, now() - DAY * 11), Learned::Older);
    assert_eq!(mail(&mut known, &bob, now() - DAY), Learned::Known);
    assert_eq!(fingerprints(&known), [bob.fingerprint()]);
    assert_eq!(known.brought[0].seen, now() - DAY);
    // A date in the future does not keep out what comes later.
    mail(&mut known, &bob, now() + DAY * 1000);
    assert_eq!(known.brought[0].seen, now());
}

#[test]
fn a_forged_mail_before_the_first_use_is_a_conflict_and_replaces_nothing() {
    let (bob, mut known) = (bob().certificate(), Correspondent::new(bobs_address()));
    mail(&mut known, &bob, now() - DAY * 10);
    let forgeries: Vec<Certificate> = (0..5).map(|_| tsk("bob@example.org").certificate()).collect();
    for (age, forged) in forgeries.iter().rev().enumerate() {
        mail(&mut known, forged, now() - DAY * (9 - age as u32));
    }
    // However many come, the first is still there, and no more than one beside it.
    assert_eq!(fingerprints(&known), [bob.fingerprint(), forgeries[0].fingerprint()]);
    assert!(matches!(decide(known.candidates(), &Pins::default()).outcome, Outcome::Conflict(_)));
}

#[test]
fn a_pin_stays_and_a_file_that_was_imported_comes_first() {
    let (bob, mallory) = (bob().certificate(), bob().certificate());
    let mut known = Correspondent::new(bobs_address());
    mail(&mut known, &mallory, now());
    let stored = Candidate { certificate: bob.clone(), source: Source::Store };
    let mut pins = Pins::default();
    for reason in [NotUsed::BetterSource, NotUsed::AnotherIsPinned] {
        let choice = decide([vec![stored.clone()], known.candidates()].concat(), &pins);
        let line = choice.explanations.iter().find(|line| line.fingerprint == mallory.fingerprint()).unwrap();
        assert_eq!((line.result, line.sources.as_slice()), (Err(reason), &[Source::Autocrypt][..]));
        match choice.outcome {
            Outcome::Use { certificate, first_use } => {
                assert_eq!(certificate.fingerprint(), bob.fingerprint());
                first_use.into_iter().for_each(|pin| pins.record(pin));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_only_certificate_there_is_comes_from_a_mail_and_is_pinned_with_that_source() {
    let (bob, mut known) = (bob().certificate(), Correspondent::new(bobs_address()));
    mail(&mut known, &bob, now());
    match decide(known.candidates(), &Pins::default()).outcome {
        Outcome::Use { first_use: Some(pin), .. } => assert_eq!(pin.source, Source::Autocrypt),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_senders_own_word_comes_before_gossip() {
    let (bob, said) = (bob().certificate(), bob().certificate());
    let mut known = Correspondent::new(bobs_address());
    let policy = CryptoPolicy::standard();
    known
        .learn(&said.to_bytes(), &Source::AutocryptGossip, false, now(), &policy, now())
        .expect("gossip is kept beside it");
    mail(&mut known, &bob, now() - DAY);
    match decide(known.candidates(), &Pins::default()).outcome {
        Outcome::Use { certificate, .. } => assert_eq!(certificate.fingerprint(), bob.fingerprint()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replayed_copy_does_not_take_a_revocation_back() {
    let bob = bob();
    let old = bob.certificate();
    let revoked = bob.revoke(Reason::Compromised, "", now() - DAY).unwrap();
    let mut known = Correspondent::new(bobs_address());
    mail(&mut known, &old, now() - DAY * 2);
    mail(&mut known, &revoked.certificate(), now() - DAY);
    mail(&mut known, &old, now());
    let choice = decide(known.candidates(), &Pins::default());
    assert!(matches!(choice.outcome, Outcome::None), "{choice:?}");
}

#[test]
fn what_is_no_certificate_of_the_address_is_not_kept() {
    let policy = CryptoPolicy::standard();
    let mut known = Correspondent::new(bobs_address());
    let mut learn =
        |keydata: &[u8]| known.learn(keydata, &Source::Autocrypt, false, now(), &policy, now()).unwrap_err();
    assert_eq!(learn(b"hello"), AnswerError::Malformed);
    assert_eq!(learn(&tsk("mallory@example.org").certificate().to_bytes()), AnswerError::AddressMissing);
    let two = [bob().certificate().to_bytes(), bob().certificate().to_bytes()].concat();
    assert_eq!(learn(&two), AnswerError::TooMany);
    assert!(known.brought.is_empty());
}

#[test]
fn what_the_owner_never_signed_does_not_come_along() {
    use sequoia_openpgp::{Cert, Packet, parse::Parse as _, serialize::SerializeInto as _};
    let (bob, mallory) = (bob().certificate(), bob().certificate());
    let (mut keydata, other) = (bob.to_bytes(), Cert::from_bytes(&mallory.to_bytes()).unwrap());
    let before = Cert::from_bytes(&keydata).unwrap().keys().count();
    // Mallory hangs his subkeys onto Bob's certificate; their bindings are by another primary key.
    for subkey in other.keys().subkeys() {
        keydata.extend(Packet::from(subkey.key().clone()).to_vec().unwrap());
        let bindings =
            subkey.self_signatures().map(|binding| Packet::from(binding.clone()).to_vec().unwrap());
        keydata.extend(bindings.flatten());
    }
    assert!(Cert::from_bytes(&keydata).unwrap().keys().count() > before);
    let mut known = Correspondent::new(bobs_address());
    known.learn(&keydata, &Source::Autocrypt, false, now(), &CryptoPolicy::standard(), now()).unwrap();
    let kept = known.candidates().remove(0).certificate;
    assert_eq!(kept.fingerprint(), bob.fingerprint());
    let kept = Cert::from_bytes(&kept.to_bytes()).unwrap();
    assert_eq!(kept.keys().count(), before);
}

#[test]
fn other_addresses_of_a_certificate_do_not_come_along() {
    let user_ids = ["bob@example.org".to_owned(), "bank@example.com".to_owned()];
    let both = Tsk::generate(Profile::Rfc4880, &user_ids, None, now() - DAY).unwrap().tsk.certificate();
    let mut known = Correspondent::new(bobs_address());
    mail(&mut known, &both, now());
    let addresses = known.candidates()[0].certificate.addresses(&CryptoPolicy::standard(), now());
    assert_eq!(addresses, ["bob@example.org"]);
}
