// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the client does when a keystore, or something in between, misbehaves.

mod scripted;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plombe_client::{ClientError, DeviceKey, Keystore, Options, SavedSession, SeenLog, Session};
use plombe_core::keystore::{
    EnrolmentCode, ProblemCode, SessionToken,
    calls::{
        login::{DeviceState, Identity, SessionGrant},
        session::WhoAmI,
    },
};
use serde_json::{Value, json};

use scripted::{Ask, Say, Scripted};

const SECRET: [u8; 32] = [0x42; 32];
const NOW: u64 = 1_790_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn options() -> Options {
    Options {
        backoff: Duration::from_millis(1),
        request_timeout: Duration::from_secs(5),
        ..Options::new(now)
    }
}

fn alice() -> Identity {
    let id = "0193e3a0-0000-7000-8000-000000000001";
    Identity {
        tenant: id.parse().unwrap(),
        principal: id.parse().unwrap(),
        name: "Alice".into(),
        addresses: vec!["alice@example.org".into()],
        roles: Vec::new(),
        device: id.parse().unwrap(),
        device_state: DeviceState::Confirmed,
        has_recovery_code: false,
    }
}

fn grant(token: u8, expires_at: u64) -> SessionGrant {
    let id = "0193e3a0-0000-7000-8000-000000000002".parse().unwrap();
    SessionGrant { token: SessionToken::from_random(&[token; 32]), id, expires_at, ends_at: NOW + 10_000 }
}

fn session(keystore: &Scripted, expires_at: u64) -> Session {
    let saved = SavedSession {
        keystore: keystore.identity.clone(),
        grant: grant(1, expires_at),
        identity: alice(),
        log: SeenLog::default(),
    };
    Session::resume(saved, DeviceKey::generate(), options()).unwrap()
}

fn whoami() -> Value {
    serde_json::to_value(alice()).unwrap()
}

fn starts(script: impl Fn(&Scripted, usize, &Ask) -> Option<Say> + Send + 'static) -> Arc<Scripted> {
    Scripted::start(SECRET, script)
}

#[test]
fn a_call_is_sealed_and_proven_and_its_reply_opened() {
    let keystore = starts(|keystore, _, ask| {
        let proof = keystore.proof(ask, &[]);
        let opened = keystore.open(ask);
        assert_eq!(opened.call["call"], json!({}));
        assert!(proof.nonce().is_none());
        Some(opened.reply(200, whoami()))
    });
    assert_eq!(session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap(), alice());
}

#[test]
fn a_keystore_with_other_keys_is_not_talked_to() {
    let keystore = starts(|_, _, _| panic!("nothing must arrive"));
    let other = Scripted::start([0x43; 32], |_, _, _| panic!("nothing must arrive"));
    let connected = Keystore::connect(keystore.identity.origin.as_str(), Some(&other.identity), options());
    assert!(matches!(connected, Err(ClientError::IdentityChanged { .. })), "{connected:?}");
    assert!(
        Keystore::connect(keystore.identity.origin.as_str(), Some(&keystore.identity), options()).is_ok()
    );
}

#[test]
fn keys_that_change_after_pinning_are_noticed_by_the_first_call() {
    let keystore = Scripted::start([0x43; 32], |_, _, _| Some(Say::plain(400, ProblemCode::NotSealed)));
    let pinned = starts(|_, _, _| None);
    let mut identity = pinned.identity.clone();
    identity.origin = keystore.identity.origin.clone();
    let saved = SavedSession {
        keystore: identity,
        grant: grant(1, NOW + 500),
        identity: alice(),
        log: SeenLog::default(),
    };
    let mut session = Session::resume(saved, DeviceKey::generate(), options()).unwrap();
    let refused = session.call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::IdentityChanged { .. }), "{refused:?}");
}

#[test]
fn an_enrolment_code_for_another_keystore_is_not_sent() {
    let keystore = starts(|_, _, _| panic!("nothing must arrive"));
    let other = Scripted::start([0x43; 32], |_, _, _| None);
    let code = EnrolmentCode::new([7; 16], &other.identity);
    let connected = Keystore::connect(keystore.identity.origin.as_str(), None, options()).unwrap();
    let refused = connected.log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap_err();
    assert!(matches!(refused, ClientError::CodeForAnotherKeystore), "{refused:?}");
}

#[test]
fn an_enrolment_code_is_sent_once() {
    let keystore = starts(|_, _, _| None);
    let code = EnrolmentCode::new([7; 16], &keystore.identity);
    let connected = Keystore::connect(keystore.identity.origin.as_str(), None, options()).unwrap();
    let lost = connected.log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap_err();
    assert!(matches!(lost, ClientError::Unreachable(_)), "{lost:?}");
    assert_eq!(keystore.asks().len(), 1);
}

#[test]
fn a_lost_answer_is_asked_for_again_as_the_same_operation() {
    let keystore = starts(|keystore, number, ask| match number {
        0 => None,
        1 => Some(Say::plain(503, ProblemCode::Unavailable)),
        2 => Some(Say { status: 502, headers: Vec::new(), body: b"<html>bad gateway</html>".to_vec() }),
        _ => Some(keystore.open(ask).reply(200, whoami())),
    });
    session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap();
    let asks = keystore.asks();
    let ids: Vec<_> = asks.iter().map(|ask| keystore.open(ask).call["request_id"].clone()).collect();
    assert_eq!(ids, vec![ids[0].clone(); 4]);
    let proofs: std::collections::HashSet<_> =
        asks.iter().map(|ask| keystore.proof(ask, &[]).id().to_owned()).collect();
    assert_eq!(proofs.len(), 4, "each attempt has a proof of its own");
}

#[test]
fn a_keystore_that_stays_away_is_not_waited_for_for_ever() {
    let keystore = starts(|_, _, _| None);
    let lost = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(lost, ClientError::Unreachable(_)), "{lost:?}");
    assert_eq!(keystore.asks().len(), 4);
}

#[test]
fn the_keystores_nonce_goes_into_the_next_proof() {
    let keystore = starts(|keystore, number, ask| match number {
        0 => Some(Say::plain(401, ProblemCode::NonceNeeded).with("DPoP-Nonce", "n1")),
        1 => {
            keystore.proof(ask, &["n1"]);
            Some(keystore.open(ask).reply(200, whoami()).with("DPoP-Nonce", "n2"))
        }
        _ => {
            keystore.proof(ask, &["n2"]);
            Some(keystore.open(ask).reply(200, whoami()))
        }
    });
    let mut session = session(&keystore, NOW + 500);
    session.call(&WhoAmI {}).unwrap();
    session.call(&WhoAmI {}).unwrap();
    assert_eq!(keystore.asks().len(), 3);
}

#[test]
fn a_server_that_asks_for_nonces_without_end_is_left() {
    let keystore = starts(|_, number, _| {
        Some(Say::plain(401, ProblemCode::NonceNeeded).with("DPoP-Nonce", &format!("n{number}")))
    });
    let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::RefusedUnsealed { status: 401, .. }), "{refused:?}");
    assert_eq!(keystore.asks().len(), 3);
}

#[test]
fn a_session_about_to_expire_is_renewed_first() {
    let keystore = starts(|keystore, _, ask| {
        let opened = keystore.open(ask);
        Some(match ask.path.as_str() {
            "/v1/session/renew" => opened.reply(200, serde_json::to_value(grant(2, NOW + 600)).unwrap()),
            _ => opened.reply(200, whoami()),
        })
    });
    let mut session = session(&keystore, NOW + 59);
    session.call(&WhoAmI {}).unwrap();
    session.call(&WhoAmI {}).unwrap();
    let paths: Vec<_> =
        keystore.asks().into_iter().map(|ask| (ask.path, ask.headers["authorization"].clone())).collect();
    let (old, new) = (grant(1, 0).token, grant(2, 0).token);
    assert_eq!(
        paths,
        [
            ("/v1/session/renew".to_owned(), format!("DPoP {}", old.expose())),
            ("/v1/whoami".to_owned(), format!("DPoP {}", new.expose())),
            ("/v1/whoami".to_owned(), format!("DPoP {}", new.expose())),
        ]
    );
    assert_eq!(session.saved().grant.token.expose(), new.expose());
}

#[test]
fn a_changed_reply_is_not_believed() {
    let keystore = starts(|keystore, _, ask| {
        let mut say = keystore.open(ask).reply(200, whoami());
        let ct = say.body.len() - 10;
        say.body[ct] = if say.body[ct] == b'A' { b'B' } else { b'A' };
        Some(say)
    });
    let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::Tampered), "{refused:?}");
    assert_eq!(keystore.asks().len(), 1);
}

#[test]
fn an_answer_without_the_seal_is_not_believed() {
    let keystore =
        starts(|_, _, _| Some(Say { status: 200, headers: Vec::new(), body: whoami().to_string().into() }));
    let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::Tampered), "{refused:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = starts(|_, _, _| panic!("nothing must arrive"));
    let url = elsewhere.identity.origin.url("/v1/whoami");
    let keystore = starts(move |_, _, _| {
        Some(Say { status: 307, headers: Vec::new(), body: Vec::new() }.with("Location", &url))
    });
    let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::RefusedUnsealed { status: 307, .. }), "{refused:?}");
}

#[test]
fn an_answer_without_end_is_not_read() {
    let keystore =
        starts(|_, _, _| Some(Say { status: 200, headers: Vec::new(), body: vec![b' '; 9 << 20] }));
    let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
    assert!(matches!(refused, ClientError::Tampered), "{refused:?}");
}

#[test]
fn sealed_refusals_say_what_to_do() {
    for (code, expected) in [
        (ProblemCode::NotLoggedIn, "not-logged-in"),
        (ProblemCode::DevicePending, "device-pending"),
        (ProblemCode::Denied, "denied"),
    ] {
        let keystore = starts(move |keystore, _, ask| {
            let problem = json!({"code": code.as_str(), "message": "no"});
            Some(keystore.open(ask).reply(code.status(), problem))
        });
        let refused = session(&keystore, NOW + 500).call(&WhoAmI {}).unwrap_err();
        assert_eq!(refused.code(), expected);
    }
}
