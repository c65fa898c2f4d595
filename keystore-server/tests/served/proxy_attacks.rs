// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a proxy in front of the keystore tries. It carries everything; it reads nothing, changes nothing and speaks for nobody.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use plombe_client::{ClientError, DeviceKey, Session};
use plombe_core::{
    keystore::{
        DevicePublicKey, EnrolmentCode, INFO_PATH, ProblemCode, SessionToken,
        calls::{
            Call,
            custody::Unwrap,
            keys::{GenerateKey, ListKeys},
            login::LoginWithCode,
            revoke::Revoke,
            session::{RenewSession, WhoAmI},
        },
        dpop::ProofRequest,
    },
    log::entry::Entry,
};

use crate::{
    mail::{generate, open, refused, seal_for},
    proxy::{Asked, Proxy},
    trail::trail,
};

/// Logs Alice in through the proxy.
fn alice(proxy: &Proxy) -> Session {
    let code = proxy.keystore.add("alice@example.org").parse().unwrap();
    proxy.client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap()
}

/// A key that the proxy makes up, to prove that it is a device.
struct Forger(EcdsaKeyPair);

impl Forger {
    fn new() -> Self {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap())
    }

    /// A proof of its own for somebody's request: right in everything but the key.
    fn prove(&self, url: &str, asked: &Asked) -> String {
        let session = asked.headers.get("authorization").map(|value| {
            SessionToken::parse(value.to_str().unwrap().trim_start_matches("DPoP ")).unwrap().hash()
        });
        let claims = claims(asked);
        let request = ProofRequest {
            method: "POST",
            url,
            body: &asked.body,
            session,
            nonce: claims["nonce"].as_str(),
            now: std::time::SystemTime::now(),
            id: [7; 16],
        };
        let public = DevicePublicKey::from_sec1(self.0.public_key().as_ref()).unwrap();
        let input = request.signing_input(&public);
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        ProofRequest::assemble(&input, signature.as_ref().try_into().unwrap())
    }
}

/// What the client's own proof says.
fn claims(asked: &Asked) -> serde_json::Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let proof = asked.headers["dpop"].to_str().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The newest request to a call that went through, and was answered with a seal.
fn last<C: Call>(proxy: &Proxy) -> (Asked, crate::proxy::Answered) {
    let seen = proxy.seen();
    seen.into_iter().rfind(|(asked, answered)| asked.path == C::PATH && answered.status == 200).unwrap()
}

fn permitted<'a>(entries: &'a [Entry], action: &'a str) -> impl Iterator<Item = &'a Entry> {
    entries.iter().filter(move |entry| entry.action == action && entry.decision.permitted)
}

#[test]
fn a_proxy_carries_everything_and_reads_nothing() {
    let proxy = Proxy::begin();
    let code: EnrolmentCode = proxy.keystore.add("alice@example.org").parse().unwrap();
    let mut alice = proxy.client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let key = generate(&mut alice, "alice@example.org");
    open(&mut alice, &key.fingerprint, &seal_for(&key.certificate)).unwrap();
    let fingerprint = serde_json::to_string(&key.fingerprint).unwrap().replace('"', "");
    let code = code.to_text();
    let secrets = ["alice", "laptop", "BEGIN PGP", "user_ids", "session_key", &fingerprint, &code];
    let seen = proxy.seen();
    assert!(seen.iter().any(|(asked, _)| asked.path == Unwrap::PATH));
    for (asked, answered) in &seen {
        for text in [&asked.body, &answered.body].map(|body| String::from_utf8_lossy(body)) {
            for secret in secrets {
                assert!(!text.contains(secret), "{} shows {secret}", asked.path);
            }
        }
    }
}

#[test]
fn a_proxy_that_rewrites_a_request_gets_it_refused() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    generate(&mut alice, "alice@example.org");
    // Each place of the body: what is sealed, what it is sealed with, and the frame around it.
    for place in [0, 10, 30, 60, 100, 300] {
        proxy.on_request(move |asked| {
            if let Some(byte) = asked.body.get_mut(place) {
                *byte = if *byte == b'A' { b'B' } else { b'A' };
            }
        });
        let result = alice.call(&ListKeys {});
        assert!(matches!(result, Err(ClientError::RefusedUnsealed { .. })), "{place}: {result:?}");
    }
    // A body that proves right, since the proxy signs for it itself: sealed by somebody else, or to nobody.
    let forger = Forger::new();
    let url = format!("{}{}", proxy.client().identity().origin, ListKeys::PATH);
    proxy.on_request(move |asked| {
        if asked.path == ListKeys::PATH {
            let proof = forger.prove(&url, asked);
            asked.headers.insert("dpop", proof.parse().unwrap());
        }
    });
    assert_eq!(alice.call(&ListKeys {}).unwrap_err().code(), "refused-unsealed");
    proxy.behave();
    assert_eq!(alice.call(&ListKeys {}).unwrap().keys.len(), 1);
}

#[test]
fn a_request_for_one_thing_is_not_taken_for_another() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    generate(&mut alice, "alice@example.org");
    for other in [Revoke::PATH, GenerateKey::PATH, RenewSession::PATH, WhoAmI::PATH] {
        proxy.on_request(move |asked| asked.path = other.to_owned());
        let result = alice.call(&ListKeys {});
        assert!(matches!(result, Err(ClientError::RefusedUnsealed { .. })), "{other}: {result:?}");
    }
    proxy.behave();
    assert_eq!(alice.call(&ListKeys {}).unwrap().keys.len(), 1);
}

#[test]
fn a_proxy_that_swaps_replies_is_found_out() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    generate(&mut alice, "alice@example.org");
    alice.call(&ListKeys {}).unwrap();
    let (asked, earlier) = last::<ListKeys>(&proxy);
    // An older answer to the same question, the answer to another one, an answer of its own, and one to another request of its own.
    alice.call(&WhoAmI {}).unwrap();
    let other = last::<WhoAmI>(&proxy).1;
    let mut made_up = earlier.clone();
    made_up.body = br#"{"keys":[]}"#.to_vec();
    let again = proxy.ask(&asked);
    for swapped in [earlier.clone(), other, made_up, again] {
        proxy.on_answer(move |_, answered| answered.body = swapped.body.clone());
        assert!(matches!(alice.call(&ListKeys {}), Err(ClientError::Tampered)));
    }
    for place in [20, 70, 200] {
        proxy.on_answer(move |_, answered| answered.body[place] ^= 1);
        assert!(matches!(alice.call(&ListKeys {}), Err(ClientError::Tampered)), "{place}");
    }
    // A refusal that nobody sealed is reported, and believed no further.
    proxy.on_answer(|_, answered| {
        answered.status = 403;
        answered.body = br#"{"code":"denied","message":"you may not"}"#.to_vec();
    });
    assert!(matches!(alice.call(&ListKeys {}), Err(ClientError::RefusedUnsealed { .. })));
    proxy.behave();
    assert_eq!(alice.call(&ListKeys {}).unwrap().keys.len(), 1);
}

#[test]
fn a_request_that_is_sent_again_is_done_once() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    let key = generate(&mut alice, "alice@example.org");
    let mail = seal_for(&key.certificate);
    open(&mut alice, &key.fingerprint, &mail).unwrap();
    // Later, in its own name: sealed for Alice, and a refusal.
    let (asked, first) = last::<Unwrap>(&proxy);
    let again = proxy.ask(&asked);
    assert_ne!(again.body, first.body);
    // At once, and the client gets the second answer.
    proxy.send_each(2);
    let result = open(&mut alice, &key.fingerprint, &mail);
    assert_eq!(refused(result), ProblemCode::ProofInvalid);
    proxy.behave();
    let entries = trail(&mut alice).0;
    assert_eq!(permitted(&entries, "unwrap").count(), 2);
    let replayed = entries.iter().filter(|entry| entry.decision.rule == "proof-replayed").count();
    assert_eq!(replayed, 2, "what the proxy did is not on record");
}

#[test]
fn a_proxy_that_puts_its_own_device_key_on_a_log_in_gets_no_device() {
    let proxy = Proxy::begin();
    let code: EnrolmentCode = proxy.keystore.add("alice@example.org").parse().unwrap();
    let forger = Forger::new();
    let url = format!("{}{}", proxy.client().identity().origin, LoginWithCode::PATH);
    proxy.on_request(move |asked| {
        if asked.path == LoginWithCode::PATH {
            let proof = forger.prove(&url, asked);
            asked.headers.insert("dpop", proof.parse().unwrap());
        }
    });
    let result = proxy.client().log_in_with_code(DeviceKey::generate(), &code, "laptop");
    assert!(matches!(result, Err(ClientError::RefusedUnsealed { .. })), "{result:?}");
    // Her code is not used up, and nobody else's key is a device of hers.
    proxy.behave();
    let mut alice = proxy.client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let devices =
        alice.call(&plombe_core::keystore::calls::devices::ListDevices { principal: None }).unwrap();
    assert_eq!(devices.devices.len(), 1);
}

#[test]
fn a_session_value_that_the_proxy_sees_is_useless_to_it() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    generate(&mut alice, "alice@example.org");
    alice.call(&ListKeys {}).unwrap();
    let (asked, _) = last::<ListKeys>(&proxy);
    // It has the value, and everything but her device's key.
    let forger = Forger::new();
    let url = format!("{}{}", proxy.client().identity().origin, ListKeys::PATH);
    let mut own = asked.clone();
    own.headers.insert("dpop", forger.prove(&url, &asked).parse().unwrap());
    let answer = proxy.ask(&own);
    assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(&answer.body));
    assert!(String::from_utf8_lossy(&answer.body).contains("not-sealed"));
    // In Mallory's hands, and in his requests.
    let code = proxy.keystore.add("mallory@example.org").parse().unwrap();
    let mut mallory = proxy.client().log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let value = asked.headers["authorization"].clone();
    proxy.on_request(move |asked| _ = asked.headers.insert("authorization", value.clone()));
    let result = mallory.call(&ListKeys {});
    assert!(matches!(result, Err(ClientError::RefusedUnsealed { .. })), "{result:?}");
}

#[test]
fn a_proxy_that_gives_out_a_key_of_its_own_is_not_talked_to() {
    let proxy = Proxy::begin();
    let mut alice = alice(&proxy);
    let pin = alice.keystore().identity().clone();
    let own = "\"hpke_public\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"";
    proxy.on_answer(move |asked, answered| {
        if asked.path == INFO_PATH {
            let text = String::from_utf8(answered.body.clone()).unwrap();
            let (before, rest) = text.split_once("\"hpke_public\":").unwrap();
            let (_, after) = rest.split_once(',').unwrap();
            answered.body = format!("{before}{own},{after}").into_bytes();
        }
    });
    // After the pin it is another keystore, at which nobody logs in.
    assert!(matches!(proxy.try_client(Some(&pin)), Err(ClientError::IdentityChanged { .. })));
    // Before it, the enrolment code names the right one.
    let code: EnrolmentCode = proxy.keystore.code_for("alice@example.org").parse().unwrap();
    let before = proxy.seen().len();
    let result = proxy.client().log_in_with_code(DeviceKey::generate(), &code, "phone");
    assert!(matches!(result, Err(ClientError::CodeForAnotherKeystore)), "{result:?}");
    assert!(proxy.seen()[before..].iter().all(|(asked, _)| asked.path == INFO_PATH), "something was sent");
    // Who has pinned the keystore does not ask for its keys any more.
    alice.call(&WhoAmI {}).unwrap();
}
