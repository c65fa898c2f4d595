// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key find`, `trust` and `publish` against a key server on this machine.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use plombe_tests::{ALICE, BOB, Home, Scratch};
use serde_json::Value;

/// A key server that publishes whatever it is given, as HKP servers do.
struct KeyServer {
    port: u16,
    /// Address → armored certificates.
    certificates: Arc<Mutex<HashMap<String, String>>>,
    uploads: Arc<Mutex<Vec<String>>>,
}

impl KeyServer {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            certificates: Arc::default(),
            uploads: Arc::default(),
        };
        let (certificates, uploads) = (server.certificates.clone(), server.uploads.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut line, mut header, mut length) = (String::new(), String::new(), 0);
                stream.read_line(&mut line).unwrap();
                while stream.read_line(&mut header).unwrap() > 2 {
                    if let Some(value) = header.to_lowercase().strip_prefix("content-length: ") {
                        length = value.trim().parse().unwrap();
                    }
                    header.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let answer = if line.starts_with("POST /pks/add ") {
                    uploads.lock().unwrap().push(String::from_utf8(body).unwrap());
                    Some(String::new())
                } else {
                    let search = line.split("search=").nth(1).unwrap_or_default();
                    let address = search.split(' ').next().unwrap().replace("%40", "@");
                    certificates.lock().unwrap().get(&address).cloned()
                };
                let (status, answer) = answer.map_or((404, String::new()), |answer| (200, answer));
                let length = answer.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.get_mut().write_all((head + &answer).as_bytes()).unwrap();
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("hkp://127.0.0.1:{}", self.port)
    }

    fn publish(&self, address: &str, certificate: &[u8]) {
        let certificate = String::from_utf8(certificate.to_vec()).unwrap();
        self.certificates.lock().unwrap().insert(address.to_owned(), certificate);
    }

    /// Lets a home ask this server and nobody else.
    fn configure(&self, home: &Home) {
        let config = format!(
            "[discovery]\nwkd = false\nkeyservers = [\"{}\"]\nallow-private = [\"127.0.0.1\"]\n",
            self.url()
        );
        fs::write(home.path().join("config.toml"), config).unwrap();
    }
}

#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> Value {
    let ran = home.run(arguments.iter().copied().chain(["--json"]), b"");
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("no JSON object: {ran}"))
}

fn fingerprint(home: &Home, whom: &str) -> String {
    json(home, &["key", "show", whom])["certificate"]["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_found_certificate_is_pinned_and_sealed_for() {
    let (server, alice, bob) = (KeyServer::start(), Home::of(ALICE), Home::of(BOB));
    server.configure(&alice);
    alice.run(["encrypt", "--to", BOB], b"x").expect_code(9);
    alice.run(["key", "find", BOB], b"").expect_code(9);
    server.publish(BOB, &bob.certificate(BOB));
    let found = json(&alice, &["key", "find", BOB]);
    assert_eq!(found["outcome"], "found");
    assert_eq!(found["certificate"]["fingerprint"], fingerprint(&bob, BOB).as_str());
    assert_eq!(found["considered"][0]["sources"][0], "hkp:127.0.0.1");
    let pins = fs::read_to_string(alice.path().join("pins.toml")).unwrap();
    assert!(pins.contains(&fingerprint(&bob, BOB)) && pins.contains("first-use"), "{pins}");
    let sealed = alice.run(["encrypt", "--to", BOB], b"content").ok();
    assert_eq!(bob.run(["decrypt"], &sealed).ok(), b"content");
}

#[test]
fn a_replacement_of_a_revoked_certificate_needs_a_decision() {
    let (server, alice) = (KeyServer::start(), Home::of(ALICE));
    let (bob, bobs_new_machine) = (Home::of(BOB), Home::of(BOB));
    server.configure(&alice);
    server.publish(BOB, &bob.certificate(BOB));
    alice.run(["key", "find", BOB], b"").ok();
    let old = fingerprint(&bob, BOB);
    bob.run(["key", "revoke", BOB, "--yes", "--reason", "superseded"], b"").ok();
    let both = [bob.certificate(&old), bobs_new_machine.certificate(BOB)].concat();
    server.publish(BOB, &both);

    let ran = alice.run(["key", "find", BOB, "--explain"], b"").expect_code(12);
    assert!(ran.text().contains("it was revoked") && ran.text().contains("key trust"), "{ran}");
    // The conflict outlives the look at the network.
    alice.run(["encrypt", "--to", BOB], b"x").expect_code(12);
    alice.run(["key", "find", BOB, "--offline"], b"").expect_code(12);

    let new = fingerprint(&bobs_new_machine, BOB);
    alice.run(["key", "trust", BOB, &new], b"").ok();
    let sealed = alice.run(["encrypt", "--to", BOB], b"content").ok();
    assert_eq!(bobs_new_machine.run(["decrypt"], &sealed).ok(), b"content");
    assert_eq!(json(&alice, &["key", "find", BOB])["outcome"], "found");
}

#[test]
fn what_anybody_uploaded_neither_replaces_nor_blocks_a_pin() {
    let (server, alice) = (KeyServer::start(), Home::of(ALICE));
    let (bob, mallory) = (Home::of(BOB), Home::of(BOB));
    server.configure(&alice);
    alice.import(&bob.certificate(BOB));
    alice.run(["encrypt", "--to", BOB], b"x").ok();
    server.publish(BOB, &mallory.certificate(BOB));
    let ran = alice.run(["key", "find", BOB, "--explain"], b"").expect_code(0);
    assert!(ran.text().contains("another certificate is pinned"), "{ran}");
    let sealed = alice.run(["encrypt", "--to", BOB], b"content").ok();
    assert_eq!(bob.run(["decrypt"], &sealed).ok(), b"content");
    mallory.run(["decrypt"], &sealed).expect_code(5);
}

#[test]
fn a_rejected_certificate_is_not_used() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    alice.import(&bob.certificate(BOB));
    alice.run(["key", "trust", BOB, &fingerprint(&bob, BOB), "--reject"], b"").ok();
    alice.run(["encrypt", "--to", BOB], b"x").expect_code(9);
    alice.run(["key", "trust", BOB, &fingerprint(&bob, BOB)], b"").ok();
    alice.run(["encrypt", "--to", BOB], b"x").ok();
    // Not his address.
    alice.run(["key", "trust", "carol@example.test", &fingerprint(&bob, BOB)], b"").expect_code(9);
}

#[test]
fn private_networks_are_off_limits_unless_configured() {
    let (server, alice) = (KeyServer::start(), Home::of(ALICE));
    let ran = alice.run(["key", "find", "bob@localhost", "--keyserver", &server.url()], b"").expect_code(13);
    assert!(ran.stderr.contains("allow-private"), "{ran}");
    assert!(server.uploads.lock().unwrap().is_empty());
}

#[test]
fn answers_about_somebody_else_stay_out_of_the_store() {
    let (server, alice, mallory) = (KeyServer::start(), Home::of(ALICE), Home::of("mallory@example.test"));
    server.configure(&alice);
    server.publish(BOB, &mallory.certificate("mallory@example.test"));
    alice.run(["key", "find", BOB], b"").expect_code(9);
    assert_eq!(json(&alice, &["key", "list"])["certificates"].as_array().unwrap().len(), 1);
}

#[test]
fn publishing_goes_to_the_configured_server() {
    let (server, alice) = (KeyServer::start(), Home::of(ALICE));
    alice.run(["key", "publish", ALICE], b"").expect_code(2);
    server.configure(&alice);
    alice.run(["key", "publish", ALICE], b"").ok();
    let uploads = server.uploads.lock().unwrap();
    assert!(uploads[0].starts_with("keytext=-----BEGIN%20PGP%20PUBLIC%20KEY%20BLOCK"), "{uploads:?}");
}

#[test]
fn a_web_key_directory_lies_where_clients_look() {
    let (alice, scratch) = (Home::of(ALICE), Scratch::new());
    let root = scratch.file("www");
    alice.run(["key", "publish", ALICE, "--wkd", root.to_str().unwrap()], b"").ok();
    // z-base-32 of SHA-1 of "alice".
    let hash = "kei1q4tipxxu1yj79k9kfukdhfy631xe";
    let direct = fs::read(root.join(format!(".well-known/openpgpkey/hu/{hash}"))).unwrap();
    let advanced = fs::read(root.join(format!(".well-known/openpgpkey/example.test/hu/{hash}"))).unwrap();
    assert_eq!(direct, advanced);
    assert!(direct[0] & 0x80 != 0, "binary, not armored");
    assert!(root.join(".well-known/openpgpkey/policy").is_file());
    assert!(root.join(".well-known/openpgpkey/example.test/policy").is_file());
}
