// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates of keys that stay on their owners' devices, in the directory: whose they are, and who changes them.

use std::time::SystemTime;

use plombe_client::Session;
use plombe_core::{
    cert::{Certificate, Profile, Reason, Tsk},
    crypto_policy::CryptoPolicy,
    keystore::{
        KeyFingerprint, ProblemCode, SecretBytes,
        calls::{
            directory::{ListPublished, PublishCertificate, WithdrawCertificate},
            keys::ImportKey,
            login::{DeviceState, Role},
            principals::{CreateCode, CreatePrincipal, PrincipalState, SetPrincipalState},
            revoke::{Revoke, Target},
        },
    },
};

use crate::{
    directory::{get, search, wkd_path},
    keystore::TestKeystore,
    mail::{generate, refused},
    trail::trail,
};

/// A key on its owner's device.
pub(crate) fn local(user_ids: &[&str]) -> Tsk {
    let user_ids: Vec<String> = user_ids.iter().map(|text| (*text).to_owned()).collect();
    Tsk::generate(Profile::Rfc4880, &user_ids, None, SystemTime::now()).unwrap().tsk
}

pub(crate) fn publish(tsk: &Tsk) -> PublishCertificate {
    PublishCertificate { certificate: tsk.certificate().to_bytes().into() }
}

fn fingerprint(tsk: &Tsk) -> KeyFingerprint {
    tsk.fingerprint().try_into().unwrap()
}

/// Does one's log show that?
fn sees(session: &mut Session, action: &str, rule: &str) -> bool {
    trail(session).0.iter().any(|entry| entry.action == action && entry.decision.rule == rule)
}

fn found(keystore: &TestKeystore, path: &str) -> Option<Certificate> {
    let answer = get(keystore, path);
    (answer.status == 200).then(|| Certificate::parse(&answer.body).unwrap())
}

#[test]
fn a_published_certificate_is_found_with_its_owners_addresses_alone_and_gone_at_once_when_withdrawn() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let tsk = local(&["Alice <alice@example.org>", "<alice@private.example>", "<bob@example.org>"]);
    let id = fingerprint(&tsk);
    let answer = alice.call(&publish(&tsk)).unwrap();
    assert_eq!(answer.addresses, ["alice@example.org"]);
    let stored = Certificate::parse(&answer.certificate.certificate.0).unwrap();
    assert_eq!(stored.unverified_user_ids(), ["Alice <alice@example.org>"], "more was kept than is shown");

    let subkey = tsk.certificate().describe(&CryptoPolicy::standard(), SystemTime::now()).keys.pop().unwrap();
    let paths = [
        wkd_path("alice@example.org"),
        search("alice@example.org", "get"),
        search(&id.to_string(), "get"),
        search(&id.to_string()[24..], "get"),
        "/vks/v1/by-email/alice@example.org".to_owned(),
        format!("/vks/v1/by-fingerprint/{id}"),
        format!("/vks/v1/by-fingerprint/{}", subkey.fingerprint.to_hex()),
        format!("/vks/v1/by-keyid/{}", &subkey.fingerprint.to_hex()[24..]),
    ];
    for path in &paths {
        let shown = found(&keystore, path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(shown.fingerprint(), tsk.fingerprint(), "{path}");
        assert_eq!(shown.unverified_user_ids(), ["Alice <alice@example.org>"], "{path}");
    }
    for path in [wkd_path("bob@example.org"), wkd_path("alice@private.example")] {
        assert_eq!(get(&keystore, &path).status, 404, "{path}");
    }
    assert_eq!(alice.call(&ListPublished {}).unwrap().certificates, [answer.certificate]);

    alice.call(&WithdrawCertificate { key: id.clone() }).unwrap();
    let unknown = get(&keystore, &wkd_path("nobody@example.org"));
    for path in &paths {
        let gone = get(&keystore, path);
        assert_eq!(
            (gone.status, &gone.headers, &gone.body),
            (404, &unknown.headers, &unknown.body),
            "{path}"
        );
    }
    assert_eq!(refused(alice.call(&WithdrawCertificate { key: id })), ProblemCode::NotFound);
    assert!(sees(&mut alice, "publish-certificate", "own-address"));
    assert!(sees(&mut alice, "withdraw-certificate", "owner"));
}

#[test]
fn what_was_published_is_only_added_to_and_a_revocation_stays() {
    let mut keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let tsk = local(&["<alice@example.org>"]);
    alice.call(&publish(&tsk)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let revoked = tsk.clone().revoke(Reason::Compromised, "", SystemTime::now()).unwrap();
    alice.call(&publish(&revoked)).unwrap();
    // Whoever has only the older copy does not take the revocation back.
    alice.call(&publish(&tsk)).unwrap();
    keystore.restart();
    let index = String::from_utf8(get(&keystore, &search("alice@example.org", "index")).body).unwrap();
    assert!(index.lines().nth(1).unwrap().ends_with(":r"), "{index}");
}

#[test]
fn nobody_publishes_for_somebody_else_or_takes_the_place_of_another_certificate() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut mallory = keystore.user("mallory@example.org");
    let hers = local(&["<alice@example.org>"]);
    alice.call(&publish(&hers)).unwrap();

    // Alice's certificate, or one that claims her address, by somebody else.
    assert_eq!(refused(mallory.call(&publish(&hers))), ProblemCode::Denied);
    let claiming = local(&["<alice@example.org>"]);
    assert_eq!(refused(mallory.call(&publish(&claiming))), ProblemCode::Denied);
    // With an address of one's own in it, that one counts and no other.
    let both = local(&["<mallory@example.org>", "<alice@example.org>"]);
    mallory.call(&publish(&both)).unwrap();
    assert_eq!(
        refused(mallory.call(&WithdrawCertificate { key: fingerprint(&hers) })),
        ProblemCode::NotFound
    );
    for path in [wkd_path("alice@example.org"), search("alice@example.org", "get")] {
        assert_eq!(found(&keystore, &path).unwrap().fingerprint(), hers.fingerprint(), "{path}");
    }
    let shown = found(&keystore, &search(&fingerprint(&both).to_string(), "get")).unwrap();
    assert_eq!(shown.unverified_user_ids(), ["<mallory@example.org>"]);

    // Somebody who got hold of a certificate with an address of theirs does not keep its owner from it, nor become its owner.
    let shared = local(&["<alice@example.org>", "<mallory@example.org>"]);
    alice.call(&publish(&shared)).unwrap();
    assert_eq!(refused(mallory.call(&publish(&shared))), ProblemCode::Conflict);

    // A key in custody speaks for itself.
    let key = generate(&mut alice, "alice@example.org");
    let again = PublishCertificate { certificate: key.certificate };
    assert_eq!(refused(alice.call(&again)), ProblemCode::Conflict);
    assert!(matches!(refused(mallory.call(&again)), ProblemCode::Denied));

    assert!(sees(&mut alice, "publish-certificate", "address-not-yours"), "the attempt is not in her log");
    assert!(sees(&mut alice, "publish-certificate", "certificate-of-another"));
    assert!(sees(&mut alice, "withdraw-certificate", "not-found"));
}

/// A subkey for encryption is not asked whether it agrees to be bound. `alice.tsk.pgp` is hers, `mallory.pgp` has a primary key and an
/// address of his and her subkey for encryption, bound by him.
#[test]
fn whoever_claims_a_subkey_of_somebody_else_learns_nothing_of_where_it_is_and_leads_nobody_astray() {
    let claiming = Certificate::parse(include_bytes!("claimed/mallory.pgp")).unwrap();
    let publish = PublishCertificate { certificate: claiming.to_bytes().into() };
    let hers = Certificate::parse(include_bytes!("claimed/alice.tsk.pgp")).unwrap();
    let subkey = claiming.unverified_keys().pop().unwrap();
    assert!(hers.matches(&subkey.clone().into()));
    let answers = [true, false].map(|is_in_custody| {
        let keystore = TestKeystore::start();
        let mut alice = keystore.user("alice@example.org");
        if is_in_custody {
            let tsk = SecretBytes::new(&include_bytes!("claimed/alice.tsk.pgp")[..]);
            alice.call(&ImportKey { tsk }).unwrap();
        }
        let answer = keystore.user("mallory@example.org").call(&publish).unwrap();
        if is_in_custody {
            let hex = subkey.to_hex();
            for path in [format!("/vks/v1/by-fingerprint/{hex}"), search(&hex[24..], "get")] {
                let shown = found(&keystore, &path).unwrap();
                assert_eq!(shown.fingerprint(), hers.fingerprint(), "{path}");
            }
        }
        (answer.addresses, answer.certificate.fingerprint, answer.certificate.certificate)
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_key_that_comes_into_custody_brings_its_published_certificate_along() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let tsk = local(&["<alice@example.org>"]);
    alice.call(&publish(&tsk)).unwrap();
    let secret = plombe_core::custody::to_bytes(&tsk).unwrap();
    alice.call(&ImportKey { tsk: SecretBytes::new(&secret[..]) }).unwrap();
    assert!(alice.call(&ListPublished {}).unwrap().certificates.is_empty());
    let shown = found(&keystore, &wkd_path("alice@example.org")).unwrap();
    assert_eq!(shown.fingerprint(), tsk.fingerprint());
}

#[test]
fn an_admin_alone_does_not_replace_her_directory_certificate_and_she_sees_each_attempt() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut alice = keystore.user("alice@example.org");
    let hers = local(&["<alice@example.org>"]);
    alice.call(&publish(&hers)).unwrap();
    let alice_id = alice.identity().principal;
    let forged = local(&["<alice@example.org>"]);
    let still_hers = |keystore: &TestKeystore| {
        let shown = found(keystore, &wkd_path("alice@example.org")).unwrap();
        assert_eq!(shown.fingerprint(), hers.fingerprint());
        assert_eq!(get(keystore, &search(&fingerprint(&forged).to_string(), "get")).status, 404);
    };

    // As himself.
    assert_eq!(refused(admin.call(&publish(&forged))), ProblemCode::Denied);
    still_hers(&keystore);
    // As her, with a code that he makes: the device waits for her, and does nothing until then.
    let code = keystore.code_for("alice@example.org");
    let mut as_her = keystore.log_in(&code);
    assert_eq!(as_her.identity().device_state, DeviceState::Pending);
    assert_eq!(refused(as_her.call(&publish(&forged))), ProblemCode::DevicePending);
    assert_eq!(
        refused(as_her.call(&WithdrawCertificate { key: fingerprint(&hers) })),
        ProblemCode::DevicePending
    );
    still_hers(&keystore);
    // As somebody whose address differs from hers in case only.
    let create = CreatePrincipal {
        name: "Alice".into(),
        addresses: vec!["ALICE@example.org".into()],
        roles: vec![Role::User],
    };
    admin.call(&create).unwrap();
    let mut look_alike = keystore.log_in(&keystore.code_for("ALICE@example.org"));
    assert_eq!(refused(look_alike.call(&publish(&forged))), ProblemCode::Denied);
    still_hers(&keystore);
    // After he has cut off every device of hers: what she published is something to lose.
    let reset = |session: &mut Session, device| {
        session.call(&Revoke { target: Target::Device(device), reason: String::new() }).unwrap();
    };
    let (hers_device, waiting) = (alice.identity().device, as_her.identity().device);
    reset(&mut admin, hers_device);
    reset(&mut admin, waiting);
    let secret = admin.call(&CreateCode { principal: alice_id, valid_for_seconds: None });
    assert!(secret.is_ok());
    let mut anew = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(anew.identity().device_state, DeviceState::Pending);
    assert_eq!(refused(anew.call(&publish(&forged))), ProblemCode::DevicePending);
    still_hers(&keystore);
    // What he can do is to hide her, and that is on record.
    admin.call(&SetPrincipalState { principal: alice_id, state: PrincipalState::Suspended }).unwrap();
    assert_eq!(get(&keystore, &wkd_path("alice@example.org")).status, 404);
}

#[test]
fn the_attempts_of_an_admin_are_in_her_log() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut alice = keystore.user("alice@example.org");
    alice.call(&publish(&local(&["<alice@example.org>"]))).unwrap();
    let forged = local(&["<alice@example.org>"]);
    assert_eq!(refused(admin.call(&publish(&forged))), ProblemCode::Denied);
    let mut as_her = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(refused(as_her.call(&publish(&forged))), ProblemCode::DevicePending);
    for rule in ["own-address", "address-not-yours", "device-pending"] {
        assert!(sees(&mut alice, "publish-certificate", rule), "{rule}");
    }
}
