// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate Alice's mail to Bob is sealed for, and when she is asked.

use std::time::{Duration, SystemTime};

use plombe_core::{
    cert::{Certificate, Profile, Tsk, Unusable},
    crypto_policy::CryptoPolicy,
    recipients::{
        Address, Candidate, Choice, Conflict, Decision, NotUsed, Outcome, Pins, Source, WkdMethod,
        answer::{self, AnswerError},
        choose,
    },
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn bobs_address() -> Address {
    Address::parse("bob@example.org").unwrap()
}

fn tsk(user_id: &str, made: SystemTime) -> Tsk {
    Tsk::generate(Profile::Rfc4880, &[user_id.to_owned()], Some(DAY * 365), made).unwrap().tsk
}

fn bob() -> Certificate {
    tsk("Bob <bob@example.org>", now() - DAY).certificate()
}

fn wkd() -> Source {
    Source::Wkd(WkdMethod::Advanced)
}

fn hkp() -> Source {
    Source::Hkp { server: "keys.example".into() }
}

fn decide(candidates: &[(&Certificate, Source)], pins: &Pins) -> Choice {
    decide_at(candidates, pins, now())
}

fn decide_at(candidates: &[(&Certificate, Source)], pins: &Pins, at: SystemTime) -> Choice {
    let candidates = candidates
        .iter()
        .map(|(certificate, source)| Candidate {
            certificate: (*certificate).clone(),
            source: source.clone(),
        })
        .collect();
    choose(&bobs_address(), candidates, pins, &CryptoPolicy::standard(), at)
}

/// The chosen certificate; pins it as a caller does.
#[track_caller]
fn used(choice: Choice, pins: &mut Pins) -> Certificate {
    match choice.outcome {
        Outcome::Use { certificate, first_use } => {
            first_use.into_iter().for_each(|pin| pins.record(pin));
            *certificate
        }
        other => panic!("nothing chosen: {other:?}"),
    }
}

#[track_caller]
fn conflict(choice: Choice) -> Conflict {
    match choice.outcome {
        Outcome::Conflict(conflict) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

fn why(choice: &Choice, certificate: &Certificate) -> Result<(), NotUsed> {
    choice.explanations.iter().find(|line| line.fingerprint == certificate.fingerprint()).unwrap().result
}

#[test]
fn the_first_certificate_is_pinned_and_used_again() {
    let (bob, mut pins) = (bob(), Pins::default());
    used(decide(&[(&bob, wkd())], &pins), &mut pins);
    let pin = pins.of(&bobs_address()).unwrap();
    assert_eq!(
        (&pin.fingerprint, &pin.source, pin.decision),
        (&bob.fingerprint(), &wkd(), Decision::FirstUse)
    );
    let again = decide(&[(&bob, Source::Store)], &pins);
    assert!(matches!(again.outcome, Outcome::Use { first_use: None, .. }));
}

#[test]
fn a_changed_primary_key_at_the_domain_needs_a_decision_even_offline() {
    let (old, new, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&old, wkd())], &pins), &mut pins);
    let asked = decide(&[(&old, Source::Store), (&new, wkd())], &pins);
    assert_eq!(why(&asked, &new), Err(NotUsed::InConflict));
    let conflict_found = conflict(asked);
    assert_eq!(conflict_found.pinned, Some((old.fingerprint(), Ok(()))));
    assert_eq!(conflict_found.offered, [(new.fingerprint(), wkd())]);

    // Both lie in the store now. The conflict is not forgotten for that.
    pins.remember(&conflict_found, now());
    let stored = [(&old, Source::Store), (&new, Source::Store)];
    conflict(decide(&stored, &pins));

    let mut trusting = pins.clone();
    trusting.trust(&bobs_address(), &new.fingerprint(), wkd(), now());
    assert_eq!(used(decide(&stored, &trusting), &mut trusting).fingerprint(), new.fingerprint());

    let mut staying = pins;
    staying.trust(&bobs_address(), &old.fingerprint(), wkd(), now());
    assert_eq!(used(decide(&stored, &staying), &mut staying).fingerprint(), old.fingerprint());
    // The domain still says otherwise: the answer was given already.
    let asked_again = decide(&[(&old, Source::Store), (&new, wkd())], &staying);
    assert_eq!(why(&asked_again, &new), Err(NotUsed::Rejected));
    assert_eq!(used(asked_again, &mut staying).fingerprint(), old.fingerprint());
}

#[test]
fn rejecting_the_offer_keeps_the_pin() {
    let (old, new, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&old, wkd())], &pins), &mut pins);
    pins.remember(&conflict(decide(&[(&old, Source::Store), (&new, wkd())], &pins)), now());
    pins.reject(&bobs_address(), &new.fingerprint(), now());
    assert_eq!(
        used(decide(&[(&old, Source::Store), (&new, wkd())], &pins), &mut pins).fingerprint(),
        old.fingerprint()
    );
}

#[test]
fn uploads_that_nobody_vouches_for_cannot_stop_mail() {
    let (bob, mallory, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&bob, wkd())], &pins), &mut pins);
    for source in [hkp(), Source::Autocrypt, Source::Store] {
        let choice = decide(&[(&bob, Source::Store), (&mallory, source)], &pins);
        assert_eq!(why(&choice, &mallory), Err(NotUsed::AnotherIsPinned));
        assert_eq!(used(choice, &mut pins).fingerprint(), bob.fingerprint());
    }
}

#[test]
fn an_unusable_pin_is_never_replaced_silently() {
    let made = now() - DAY * 400;
    let (old, new, mut pins) = (tsk("bob@example.org", made), bob(), Pins::default());
    used(decide_at(&[(&old.certificate(), wkd())], &pins, made + DAY), &mut pins);
    let conflict = conflict(decide(&[(&old.certificate(), Source::Store), (&new, Source::Autocrypt)], &pins));
    assert_eq!(conflict.pinned, Some((old.fingerprint(), Err(Unusable::Expired))));
}

#[test]
fn an_expired_pin_with_an_update_of_the_same_key_goes_on() {
    let made = now() - DAY * 400;
    let (old, mut pins) = (tsk("bob@example.org", made), Pins::default());
    let expired = old.certificate();
    used(decide_at(&[(&expired, wkd())], &pins, made + DAY), &mut pins);
    assert!(matches!(decide(&[(&expired, Source::Store)], &pins).outcome, Outcome::None));
    let extended = old.set_expiry(None, &CryptoPolicy::standard(), now() - DAY).unwrap().certificate();
    let choice = decide(&[(&expired, Source::Store), (&extended, hkp())], &pins);
    assert_eq!(used(choice, &mut pins).can_encrypt(&CryptoPolicy::standard(), now()), Ok(()));
}

#[test]
fn a_pin_whose_certificate_was_lost_is_still_a_pin() {
    let (old, new, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&old, wkd())], &pins), &mut pins);
    assert_eq!(conflict(decide(&[(&new, Source::Autocrypt)], &pins)).offered.len(), 1);
    assert!(matches!(decide(&[], &pins).outcome, Outcome::None));
}

#[test]
fn on_first_use_the_better_source_wins_and_the_other_says_why_not() {
    let (from_domain, from_server, pins) = (bob(), bob(), Pins::default());
    let choice = decide(&[(&from_server, hkp()), (&from_domain, wkd())], &pins);
    assert_eq!(why(&choice, &from_domain), Ok(()));
    assert_eq!(why(&choice, &from_server), Err(NotUsed::BetterSource));
}

#[test]
fn of_several_at_the_domain_the_newest_is_used() {
    let old = tsk("bob@example.org", now() - DAY * 30).certificate();
    let choice = decide(&[(&old, wkd()), (&bob(), wkd())], &Pins::default());
    assert_eq!(why(&choice, &old), Err(NotUsed::Newer));
}

#[test]
fn our_own_certificate_needs_neither_pin_nor_decision() {
    let old = tsk("bob@example.org", now() - DAY * 30).certificate();
    let (new, at_the_domain, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&at_the_domain, wkd())], &pins), &mut pins);
    let choice = decide(&[(&at_the_domain, wkd()), (&old, Source::Own), (&new, Source::Own)], &pins);
    assert_eq!(why(&choice, &old), Err(NotUsed::Newer));
    assert_eq!(used(choice, &mut pins).fingerprint(), new.fingerprint());
}

#[test]
fn two_that_nobody_vouches_for_are_a_conflict_at_first_use() {
    let (one, two) = (bob(), bob());
    let conflict = conflict(decide(&[(&one, Source::Store), (&two, Source::Store)], &Pins::default()));
    assert_eq!((conflict.pinned, conflict.offered.len()), (None, 2));
}

#[test]
fn answers_about_somebody_else_are_not_used() {
    let mallory = tsk("mallory@example.org", now() - DAY).certificate();
    let choice = decide(&[(&mallory, wkd())], &Pins::default());
    assert_eq!(why(&choice, &mallory), Err(NotUsed::AddressMissing));
    assert!(matches!(choice.outcome, Outcome::None));
    let revoked = tsk("bob@example.org", now() - DAY * 9)
        .add_user_id("bob@work.example", &CryptoPolicy::standard(), now() - DAY * 8)
        .and_then(|tsk| tsk.revoke_user_id("bob@example.org", &CryptoPolicy::standard(), now() - DAY * 7));
    let revoked = revoked.unwrap().certificate();
    assert_eq!(why(&decide(&[(&revoked, wkd())], &Pins::default()), &revoked), Err(NotUsed::AddressMissing));
}

#[test]
fn an_answer_brings_no_other_address_into_the_store() {
    let policy = CryptoPolicy::standard();
    let both = tsk("bob@example.org", now() - DAY * 9)
        .add_user_id("bank@example.com", &policy, now() - DAY)
        .unwrap()
        .certificate();
    let other = tsk("bank@example.com", now() - DAY).certificate();
    let bytes = [both.to_bytes(), other.to_bytes()].concat();
    let found = answer::certificates(&bytes, &bobs_address(), &policy, now()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].unverified_user_ids(), ["bob@example.org"]);
    let refused = |bytes: &[u8]| answer::certificates(bytes, &bobs_address(), &policy, now()).err();
    assert_eq!(refused(&other.to_bytes()), Some(AnswerError::AddressMissing));
    assert_eq!(refused(b"<html>404</html>"), Some(AnswerError::Malformed));
    let many: Vec<u8> = (0..17).flat_map(|_| bob().to_bytes()).collect();
    assert_eq!(refused(&many), Some(AnswerError::TooMany));
}

#[test]
fn pins_keep_their_form_on_disk() {
    let (old, new, mut pins) = (bob(), bob(), Pins::default());
    used(decide(&[(&old, wkd())], &pins), &mut pins);
    pins.remember(&conflict(decide(&[(&old, Source::Store), (&new, wkd())], &pins)), now());
    pins.reject(&bobs_address(), &tsk("x@example.org", now()).fingerprint(), now());
    let json = serde_json::to_value(&pins).unwrap();
    assert_eq!(serde_json::from_value::<Pins>(json.clone()).unwrap(), pins);
    let fingerprint = old.fingerprint().to_hex();
    assert_eq!(
        json["pin"][0],
        serde_json::json!({
            "address": "bob@example.org", "fingerprint": fingerprint, "source": "wkd:advanced",
            "first-seen": "2026-11-18T11:06:40Z", "decision": "first-use",
        })
    );
    assert_eq!(json["offered"].as_array().unwrap().len(), 1);
    assert_eq!(json["rejected"].as_array().unwrap().len(), 1);
    assert!(serde_json::from_str::<Pins>(r#"{"pinn": []}"#).is_err());
}

#[test]
fn signatures_of_a_certificate_that_waits_for_a_decision_are_not_believed() {
    let (old, forged) = (bob(), bob());
    let mut pins = Pins::default();
    used(decide(&[(&old, Source::Store)], &pins), &mut pins);
    pins.remember(&conflict(decide(&[(&old, Source::Store), (&forged, wkd())], &pins)), now());
    let believed = |pins: &Pins, certificate: &Certificate| {
        pins.believed(certificate.clone(), &CryptoPolicy::standard(), now()).is_some()
    };
    assert!(believed(&pins, &old) && !believed(&pins, &forged));
    // Nor after it was decided against; and after a decision for it, they are.
    let mut decided = pins.clone();
    decided.trust(&bobs_address(), &old.fingerprint(), Source::Store, now());
    assert!(believed(&decided, &old) && !believed(&decided, &forged));
    pins.trust(&bobs_address(), &forged.fingerprint(), Source::Store, now());
    assert!(believed(&pins, &forged));
}

#[test]
fn a_pinned_address_is_spoken_for_by_its_own_certificate_only() {
    let (pinned, foreign) = (bob(), bob());
    let mut pins = Pins::default();
    used(decide(&[(&pinned, Source::Store)], &pins), &mut pins);
    // Another program put it into the shared directory; nobody here was ever asked about it.
    let believed = |certificate: &Certificate| {
        pins.believed(certificate.clone(), &CryptoPolicy::standard(), now()).is_some()
    };
    assert!(believed(&pinned) && !believed(&foreign));
}

#[test]
fn a_certificate_keeps_the_addresses_that_nobody_doubts() {
    let user_ids = ["Bob <bob@example.org>".to_owned(), "Bob <bob@work.example>".to_owned()];
    let both = Tsk::generate(Profile::Rfc4880, &user_ids, None, now() - DAY).unwrap().tsk.certificate();
    let mut pins = Pins::default();
    pins.reject(&bobs_address(), &both.fingerprint(), now());
    let policy = CryptoPolicy::standard();
    let believed = pins.believed(both, &policy, now()).unwrap();
    assert_eq!(believed.addresses(&policy, now()), ["bob@work.example"]);
}
