// SPDX-License-Identifier: LGPL-2.0-or-later
//! The public directory: what it shows, and what it does not.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use plombe_core::{
    cert::Certificate,
    keystore::calls::{
        certificates::{AddUserId, RevocationReason, RevocationTarget, RevokeKey},
        keys::{GenerateKey, Profile},
        login::Role,
        principals::{CreatePrincipal, PrincipalState, SetPrincipalState},
    },
    recipients::{Address, wkd},
};

use crate::{keystore::TestKeystore, mail::generate};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

/// Exactly these bytes on the wire, so that nothing is tidied on the way.
pub(crate) fn ask(keystore: &TestKeystore, method: &str, path: &str, host: &str) -> Answer {
    ask_with(keystore, method, path, host, "")
}

/// The same with more header lines.
fn ask_with(keystore: &TestKeystore, method: &str, path: &str, host: &str, more: &str) -> Answer {
    let mut stream = TcpStream::connect(keystore.url().trim_start_matches("http://")).unwrap();
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{more}Connection: close\r\n\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let fields = head.lines().skip(1).map(str::to_ascii_lowercase);
    let changes = |line: &String| line.starts_with("date:") || line.starts_with("x-request-id:");
    let headers = fields.filter(|line| !changes(line)).collect::<Vec<_>>().join("\n");
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

pub(crate) fn get(keystore: &TestKeystore, path: &str) -> Answer {
    ask(keystore, "GET", path, "keys.example.org")
}

pub(crate) fn wkd_path(address: &str) -> String {
    format!("/{}", wkd::advanced_path(&Address::parse(address).unwrap()))
}

pub(crate) fn search(what: &str, op: &str) -> String {
    format!("/pks/lookup?op={op}&options=mr&search={what}")
}

#[test]
fn a_key_in_custody_is_in_the_directory_at_once_with_the_asked_address_alone() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    assert_eq!(get(&keystore, &wkd_path("alice@example.org")).status, 404);
    let key = generate(&mut alice, "alice@example.org");
    let fingerprint = key.fingerprint.as_fingerprint().to_hex();

    let direct = "/.well-known/openpgpkey/hu/".to_owned()
        + &wkd::hash(&Address::parse("ALICE@example.org").unwrap())
        + "?l=ALICE";
    let by_path = get(&keystore, &wkd_path("alice@example.org"));
    let by_host = ask(&keystore, "GET", &direct, "Example.org:443");
    for answer in [&by_path, &by_host] {
        assert_eq!(answer.status, 200);
        assert!(answer.headers.contains("access-control-allow-origin: *"), "{}", answer.headers);
        assert!(answer.headers.contains("content-type: application/octet-stream"), "{}", answer.headers);
        let certificate = Certificate::parse(&answer.body).unwrap();
        assert_eq!(certificate.fingerprint().to_hex(), fingerprint);
        assert_eq!(certificate.unverified_user_ids(), ["<alice@example.org>"]);
        assert!(answer.body[0] & 0x80 != 0, "armored");
    }
    let head = ask(&keystore, "HEAD", &wkd_path("alice@example.org"), "x");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for policy in ["/.well-known/openpgpkey/example.org/policy", "/.well-known/openpgpkey/policy"] {
        assert_eq!(ask(&keystore, "GET", policy, "example.org").status, 200);
        assert_eq!(ask(&keystore, "HEAD", policy, "example.org").status, 200);
    }

    for path in [
        search("Alice%40example.org", "get"),
        search("Alice@example.org", "get") + "&exact=on",
        search(&format!("0x{fingerprint}"), "get"),
        search(&format!("0x{}", &fingerprint[24..].to_lowercase()), "get"),
        format!("/vks/v1/by-fingerprint/{fingerprint}"),
        format!("/vks/v1/by-keyid/{}", &fingerprint[24..]),
        "/vks/v1/by-email/alice%40example.org".to_owned(),
    ] {
        let answer = get(&keystore, &path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"), "{path}");
        assert_eq!(Certificate::parse(&answer.body).unwrap().fingerprint().to_hex(), fingerprint);
    }
    let index = get(&keystore, &(search("alice@example.org", "index") + "&fingerprint=on"));
    let index = String::from_utf8(index.body).unwrap();
    assert!(index.starts_with(&format!("info:1:1\npub:{fingerprint}:")), "{index}");
    assert!(index.contains("\nuid:%3Calice%40example.org%3E:"), "{index}");
}

#[test]
fn what_is_hidden_looks_like_what_is_not_there() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let fingerprint = key.fingerprint.as_fingerprint().to_hex();
    let by_fingerprint = format!("/vks/v1/by-fingerprint/{fingerprint}");
    assert_eq!(get(&keystore, &by_fingerprint).status, 200);
    let principal = alice.identity().principal;
    admin.call(&SetPrincipalState { principal, state: PrincipalState::Suspended }).unwrap();

    let unknown = get(&keystore, &wkd_path("nobody@example.org"));
    assert_eq!(unknown.status, 404);
    for path in [
        wkd_path("alice@example.org"),
        wkd_path("alice@example.com"),
        search("alice@example.org", "get"),
        search("alice@example.org", "index"),
        search(&fingerprint, "get"),
        by_fingerprint,
        // Nothing is found by a part, and nothing is listed.
        search("alice", "index"),
        search("example.org", "index"),
        search("@example.org", "vindex"),
        search("", "index"),
        search(&fingerprint[32..], "get"),
        search("*", "index"),
    ] {
        let answer = get(&keystore, &path);
        assert_eq!(answer.status, unknown.status, "{path}");
        assert_eq!(answer.headers, unknown.headers, "{path}");
        assert_eq!(answer.body, unknown.body, "{path}");
    }
}

#[test]
fn a_revoked_key_is_shown_as_revoked() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let revoke = RevokeKey {
        key: key.fingerprint.clone(),
        target: RevocationTarget::Certificate,
        reason: RevocationReason::Compromised,
        message: String::new(),
    };
    alice.call(&revoke).unwrap();
    let answer = get(&keystore, &wkd_path("alice@example.org"));
    assert_eq!(answer.status, 200);
    let index = String::from_utf8(get(&keystore, &search("alice@example.org", "index")).body).unwrap();
    assert!(index.lines().nth(1).unwrap().ends_with(":r"), "{index}");
}

#[test]
fn version_6_does_not_reach_programs_that_cannot_read_it() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let user_ids = vec!["<alice@example.org>".to_owned()];
    let make = GenerateKey { user_ids, profile: Profile::Rfc9580, valid_for_seconds: None };
    let v6 = alice.call(&make).unwrap().key.fingerprint.as_fingerprint().to_hex();
    let version = |path: &str| {
        let answer = get(&keystore, path);
        (answer.status == 200).then(|| Certificate::parse(&answer.body).unwrap().version())
    };
    assert_eq!(version(&search("alice@example.org", "get")), None);
    assert_eq!(version(&search(&format!("0x{v6}"), "get")), None);
    assert_eq!(version("/vks/v1/by-email/alice@example.org"), None);
    assert_eq!(version(&format!("/vks/v1/by-fingerprint/{v6}")), Some(6));
    // Alone it is better than nothing; next to a version 4 key it would be in its way.
    assert_eq!(version(&wkd_path("alice@example.org")), Some(6));
    generate(&mut alice, "alice@example.org");
    assert_eq!(version(&wkd_path("alice@example.org")), Some(4));

    // One of another address is in nobody's way.
    let mut admin = keystore.log_in(keystore.admin_code());
    let addresses = vec!["bob@example.org".to_owned(), "bobby@example.org".to_owned()];
    admin.call(&CreatePrincipal { name: "Bob".into(), addresses, roles: vec![Role::User] }).unwrap();
    let mut bob = keystore.log_in(&keystore.code_for("bob@example.org"));
    let user_ids = vec!["<bobby@example.org>".to_owned()];
    bob.call(&GenerateKey { user_ids, profile: Profile::Rfc9580, valid_for_seconds: None }).unwrap();
    generate(&mut bob, "bob@example.org");
    assert_eq!(version(&wkd_path("bob@example.org")), Some(4));
    assert_eq!(version(&wkd_path("bobby@example.org")), Some(6));
}

#[test]
fn other_addresses_of_the_same_key_stay_inside() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let addresses = vec!["alice@example.org".to_owned(), "secret.project@example.org".to_owned()];
    let create = CreatePrincipal { name: "Alice".into(), addresses, roles: vec![Role::User] };
    admin.call(&create).unwrap();
    let mut alice = keystore.log_in(&keystore.code_for("alice@example.org"));
    let key = generate(&mut alice, "alice@example.org");
    for user_id in ["Alice Liddell <alice@example.org>", "<secret.project@example.org>"] {
        alice.call(&AddUserId { key: key.fingerprint.clone(), user_id: user_id.into() }).unwrap();
    }
    // Statements that follow each other in one second are dated one later each.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let email = |address: &str| format!("/vks/v1/by-email/{address}");
    let shown = |path: &str| {
        let mut all = Certificate::parse(&get(&keystore, path).body).unwrap().unverified_user_ids();
        all.sort();
        all
    };
    let asked = ["<alice@example.org>", "Alice Liddell <alice@example.org>"];
    for path in
        [wkd_path("alice@example.org"), search("alice@example.org", "get"), email("alice@example.org")]
    {
        assert_eq!(shown(&path), asked, "{path}");
    }
    assert_eq!(shown(&wkd_path("secret.project@example.org")), ["<secret.project@example.org>"]);
}

#[test]
fn hostile_questions_get_a_plain_no() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");
    let hash = wkd::hash(&Address::parse("alice@example.org").unwrap());
    let long = "a".repeat(5000);
    for path in [
        format!("/.well-known/openpgpkey/example.org/hu/..%2f..%2f{hash}"),
        format!("/.well-known/openpgpkey/example.org/hu/{hash}%00"),
        format!("/.well-known/openpgpkey/example.org/../example.org/hu/{hash}"),
        format!("/.well-known/openpgpkey//hu/{hash}"),
        "/.well-known/openpgpkey/example.org/hu/%ff%fe".to_owned(),
        "/.well-known/openpgpkey/example.org/hu/".to_owned(),
        format!("/.well-known/openpgpkey/example.org/hu/{long}"),
        format!("/vks/v1/by-email/{long}%40example.org"),
        "/vks/v1/by-email/alice%2540example.org".to_owned(),
        "/vks/v1/by-email/%22alice%22@example.org".to_owned(),
        "/vks/v1/by-email/alice@example.org%0d%0aX:y".to_owned(),
        "/vks/v1/by-keyid/0x00".to_owned(),
        search("%00", "get"),
        search("alice@example.org%00", "get"),
        search(&long, "get"),
        "/pks/lookup".to_owned(),
        search("alice@example.org", "stats"),
    ] {
        let answer = get(&keystore, &path);
        assert!(matches!(answer.status, 400 | 404 | 501), "{path}: {}", answer.status);
    }
    // The domain of the direct method is the host that was asked, and nothing else.
    let direct = format!("/.well-known/openpgpkey/hu/{hash}");
    for host in
        ["example.com", "example.org.evil.example", "example.org@evil.example", "[::1]", "example.org:x", ""]
    {
        let answer = ask(&keystore, "GET", &direct, host);
        assert!(matches!(answer.status, 400 | 404), "{host}: {}", answer.status);
    }
    for path in ["/pks/add", "/vks/v1/upload", "/vks/v1/request-verify"] {
        let answer = ask(&keystore, "POST", path, "keys.example.org");
        assert_eq!(answer.status, 403);
        assert!(String::from_utf8(answer.body).unwrap().contains("plombe login"), "{path}");
    }
    assert_eq!(get(&keystore, &search("alice@example.org", "stats")).status, 501);
}

#[test]
fn who_has_the_newest_certificate_is_told_so_without_it() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    for path in [
        wkd_path("alice@example.org"),
        search("alice@example.org", "get"),
        search("alice@example.org", "index"),
        "/vks/v1/by-email/alice@example.org".to_owned(),
    ] {
        let first = get(&keystore, &path);
        let field = |answer: &Answer, name: &str| {
            answer.headers.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
        };
        assert_eq!(field(&first, "cache-control: ").as_deref(), Some("public, max-age=300"));
        // (Header lines are in lower case here; the tag is not.)
        let lower = field(&first, "etag: ").expect("no entity tag");
        let known = |tag: &str| ask_with(&keystore, "GET", &path, "x", &format!("If-None-Match: {tag}\r\n"));
        assert_eq!(known("\"other\"").status, 200, "{path}");
        let tag = original_tag(&keystore, &path);
        assert_eq!(tag.to_ascii_lowercase(), lower);
        for tag in [tag.clone(), format!("\"other\", W/{tag}")] {
            let same = known(&tag);
            assert_eq!((same.status, same.body.len()), (304, 0), "{path} {tag}");
            assert_eq!(field(&same, "etag: "), field(&first, "etag: "));
        }
    }
    // A change changes the tag.
    let before = original_tag(&keystore, &wkd_path("alice@example.org"));
    let user_id = "Alice <alice@example.org>".to_owned();
    alice.call(&AddUserId { key: key.fingerprint, user_id }).unwrap();
    assert_ne!(original_tag(&keystore, &wkd_path("alice@example.org")), before);
    // What is not there has none: it would tell that there is something.
    assert!(!get(&keystore, &wkd_path("nobody@example.org")).headers.contains("etag"));
}

fn original_tag(keystore: &TestKeystore, path: &str) -> String {
    let mut stream = TcpStream::connect(keystore.url().trim_start_matches("http://")).unwrap();
    write!(stream, "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).unwrap();
    head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
}

#[test]
fn the_limit_does_not_tell_who_exists() {
    let mut keystore = TestKeystore::start();
    let config = std::fs::read_to_string(keystore.config()).unwrap();
    std::fs::write(keystore.config(), config + "\n[limits]\nlook_ups_per_minute = 10\n").unwrap();
    let mut alice = keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");
    let mut admin = keystore.log_in(keystore.admin_code());
    let principal = alice.identity().principal;
    admin.call(&SetPrincipalState { principal, state: PrincipalState::Suspended }).unwrap();
    // Each in a fresh server: the same number of answers, in the same words.
    let mut series = Vec::new();
    for address in ["nobody@example.org", "alice@example.org", "alice@elsewhere.example"] {
        for path in [wkd_path(address), search(address, "get"), format!("/vks/v1/by-email/{address}")] {
            keystore.restart();
            let answers: Vec<_> = (0..14).map(|_| get(&keystore, &path)).collect();
            let told: Vec<_> =
                answers.into_iter().map(|answer| (answer.status, answer.headers, answer.body)).collect();
            assert_eq!(told.iter().filter(|(status, ..)| *status == 404).count(), 10, "{path}");
            assert!(told[10..].iter().all(|(status, ..)| *status == 429), "{path}");
            series.push((path, told));
        }
    }
    for (path, told) in &series[1..] {
        assert_eq!(*told, series[0].1, "{path}");
    }
}

#[test]
fn look_ups_are_bounded() {
    let keystore = TestKeystore::start();
    let answers: Vec<_> = (0..130).map(|_| get(&keystore, &wkd_path("nobody@example.org"))).collect();
    assert!(answers[..120].iter().all(|answer| answer.status == 404));
    let refused = answers.iter().find(|answer| answer.status == 429).expect("no limit");
    assert!(refused.headers.contains("retry-after: 60"));
}
