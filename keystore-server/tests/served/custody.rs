// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys that stay where they are, and what is done with them.

use std::time::SystemTime;

use plombe_client::ClientError;
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        ProblemCode,
        calls::{
            audit::{ListEntries, Scope},
            custody::{Context, Purpose, Unwrap},
            devices::ConfirmDevice,
            keys::{GenerateKey, Profile},
        },
    },
    log::{SignedCheckpoint, VerifierKey},
    message::{Seal, SealedMessage},
};

use crate::{
    keystore::TestKeystore,
    mail::{self, generate, refused},
    raw,
};

#[test]
fn a_message_opens_with_a_key_that_never_left_and_the_use_is_on_record() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let user_ids = vec!["Alice <alice@example.org>".to_owned()];
        let made = alice.call(&GenerateKey { user_ids, profile, valid_for_seconds: None }).unwrap();
        let certificate = Certificate::parse(&made.key.certificate.0).unwrap();
        let sealed = seal_for(&certificate);
        let message = SealedMessage::parse(&sealed[..]).unwrap();
        let wrapped = &message.wrapped_session_keys()[0];
        let call = Unwrap {
            key: made.key.fingerprint.clone(),
            pkesk: wrapped.to_bytes().into(),
            session_key_size: message.session_key_size().map(|size| u8::try_from(size).unwrap()),
            context: Context {
                message_id: Some("<1@example.org>".into()),
                sender: None,
                purpose: Purpose::ReadMail,
            },
        };
        let answer = alice.call(&call).unwrap();
        message.accept_session_key(answer.cipher, answer.session_key.expose()).unwrap();

        let entries = alice
            .call(&ListEntries { scope: Scope::Key(made.key.fingerprint.clone()), after: None, limit: 10 })
            .unwrap();
        let verifier: VerifierKey = keystore.client().identity().log_verifier.parse().unwrap();
        let checkpoint = SignedCheckpoint::open(&entries.checkpoint, &verifier).unwrap();
        let last = entries.entries.last().unwrap();
        assert_eq!(last.position, answer.position);
        let _ = last.verify(checkpoint.head()).unwrap();
    }
}

fn seal_for(certificate: &Certificate) -> Vec<u8> {
    let mut sealed = Vec::new();
    let now = SystemTime::now();
    let policy = CryptoPolicy::standard();
    Seal::new(vec![certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed).unwrap();
    sealed
}

#[test]
fn who_uses_keys_too_often_is_told_how_long_to_wait_and_nobody_else_is() {
    let mut keystore = TestKeystore::start();
    let config = std::fs::read_to_string(keystore.config()).unwrap();
    std::fs::write(keystore.config(), config + "\n[limits]\nkey_uses_per_minute = 3\n").unwrap();
    keystore.restart();
    let mut alice = keystore.user("alice@example.org");
    let mut bob = keystore.user("bob@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let bobs = generate(&mut bob, "bob@example.org");
    let mail = mail::seal_for(&key.certificate);
    for _ in 0..3 {
        mail::open(&mut alice, &key.fingerprint, &mail).unwrap();
    }
    let Err(ClientError::Refused(problem)) = mail::open(&mut alice, &key.fingerprint, &mail) else {
        panic!("a fourth time")
    };
    assert_eq!(problem.code, ProblemCode::RateLimited);
    assert!(problem.hint.is_some_and(|hint| hint.starts_with("wait ") && hint.ends_with(" seconds")));
    // Nor by the other way in.
    alice.call(&raw::allow(&key, 600)).unwrap();
    assert_eq!(refused(alice.call(&raw::share(&key))), ProblemCode::RateLimited);
    // Another device of hers is hers; Bob is not.
    let mut phone = keystore.log_in(&keystore.code_for("alice@example.org"));
    let confirm = ConfirmDevice { device: phone.identity().device, thumbprint: phone.device().thumbprint() };
    alice.call(&confirm).unwrap();
    assert_eq!(refused(mail::open(&mut phone, &key.fingerprint, &mail)), ProblemCode::RateLimited);
    mail::open(&mut bob, &bobs.fingerprint, &mail::seal_for(&bobs.certificate)).unwrap();
}
