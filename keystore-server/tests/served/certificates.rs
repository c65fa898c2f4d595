// SPDX-License-Identifier: LGPL-2.0-or-later
//! The key that certifies does what it is asked by name, for its owner, and nothing else.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use plombe_client::{ClientError, DeviceKey, Options, Session};
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        ProblemCode,
        calls::{
            certificates::{
                AddUserId, CertifyUserIds, RevocationReason, RevocationTarget, RevokeKey, RotateSubkeys,
                SetExpiry,
            },
            custody::{Context, SignDigest, SignatureClaim},
            grants::{GiveGrant, KeyUse},
            keys::ListKeys,
        },
    },
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
    proxy::Proxy,
    trail::trail,
};

#[test]
fn a_rotated_key_opens_old_and_new_mail() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let old_mail = seal_for(&key.certificate);
    let rotated = alice.call(&RotateSubkeys { key: key.fingerprint.clone() }).unwrap();
    let new_mail = seal_for(&rotated.certificate);
    assert_eq!(alice.call(&ListKeys {}).unwrap().keys[0].certificate, rotated.certificate);
    let subkeys = |certificate: &[u8]| Certificate::parse(certificate).unwrap().unverified_keys().len();
    assert_eq!(subkeys(&rotated.certificate.0), subkeys(&key.certificate.0) + 2);
    open(&mut alice, &key.fingerprint, &old_mail).unwrap();
    open(&mut alice, &key.fingerprint, &new_mail).unwrap();
}

#[test]
fn of_two_rotations_at_once_one_is_told_and_none_is_lost() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let call = RotateSubkeys { key: key.fingerprint.clone() };
    let device = alice.device().to_pkcs8().to_vec();
    let mut done = 0;
    let conflict = (0..50).any(|_| {
        let saved = alice.saved();
        let barrier = Barrier::new(2);
        let rotate = || {
            let device = DeviceKey::from_pkcs8(&device).unwrap();
            let options = Options::new(std::time::SystemTime::now);
            let mut session = Session::resume(saved.clone(), device, options).unwrap();
            barrier.wait();
            session.call(&call).map(drop)
        };
        let results = thread::scope(|scope| {
            let threads = [scope.spawn(rotate), scope.spawn(rotate)];
            threads.map(|thread| thread.join().unwrap())
        });
        done += results.iter().filter(|result| result.is_ok()).count();
        let told = |result: &Result<(), ClientError>| match result {
            Err(ClientError::Refused(problem)) => problem.code == ProblemCode::Conflict,
            other => {
                assert!(other.is_ok(), "{other:?}");
                false
            }
        };
        results.iter().any(told)
    });
    assert!(conflict, "two at once never met");
    let now = &alice.call(&ListKeys {}).unwrap().keys[0];
    let keys = Certificate::parse(&now.certificate.0).unwrap().unverified_keys().len();
    assert_eq!(keys, 3 + 2 * done);
    open(&mut alice, &key.fingerprint, &seal_for(&now.certificate)).unwrap();
}

#[test]
fn a_primary_key_signs_no_digest_so_nothing_is_bound_or_revoked_that_way() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let signing = Certificate::parse(&key.certificate.0).unwrap().unverified_keys();
    let mut signed = 0;
    for subkey in signing {
        let is_primary = subkey == *key.fingerprint.as_fingerprint();
        // Binary and text; then what binds a subkey, binds back, and revokes key, subkey and user ID.
        for signature_type in [0, 1, 0x18, 0x19, 0x20, 0x28, 0x30] {
            let call = SignDigest {
                key: key.fingerprint.clone(),
                subkey: subkey.clone().try_into().unwrap(),
                hash: 8,
                digest: vec![7; 32].into(),
                claim: SignatureClaim { signature_type, created: 0 },
                context: Context::default(),
            };
            match alice.call(&call) {
                Ok(_) => {
                    assert!(!is_primary && signature_type < 2);
                    signed += 1;
                }
                Err(ClientError::Refused(problem)) => {
                    assert!(matches!(problem.code, ProblemCode::KeyUnusable | ProblemCode::Unacceptable))
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(signed, 2);
    // Five kinds with each of the three keys, and every one of them is on record.
    let entries = trail(&mut alice).0;
    let refused: Vec<_> = entries.iter().filter(|entry| entry.decision.rule == "signature-type").collect();
    assert_eq!(refused.len(), 15);
    assert!(refused.iter().all(|entry| entry.action == "sign" && !entry.decision.permitted));
}

#[test]
fn whoever_holds_every_grant_changes_and_certifies_nothing() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut bob = keystore.user("bob@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let bobs = generate(&mut bob, "bob@example.org");
    let expires_at = alice.saved().grant.expires_at + 3600;
    let give = |uses: Vec<KeyUse>| GiveGrant {
        key: key.fingerprint.clone(),
        to: bob.identity().principal,
        uses,
        expires_at,
    };
    assert_eq!(refused(alice.call(&give(vec![KeyUse::Certify]))), ProblemCode::Unacceptable);
    alice.call(&give(vec![KeyUse::Unwrap, KeyUse::Sign])).unwrap();
    open(&mut bob, &key.fingerprint, &seal_for(&key.certificate)).unwrap();

    let fingerprint = || key.fingerprint.clone();
    let certify = CertifyUserIds {
        key: fingerprint(),
        certificate: bobs.certificate.clone(),
        user_ids: vec!["<bob@example.org>".into()],
    };
    let revoke = RevokeKey {
        key: fingerprint(),
        target: RevocationTarget::Certificate,
        reason: RevocationReason::Retired,
        message: String::new(),
    };
    let add = AddUserId { key: fingerprint(), user_id: "<bob@example.org>".into() };
    assert_eq!(refused(bob.call(&certify)), ProblemCode::Denied);
    assert_eq!(refused(bob.call(&RotateSubkeys { key: fingerprint() })), ProblemCode::Denied);
    assert_eq!(refused(bob.call(&SetExpiry { key: fingerprint(), expires_at: None })), ProblemCode::Denied);
    assert_eq!(refused(bob.call(&revoke)), ProblemCode::Denied);
    assert_eq!(refused(bob.call(&add)), ProblemCode::Denied);

    // The owner vouches for Bob, not for what his certificate does not claim, and not for herself.
    let certified = alice.call(&certify).unwrap().certificate;
    assert!(certified.0.len() > bobs.certificate.0.len());
    let unclaimed = CertifyUserIds { user_ids: vec!["<carol@example.org>".into()], ..certify.clone() };
    assert_eq!(refused(alice.call(&unclaimed)), ProblemCode::Unacceptable);
    let own = CertifyUserIds { certificate: key.certificate.clone(), ..certify };
    assert_eq!(refused(alice.call(&own)), ProblemCode::Unacceptable);
}

#[test]
fn a_key_gets_its_owners_addresses_an_expiry_and_an_end() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let mail = seal_for(&key.certificate);
    let fingerprint = || key.fingerprint.clone();
    let add = |user_id: &str| AddUserId { key: fingerprint(), user_id: user_id.into() };
    assert_eq!(refused(alice.call(&add("<bob@example.org>"))), ProblemCode::Denied);
    let added = alice.call(&add("Alice <alice@example.org>")).unwrap().certificate;
    let user_ids = Certificate::parse(&added.0).unwrap().unverified_user_ids();
    assert!(user_ids.contains(&"Alice <alice@example.org>".to_owned()), "{user_ids:?}");

    let revoke = |target, reason| RevokeKey { key: fingerprint(), target, reason, message: String::new() };
    let user_id = RevocationTarget::UserId("<alice@example.org>".into());
    let wrong = revoke(user_id.clone(), RevocationReason::Compromised);
    assert_eq!(refused(alice.call(&wrong)), ProblemCode::Unacceptable);
    alice.call(&revoke(user_id, RevocationReason::UserIdInvalid)).unwrap();
    alice.call(&SetExpiry { key: fingerprint(), expires_at: Some(4_000_000_000) }).unwrap();
    alice.call(&revoke(RevocationTarget::Certificate, RevocationReason::Retired)).unwrap();

    // Over, but what was sent to it is not lost.
    assert_eq!(refused(alice.call(&RotateSubkeys { key: fingerprint() })), ProblemCode::KeyUnusable);
    open(&mut alice, &key.fingerprint, &mail).unwrap();
    alice.call(&revoke(RevocationTarget::Certificate, RevocationReason::Compromised)).unwrap();
}

#[test]
fn a_change_whose_answer_was_lost_is_made_once_and_answered_again() {
    let proxy = Proxy::begin();
    let code = proxy.keystore.add("alice@example.org").parse().unwrap();
    let mut alice = proxy.patient_client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let key = generate(&mut alice, "alice@example.org");
    let add = AddUserId { key: key.fingerprint.clone(), user_id: "Alice <alice@example.org>".into() };
    alice.call(&add).unwrap();
    let revoke = RevokeKey {
        key: key.fingerprint.clone(),
        target: RevocationTarget::UserId("<alice@example.org>".into()),
        reason: RevocationReason::UserIdInvalid,
        message: String::new(),
    };
    let rotate = RotateSubkeys { key: key.fingerprint.clone() };
    let lost = Arc::new(AtomicUsize::new(0));
    let loses_two = Arc::clone(&lost);
    proxy.on_answer(move |asked, answered| {
        if asked.path.starts_with("/v1/keys/") && loses_two.fetch_add(1, Ordering::Relaxed) < 2 {
            (answered.status, answered.body) = (503, Vec::new());
        }
    });
    let revoked = alice.call(&revoke).unwrap();
    assert_eq!(lost.swap(0, Ordering::Relaxed), 3, "it was sent three times");
    let rotated = alice.call(&rotate).unwrap();
    assert_eq!(alice.call(&ListKeys {}).unwrap().keys[0].certificate, rotated.certificate);
    let subkeys = |certificate: &[u8]| Certificate::parse(certificate).unwrap().unverified_keys().len();
    assert_eq!(subkeys(&rotated.certificate.0), subkeys(&revoked.certificate.0) + 2);
    // What cannot be done is still refused, and on record.
    assert_eq!(refused(alice.call(&revoke)), ProblemCode::Unacceptable);
    let entries = trail(&mut alice).0;
    let changed =
        |rule: &str| entries.iter().filter(|e| e.action == "key-changed" && e.decision.rule == rule).count();
    assert_eq!((changed("owner"), changed("change-impossible")), (3, 1));
}

#[test]
fn what_is_changed_in_the_second_that_it_was_made_in_counts_at_once() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let policy = CryptoPolicy::standard();
    for day in 1..4 {
        let expires_at = 4_000_000_000 + day * 24 * 3600;
        let call = SetExpiry { key: key.fingerprint.clone(), expires_at: Some(expires_at) };
        let changed = alice.call(&call).unwrap().certificate;
        let about = Certificate::parse(&changed.0).unwrap().describe(&policy, SystemTime::now());
        assert_eq!(about.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at)));
    }
}
