// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a passkey is needed for, and what is not taken for one.

use std::collections::BTreeSet;

use plombe_client::{DeviceKey, Session};
use plombe_core::keystore::{
    ProblemCode, RecoveryCode, SecretBytes,
    calls::{
        Call,
        certificates::RotateSubkeys,
        devices::ConfirmDevice,
        grants::{GiveGrant, KeyUse},
        keys::ListKeys,
        login::{DeviceState, Role},
        passkeys::{
            AddPasskey, Assertion, ConfirmByPasskey, FinishStepUp, ListPasskeys, Passkey, Registration,
            RemovePasskey, StartPasskey, StartStepUp,
        },
        principals::CreatePrincipal,
        recovery::SetRecoveryCode,
        revoke::{Revoke, Target},
        session::WhoAmI,
    },
};

use crate::{
    authenticator::{Answer, Authenticator},
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
    proxy::Proxy,
    trail::trail,
};

/// Adds a passkey to the account of a session.
pub(crate) fn enrol(session: &mut Session) -> Authenticator {
    let mut authenticator = Authenticator::new();
    let ceremony = session.call(&StartPasskey {}).unwrap();
    let registration = authenticator.register(&ceremony);
    session.call(&AddPasskey { ticket: ceremony.ticket, name: "key ring".into(), registration }).unwrap();
    authenticator
}

/// Shows it for a call.
pub(crate) fn show<C: Call>(session: &mut Session, authenticator: &mut Authenticator) {
    let ceremony = session.call(&StartStepUp { path: C::PATH.into() }).unwrap();
    let assertion = authenticator.assert(&ceremony);
    session.call(&FinishStepUp { ticket: ceremony.ticket, assertion }).unwrap();
}

/// Did one's own log get an entry of this action and rule?
fn on_record(session: &mut Session, action: &str, rule: &str) -> bool {
    trail(session).0.iter().any(|entry| entry.action == action && entry.decision.rule == rule)
}

fn create(address: &str) -> CreatePrincipal {
    CreatePrincipal { name: String::new(), addresses: vec![address.into()], roles: vec![Role::User] }
}

#[test]
fn who_has_a_passkey_shows_it_for_what_a_stolen_device_must_not_do() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let bob = keystore.user("bob@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let mut authenticator = enrol(&mut alice);
    // Mail as before.
    open(&mut alice, &key.fingerprint, &seal_for(&key.certificate)).unwrap();

    let waiting = keystore.log_in(&keystore.code_for("alice@example.org"));
    let confirm =
        ConfirmDevice { device: waiting.identity().device, thumbprint: waiting.device().thumbprint() };
    let give = GiveGrant {
        key: key.fingerprint.clone(),
        to: bob.identity().principal,
        uses: vec![KeyUse::Unwrap],
        expires_at: bob.saved().grant.expires_at,
    };
    let rotate = RotateSubkeys { key: key.fingerprint.clone() };
    let recovery = SetRecoveryCode { hash: vec![1; 32].into() };
    assert_eq!(refused(alice.call(&confirm)), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&recovery)), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&StartPasskey {})), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&give)), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&rotate)), ProblemCode::StepUpNeeded);
    assert!(on_record(&mut alice, "confirm-device", "step-up-needed"));

    // For one purpose, and for the session that showed it.
    show::<ConfirmDevice>(&mut alice, &mut authenticator);
    alice.call(&confirm).unwrap();
    alice.call(&recovery).unwrap();
    assert_eq!(refused(alice.call(&give)), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&rotate)), ProblemCode::StepUpNeeded);
    let mut phone = waiting;
    assert_eq!(refused(phone.call(&recovery)), ProblemCode::StepUpNeeded);
    show::<GiveGrant>(&mut alice, &mut authenticator);
    alice.call(&give).unwrap();
    show::<RotateSubkeys>(&mut alice, &mut authenticator);
    alice.call(&rotate).unwrap();
    assert!(on_record(&mut alice, "step-up", "own-session"));
    // A lost device is cut off without looking for a passkey first.
    alice.call(&Revoke { target: Target::Device(phone.identity().device), reason: String::new() }).unwrap();
}

#[test]
fn a_device_that_waits_is_confirmed_by_its_owners_passkey_and_by_no_other() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");
    let mut thief = keystore.log_in(&keystore.code_for("alice@example.org"));
    let start = StartStepUp { path: ConfirmByPasskey::PATH.into() };
    // She has none, so nobody shows it.
    assert_eq!(refused(thief.call(&start)), ProblemCode::Denied);
    assert_eq!(refused(thief.call(&ConfirmByPasskey {})), ProblemCode::Denied);

    let mut hers = enrol(&mut alice);
    let mut mallory = keystore.user("mallory@example.org");
    let mut mallorys = enrol(&mut mallory);
    // Somebody with a code and a passkey of their own, under their own name and under hers.
    for credential in [mallorys.id().to_vec(), hers.id().to_vec()] {
        let ceremony = thief.call(&start).unwrap();
        let answer = Answer { credential, ..mallorys.honest("webauthn.get", &ceremony) };
        let finish = FinishStepUp { ticket: ceremony.ticket, assertion: mallorys.sign(&answer) };
        assert_eq!(refused(thief.call(&finish)), ProblemCode::Denied);
    }
    assert_eq!(refused(thief.call(&ConfirmByPasskey {})), ProblemCode::StepUpNeeded);
    assert!(on_record(&mut alice, "step-up", "passkey-unknown"));
    assert!(on_record(&mut alice, "step-up", "passkey-signature"));
    // What a device that waits shows a passkey for is itself, and nothing else.
    let others = StartStepUp { path: ConfirmDevice::PATH.into() };
    assert_eq!(refused(thief.call(&others)), ProblemCode::DevicePending);

    // Her own new laptop.
    let mut laptop = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(refused(laptop.call(&ConfirmByPasskey {})), ProblemCode::StepUpNeeded);
    show::<ConfirmByPasskey>(&mut laptop, &mut hers);
    laptop.call(&ConfirmByPasskey {}).unwrap();
    assert_eq!(laptop.call(&WhoAmI {}).unwrap().device_state, DeviceState::Confirmed);
    assert_eq!(laptop.call(&ListKeys {}).unwrap().keys.len(), 1);
    assert_eq!(refused(thief.call(&ListKeys {})), ProblemCode::DevicePending);
    assert!(on_record(&mut alice, "confirm-by-passkey", "own-passkey"));
}

type Forgery = (&'static str, &'static str, fn(&mut Answer));

/// Each is an honest answer with one thing wrong, and signed by the right passkey.
const FORGERIES: &[Forgery] = &[
    ("another page", "passkey-origin", |a| a.client_data["origin"] = "https://mallory.example".into()),
    ("another port", "passkey-origin", |a| a.client_data["origin"] = "http://localhost:1".into()),
    ("the address in place of the name", "passkey-origin", |a| {
        let origin = a.client_data["origin"].as_str().unwrap().replace("localhost", "127.0.0.1");
        a.client_data["origin"] = origin.into();
    }),
    ("a page in somebody's frame", "passkey-origin", |a| a.client_data["crossOrigin"] = true.into()),
    ("a frame, by its newer name", "passkey-origin", |a| {
        a.client_data["topOrigin"] = "https://mallory.example".into();
    }),
    ("another relying party", "passkey-relying-party", |a| a.relying_party = "mallory.example".into()),
    ("nobody verified", "passkey-unverified", |a| a.flags = 0x01),
    ("nobody there", "passkey-unverified", |a| a.flags = 0x04),
    ("another challenge", "passkey-challenge", |a| {
        a.client_data["challenge"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    }),
    ("the challenge with padding", "passkey-challenge", |a| {
        a.client_data["challenge"] = format!("{}=", a.client_data["challenge"].as_str().unwrap()).into();
    }),
    ("no challenge", "passkey-malformed", |a| _ = a.client_data.as_object_mut().unwrap().remove("challenge")),
    ("the other kind of ceremony", "passkey-kind", |a| a.client_data["type"] = "webauthn.create".into()),
    ("a payment", "passkey-kind", |a| a.client_data["type"] = "payment.get".into()),
    ("an origin that stands twice", "passkey-malformed", |a| {
        let text = a.client_data.to_string();
        a.client_text = Some(text.replacen('{', "{\"origin\":\"https://mallory.example\",", 1));
    }),
    ("no JSON", "passkey-malformed", |a| a.client_text = Some("yes".into())),
    ("too much of it", "passkey-malformed", |a| a.client_data["more"] = "x".repeat(5000).into()),
    ("a counter that went back", "passkey-counter", |a| a.counter = 1),
    ("a counter that stands still", "passkey-counter", |a| a.counter -= 1),
    ("no counter all at once", "passkey-counter", |a| a.counter = 0),
    ("somebody else's name", "passkey-unknown", |a| a.credential = vec![7; 32]),
    ("a passkey brought along", "passkey-malformed", |a| a.flags |= 0x40),
    ("more than it announces", "passkey-malformed", |a| a.trailer = vec![0xa0]),
    ("less than it announces", "passkey-malformed", |a| a.flags |= 0x80),
];

#[test]
fn forged_answers_are_refused_each_for_its_reason() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut hers = enrol(&mut alice);
    show::<SetRecoveryCode>(&mut alice, &mut hers);
    let start = StartStepUp { path: GiveGrant::PATH.into() };
    for (what, rule, forge) in FORGERIES {
        let ceremony = alice.call(&start).unwrap();
        let mut answer = hers.honest("webauthn.get", &ceremony);
        if *what == "a counter that stands still" {
            // The last one that was taken.
            answer.counter = 3;
        }
        forge(&mut answer);
        let finish = FinishStepUp { ticket: ceremony.ticket, assertion: hers.sign(&answer) };
        assert_eq!(refused(alice.call(&finish)), ProblemCode::Denied, "{what}");
        let entries = trail(&mut alice).0;
        let last = entries.iter().rfind(|entry| entry.action == "step-up").unwrap();
        assert_eq!((last.decision.permitted, last.decision.rule.as_str()), (false, *rule), "{what}");
    }
    // Bytes that were changed after the signature.
    type Change = fn(&mut Assertion);
    let changes: [Change; 3] = [
        |a| a.authenticator_data.0[36] ^= 1,
        |a| *a.signature.0.last_mut().unwrap() ^= 1,
        |a| a.signature.0.clear(),
    ];
    for change in changes {
        let ceremony = alice.call(&start).unwrap();
        let mut assertion = hers.assert(&ceremony);
        change(&mut assertion);
        let finish = FinishStepUp { ticket: ceremony.ticket, assertion };
        assert_eq!(refused(alice.call(&finish)), ProblemCode::Denied);
    }
    // The honest one is taken, so each of them failed at what is wrong with it; and none of them counted before.
    let give =
        |key| GiveGrant { key, to: alice.identity().principal, uses: vec![KeyUse::Sign], expires_at: 1 };
    let key = "0000000000000000000000000000000000000000".parse().unwrap();
    let give = give(key);
    let ceremony = alice.call(&start).unwrap();
    let assertion = hers.assert(&ceremony);
    alice.call(&FinishStepUp { ticket: ceremony.ticket, assertion }).unwrap();
    assert_eq!(refused(alice.call(&give)), ProblemCode::NotFound);
}

#[test]
fn an_answer_is_good_once_for_its_session_and_its_purpose() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut hers = enrol(&mut alice);
    let start = |path: &str| StartStepUp { path: path.into() };
    let ceremony = alice.call(&start(SetRecoveryCode::PATH)).unwrap();
    let finish = FinishStepUp { ticket: ceremony.ticket.clone(), assertion: hers.assert(&ceremony) };
    // A thief who has the answer, and a device of hers that waits.
    let mut thief = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(thief.identity().device_state, DeviceState::Pending);
    assert_eq!(refused(thief.call(&finish)), ProblemCode::Denied);
    assert!(on_record(&mut alice, "step-up", "passkey-ticket"));
    alice.call(&finish).unwrap();
    // Again, as another request: the ticket is used up, and so is the counter.
    assert_eq!(refused(alice.call(&finish)), ProblemCode::ProofInvalid);
    // The answer to one question with the ticket of another.
    let (one, other) =
        (alice.call(&start(GiveGrant::PATH)).unwrap(), alice.call(&start(Revoke::PATH)).unwrap());
    let mixed = FinishStepUp { ticket: other.ticket, assertion: hers.assert(&one) };
    assert_eq!(refused(alice.call(&mixed)), ProblemCode::Denied);
    assert!(on_record(&mut alice, "step-up", "passkey-challenge"));
    // To make a passkey is not to show one.
    let ceremony = alice.call(&StartPasskey {}).unwrap();
    let made = FinishStepUp { ticket: ceremony.ticket.clone(), assertion: hers.assert(&ceremony) };
    assert_eq!(refused(alice.call(&made)), ProblemCode::Denied);
    assert_eq!(refused(alice.call(&start("/v1/keys/list"))), ProblemCode::Unacceptable);
}

#[test]
fn a_passkey_that_was_shown_or_added_and_whose_reply_was_lost_is_answered_again() {
    let proxy = Proxy::begin();
    let code = proxy.keystore.add("alice@example.org").parse().unwrap();
    let mut alice = proxy.patient_client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let mut lost = BTreeSet::new();
    proxy.on_answer(move |asked, answered| {
        let path = [AddPasskey::PATH, FinishStepUp::PATH].into_iter().find(|path| *path == asked.path);
        if path.is_some_and(|path| answered.status == 200 && lost.insert(path)) {
            (answered.status, answered.body) = (502, Vec::new());
        }
    });
    // The client sends both again by itself.
    let mut hers = enrol(&mut alice);
    assert_eq!(alice.call(&ListPasskeys {}).unwrap().passkeys.len(), 1);
    show::<SetRecoveryCode>(&mut alice, &mut hers);
    alice.call(&SetRecoveryCode { hash: vec![1; 32].into() }).unwrap();
    let count = |path: &str| proxy.seen().iter().filter(|(asked, _)| asked.path == path).count();
    assert_eq!((count(AddPasskey::PATH), count(FinishStepUp::PATH)), (2, 2));
    // Each was done once.
    let entries = trail(&mut alice).0;
    for action in ["add-passkey", "step-up"] {
        assert_eq!(entries.iter().filter(|entry| entry.action == action).count(), 1, "{action}");
    }
}

#[test]
fn a_passkey_is_added_from_a_confirmed_device_and_checked() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");
    let mut thief = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(refused(thief.call(&StartPasskey {})), ProblemCode::DevicePending);

    let mut hers = Authenticator::new();
    let mut add = |alice: &mut Session, forge: &dyn Fn(&mut Answer), change: &dyn Fn(&mut Registration)| {
        let ceremony = alice.call(&StartPasskey {}).unwrap();
        let mut answer = hers.honest("webauthn.create", &ceremony);
        forge(&mut answer);
        let mut registration = hers.registration(&answer);
        change(&mut registration);
        alice.call(&AddPasskey { ticket: ceremony.ticket, name: "key ring".into(), registration })
    };
    type Wrong = (&'static str, fn(&mut Answer));
    let wrong: [Wrong; 5] = [
        ("passkey-origin", |a| a.client_data["origin"] = "https://mallory.example".into()),
        ("passkey-relying-party", |a| a.relying_party = "mallory.example".into()),
        ("passkey-unverified", |a| a.flags = 0x01),
        ("passkey-kind", |a| a.client_data["type"] = "webauthn.get".into()),
        ("passkey-key", |a| a.algorithm = -8),
    ];
    for (rule, forge) in wrong {
        assert_eq!(refused(add(&mut alice, &forge, &|_| {})), ProblemCode::Denied, "{rule}");
        assert!(on_record(&mut alice, "add-passkey", rule), "{rule}");
    }
    let short = |registration: &mut Registration| registration.authenticator_data.0.truncate(60);
    assert_eq!(refused(add(&mut alice, &|_| {}, &short)), ProblemCode::Denied);
    assert!(alice.call(&ListPasskeys {}).unwrap().passkeys.is_empty());
    let Passkey { id, name, .. } = add(&mut alice, &|_| {}, &|_| {}).unwrap();
    assert_eq!(name, "key ring");
    let listed = alice.call(&ListPasskeys {}).unwrap().passkeys;
    assert_eq!(listed.iter().map(|passkey| passkey.id).collect::<Vec<_>>(), [id]);
    // Nobody else sees or removes it.
    let mut mallory = keystore.user("mallory@example.org");
    assert!(mallory.call(&ListPasskeys {}).unwrap().passkeys.is_empty());
    assert_eq!(refused(mallory.call(&RemovePasskey { passkey: id, recovery: None })), ProblemCode::NotFound);
}

#[test]
fn a_lost_passkey_is_removed_with_the_recovery_code_once() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let secret = [5; 16];
    alice.call(&SetRecoveryCode { hash: RecoveryCode::hash(&secret).to_vec().into() }).unwrap();
    enrol(&mut alice);
    let id = alice.call(&ListPasskeys {}).unwrap().passkeys[0].id;
    let remove = |recovery: Option<[u8; 16]>| RemovePasskey {
        passkey: id,
        recovery: recovery.map(|secret| SecretBytes::new(secret.as_slice())),
    };
    assert_eq!(refused(alice.call(&remove(None))), ProblemCode::StepUpNeeded);
    assert_eq!(refused(alice.call(&remove(Some([6; 16])))), ProblemCode::Denied);
    alice.call(&remove(Some(secret))).unwrap();
    let mut second = enrol(&mut alice);
    let id = alice.call(&ListPasskeys {}).unwrap().passkeys[0].id;
    let again = RemovePasskey { passkey: id, recovery: Some(SecretBytes::new(secret.as_slice())) };
    assert_eq!(refused(alice.call(&again)), ProblemCode::Denied);
    show::<RemovePasskey>(&mut alice, &mut second);
    alice.call(&RemovePasskey { passkey: id, recovery: None }).unwrap();
    assert!(alice.call(&ListPasskeys {}).unwrap().passkeys.is_empty());
}

#[test]
fn administrators_show_a_passkey_and_must_have_one_where_the_configuration_says_so() {
    let mut keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    admin.call(&create("bob@example.org")).unwrap();
    keystore.restart_with("[step_up]\nrequire_for_admins = true\n");
    assert_eq!(refused(admin.call(&create("carol@example.org"))), ProblemCode::Denied);
    assert!(on_record(&mut admin, "create-principal", "passkey-required"));
    // It is asked for from then on, and for everything that only administrators do.
    let mut his = enrol(&mut admin);
    let alice = keystore.user("alice@example.org");
    let cut_off = Revoke { target: Target::Device(alice.identity().device), reason: String::new() };
    assert_eq!(refused(admin.call(&create("carol@example.org"))), ProblemCode::StepUpNeeded);
    assert_eq!(refused(admin.call(&cut_off)), ProblemCode::StepUpNeeded);
    show::<CreatePrincipal>(&mut admin, &mut his);
    admin.call(&create("carol@example.org")).unwrap();
    admin.call(&cut_off).unwrap();
    // The server of before, or a configuration without the words, does not forget who has one.
    keystore.restart();
    let device = plombe_client::DeviceKey::from_pkcs8(admin.device().to_pkcs8()).unwrap();
    let options = plombe_client::Options::new(std::time::SystemTime::now);
    let mut again = Session::resume(admin.saved(), device, options).unwrap();
    again.call(&create("dave@example.org")).unwrap();
}
