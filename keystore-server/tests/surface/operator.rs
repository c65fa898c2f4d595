// SPDX-License-Identifier: LGPL-2.0-or-later
//! What whoever runs the server sees of it: numbers, lines, counted refusals. Nobody's names, nobody's secrets.

use std::{fs, process::Command};

use plombe_client::Session;
use plombe_core::{
    keystore::calls::{
        audit::{Entries, ListEntries, Scope},
        custody::{Context, Purpose, SignDigest, SignatureClaim, Unwrap},
        devices::ListDevices,
        keys::{GenerateKey, KeyInfo, Profile},
        login::Role,
    },
    log::{Disclosure, SignedCheckpoint},
};

use crate::{
    server::{PROGRAM, Server},
    wire::{Caller, Request, send},
};

fn generate(session: &mut Session, address: &str) -> KeyInfo {
    let user_ids = vec![format!("<{address}>")];
    session.call(&GenerateKey { user_ids, profile: Profile::Rfc4880, valid_for_seconds: None }).unwrap().key
}

/// Unwraps and signs with planted values in everything that a client may say. What they are, and the session's value.
fn use_keys(server: &Server, session: &mut Session, key: &KeyInfo) -> Vec<String> {
    let context = Context {
        message_id: Some("<planted-message-id@example.org>".into()),
        sender: Some("planted-sender@example.org".into()),
        purpose: Purpose::ReadMail,
    };
    let unwrap = Unwrap {
        key: key.fingerprint.clone(),
        pkesk: b"planted packet".to_vec().into(),
        session_key_size: None,
        context: context.clone(),
    };
    let _ = session.call(&unwrap).unwrap_err();
    let sign = SignDigest {
        key: key.fingerprint.clone(),
        subkey: key.signing[0].clone(),
        hash: 8,
        digest: b"planted digest, 32 bytes long...".to_vec().into(),
        claim: SignatureClaim { signature_type: 0, created: 1_234_567_890 },
        context,
    };
    session.call(&sign).unwrap();
    let saved = session.saved();
    let proof = Caller::of(session).prove("/v1/whoami", b"", None);
    // A request that is refused outside of the seal, with a header to be found.
    let planted = Request::new("POST", "/v1/whoami")
        .header("Content-Type", "application/json")
        .header("Authorization", &format!("DPoP {}", saved.grant.token.expose()))
        .header("DPoP", &proof)
        .header("X-Planted", "planted-header");
    send(
        server.address(),
        &Request { body: b"{\"planted\":\"planted-body\"}".to_vec(), ..planted }.to_bytes(),
    );
    send(
        server.address(),
        &Request::new("GET", "/pks/lookup?op=get&search=planted-search@example.org").to_bytes(),
    );
    vec![
        "planted".to_owned(),
        saved.grant.token.expose().to_owned(),
        proof,
        "DPoP ".to_owned(),
        "alice@example.org".to_owned(),
        sign.digest.to_base64url(),
        unwrap.pkesk.to_base64url(),
    ]
}

#[test]
fn the_servers_log_has_ids_and_codes_and_nothing_that_anybody_sent_at_any_level() {
    for level in ["info", "debug", "trace", "trace,plombe_keystore=trace,hyper=info,h2=warn"] {
        let mut server = Server::start("", "");
        let log = server.log_to("server.log", level);
        server.configure("", "");
        let code = server.code_for("admin@example.org");
        let mut alice = server.user("alice@example.org");
        let _ = server.client().log_in_with_code(
            plombe_client::DeviceKey::generate(),
            &code.parse().unwrap(),
            "planted-device-name",
        );
        let key = generate(&mut alice, "alice@example.org");
        let mut secrets = use_keys(&server, &mut alice, &key);
        secrets.push(code.replace('-', ""));
        secrets.push(code);
        let request = Caller::of(&alice);
        let (sealed, _) = request.seal("/v1/whoami", b"{}", None);
        let id =
            send(server.address(), &sealed.to_bytes()).unwrap().header("x-request-id").unwrap().to_owned();

        let text = fs::read_to_string(&log).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let answered = |call: &str| {
            lines.iter().any(|line| line["fields"]["call"] == call && line["fields"]["request"].is_string())
        };
        assert!(
            answered("/v1/keys/sign") && answered("/v1/login/code") && answered("/pks/lookup"),
            "{level}\n{text}"
        );
        assert!(lines.iter().any(|line| line["fields"]["request"] == id.as_str()), "{level}: {id}");
        for secret in &secrets {
            assert!(
                !text.to_lowercase().contains(&secret.to_lowercase()),
                "{level}: {secret:?} is in\n{text}"
            );
        }
    }
}

#[test]
fn a_level_that_says_nothing_is_refused() {
    let error = start_at("plombe_keystore=loudly");
    assert!(error.contains("PLOMBE_LOG"), "{error}");
}

/// What a library says there can be a whole request.
#[test]
fn a_level_that_would_tell_bodies_is_refused_and_says_why() {
    for level in
        ["hyper=trace", "info,h2=debug", "hyper", "tower_http::trace=DEBUG", "plombe=5", "sqlx[{body}]=trace"]
    {
        let error = start_at(level);
        assert!(error.contains("PLOMBE_LOG") && error.contains("bodies"), "{level}: {error}");
    }
    for level in ["hyper=info", "h2=off,plombe_keystore::api=trace", "trace"] {
        let error = start_at(level);
        assert!(!error.contains("PLOMBE_LOG") && error.contains("nonexistent"), "{level}: {error}");
    }
}

/// What a server says that cannot start anyway.
fn start_at(level: &str) -> String {
    let mut serve = Command::new(PROGRAM);
    serve.args(["serve", "--config", "/nonexistent"]).env("PLOMBE_LOG", level);
    let output = serve.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn metrics_count_and_name_nobody() {
    let mut server = Server::start("", "");
    let log = server.log_to("server.log", "info");
    server.configure("", "[metrics]\nlisten = \"127.0.0.2:0\"\n");
    let text = fs::read_to_string(&log).unwrap();
    let line = text.lines().find(|line| line.contains("\"message\":\"metrics\"")).expect("it says where");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let address = line["fields"]["address"].as_str().unwrap().parse().unwrap();

    let mut alice = server.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    use_keys(&server, &mut alice, &key);
    let identity = alice.identity().clone();
    let answer = send(address, &Request::new("GET", "/metrics").to_bytes()).unwrap();
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "plombe_keystore_requests_total{call=\"/v1/keys/sign\",code=\"ok\"} 1",
        "plombe_keystore_requests_total{call=\"/v1/whoami\",code=\"proof-invalid\"} 1",
        "plombe_keystore_request_seconds_count{call=\"/v1/keys/sign\"} 1",
        "plombe_keystore_stopped 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // Of labels there are words of the program only.
    for name in [
        "alice".to_owned(),
        "example.org".to_owned(),
        "planted".to_owned(),
        "127.0.0".to_owned(),
        identity.principal.to_string(),
        identity.device.to_string(),
        identity.tenant.to_string(),
        alice.saved().grant.id.to_string(),
        key.fingerprint.to_string(),
        key.fingerprint.to_string().to_lowercase(),
    ] {
        assert!(!text.contains(&name), "{name}\n{text}");
    }
    // Only there, and nothing else is there.
    assert_eq!(send(server.address(), &Request::new("GET", "/metrics").to_bytes()).unwrap().status, 404);
    assert_eq!(send(address, &Request::new("GET", "/v1/info").to_bytes()).unwrap().status, 404);
}

/// Entries of a kind, as a session may read them.
fn entries(session: &mut Session, scope: Scope, action: &str) -> Vec<serde_json::Value> {
    let list = ListEntries { scope, after: None, limit: 500 };
    let Entries { entries, checkpoint, .. } = session.call(&list).unwrap();
    let verifier = session.keystore().identity().log_verifier.parse().unwrap();
    let head = *SignedCheckpoint::open(&checkpoint, &verifier).unwrap().head();
    let bodies = entries.iter().filter_map(|entry| match entry.verify(&head).unwrap() {
        Disclosure::Whole { body, .. } => serde_json::from_slice::<serde_json::Value>(&body).ok(),
        Disclosure::Erased { .. } => None,
    });
    bodies.filter(|body| body["action"] == action).collect()
}

/// What the log says as a whole, for an auditor.
fn notes(auditor: &mut Session, action: &str) -> Vec<String> {
    let found = entries(auditor, Scope::All, action).into_iter();
    found.map(|body| body["about"]["note"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn refused_reads_and_replayed_proofs_are_counted_and_not_an_entry_each() {
    let mut server = Server::start("", "");
    let mut admin = server.admin();
    let principal = admin.identity().principal;
    let mut auditor = server.with_roles(&mut admin, "auditor@example.org", vec![Role::Auditor]);
    let mut alice = server.user("alice@example.org");
    for _ in 0..3 {
        // Somebody else's devices: a read, and not hers.
        alice.call(&ListDevices { principal: Some(principal) }).unwrap_err();
    }
    // One sound request to a call that is recorded, twelve times: she sees that, and not each of them.
    let begin = Request::new("POST", "/v1/whoami").header("Content-Type", "application/json");
    let nonce = send(server.address(), &begin.to_bytes()).unwrap().header("dpop-nonce").unwrap().to_owned();
    let call = br#"{"request_id":"0f8fad5b-d9cb-469f-a165-70867728950e","call":{}}"#;
    let (request, _) = Caller::of(&alice).seal("/v1/session/renew", call, Some(&nonce));
    let before = notes(&mut auditor, "renew-session").len();
    for _ in 0..12 {
        assert_eq!(send(server.address(), &request.to_bytes()).unwrap().status, 200);
    }
    assert_eq!(notes(&mut auditor, "renew-session").len(), before + 1 + 6, "the replays are entries");

    // They go on record when the minute is over, or when the server is told to stop.
    server.stop_and_start();
    let mut auditor = server.again(&auditor);
    let counted = notes(&mut auditor, "refused-anonymous");
    for note in ["not-found: 3", "proof-replayed: 5"] {
        assert!(counted.iter().any(|found| found == note), "{note}: {counted:?}");
    }
}

#[test]
fn who_would_read_everybodys_entries_is_on_record_with_their_name() {
    let server = Server::start("", "");
    let mut admin = server.admin();
    let mut auditor = server.with_roles(&mut admin, "auditor@example.org", vec![Role::Auditor]);
    for _ in 0..3 {
        admin.call(&ListEntries { scope: Scope::All, after: None, limit: 1 }).unwrap_err();
    }
    let found = entries(&mut auditor, Scope::All, "read-log");
    let rules: Vec<_> = found.iter().map(|entry| &entry["decision"]["rule"]).collect();
    assert_eq!(rules, ["auditors-only", "auditors-only", "auditors-only", "auditor"]);
    assert_eq!(found[0]["actor"]["principal"], admin.identity().principal.to_string());
    // Also in their own list.
    assert_eq!(entries(&mut admin, Scope::Mine, "read-log").len(), 3);
}
