// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates that mails bring along: candidates, used where there is nothing better, and never in silence.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use plombe_tests::{ALICE, BOB, Home, MALLORY, Scratch};
use serde_json::Value;

const CAROL: &str = "carol@example.test";

#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> Value {
    let ran = home.run(arguments.iter().copied().chain(["--json"]), b"");
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("no JSON object: {ran}"))
}

fn fingerprint(home: &Home, whom: &str) -> String {
    json(home, &["key", "show", whom])["certificate"]["fingerprint"].as_str().unwrap().to_owned()
}

fn mail(from: &str, to: &str, day: u32) -> String {
    format!("From: {from}\r\nTo: {to}\r\nSubject: Hello\r\nDate: {day} Oct 2025 10:00:00 +0000\r\n\r\nHi\r\n")
}

/// A mail signed by `home`'s owner, which anybody can read.
fn signed(home: &Home, from: &str, to: &str, day: u32) -> Vec<u8> {
    home.run(["mail", "seal", "--sign-only"], mail(from, to, day).as_bytes()).ok()
}

/// The Autocrypt field of a mail.
fn field(mail: &[u8]) -> String {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    let start = text.find("Autocrypt: ").expect("an Autocrypt field");
    let end = text[start..].find("\r\nMIME-Version").expect("the field is the last of the sender's");
    text[start..start + end + 2].to_owned()
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_certificate_from_a_mail_is_a_candidate_until_it_is_used() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    let mail = signed(&alice, ALICE, BOB, 1);
    let opened = bob.run(["mail", "open"], &mail).expect_code(0);
    let alices = fingerprint(&alice, ALICE);
    assert!(opened.stderr.contains("candidate: ") && opened.stderr.contains(&alices), "{opened}");
    // It vouches for nothing: not for this mail, not for the next.
    assert!(opened.stderr.contains("unknown signer"), "{opened}");
    assert!(bob.run(["mail", "open"], &mail).expect_code(0).stderr.contains("unknown signer"));
    assert!(!bob.path().join("pins.toml").exists(), "opening a mail pinned something");
    assert_eq!(json(&bob, &["key", "list"])["certificates"].as_array().unwrap().len(), 1);

    let used = bob.run(["encrypt", "--to", ALICE], b"content").expect_code(0);
    assert!(used.stderr.contains("first use: ") && used.stderr.contains(&alices), "{used}");
    assert!(used.stderr.contains("anybody could have written"), "{used}");
    assert_eq!(alice.run(["decrypt"], &used.stdout).ok(), b"content");
    let pins = fs::read_to_string(bob.path().join("pins.toml")).unwrap();
    assert!(pins.contains(&alices) && pins.contains("source = \"autocrypt\""), "{pins}");
    // Now it is hers, and told once.
    bob.run(["mail", "open", "--require-good"], &mail).ok();
    let again = bob.run(["encrypt", "--to", ALICE], b"content").expect_code(0);
    assert!(!again.stderr.contains("first use"), "{again}");
}

#[test]
fn explain_tells_what_mails_brought_and_what_came_of_it() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    bob.run(["mail", "open"], &signed(&alice, ALICE, BOB, 1)).ok();
    let alices = fingerprint(&alice, ALICE);
    let told = json(&bob, &["key", "find", ALICE, "--offline"]);
    assert_eq!(told["outcome"], "found");
    assert_eq!(told["considered"][0]["sources"], serde_json::json!(["autocrypt"]));
    assert_eq!(told["mails"][0]["seen"], "2025-10-01T10:00:00Z");
    assert_eq!(told["mails"][0]["prefer_encrypt"], true);
    let shown = bob.run(["key", "find", ALICE, "--offline", "--explain"], b"").expect_code(0);
    let line = format!("mail of 2025-10-01 (autocrypt) brought {alices}, and asked for encrypted answers");
    assert!(shown.text().contains(&line), "{shown}");
    // Half a year of mails without it: she may not have the key any more.
    let later =
        "From: alice@example.test\r\nTo: bob@example.test\r\nDate: 1 May 2026 10:00:00 +0000\r\n\r\nHi\r\n";
    bob.run(["mail", "open"], later.as_bytes()).ok();
    let shown = bob.run(["key", "find", ALICE, "--offline", "--explain"], b"").expect_code(0);
    assert!(shown.text().contains("their mail of 2026-05-01 did not bring it any more"), "{shown}");
}

#[test]
fn inspecting_keeps_nothing_and_neither_does_opening_where_it_is_not_wanted() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    let mail = signed(&alice, ALICE, BOB, 1);
    bob.run(["mail", "inspect"], &mail).expect_code(0);
    assert!(!bob.path().join("autocrypt").exists());
    fs::write(bob.path().join("config.toml"), "[discovery]\nautocrypt = false\n").unwrap();
    bob.run(["mail", "open"], &mail).expect_code(0);
    assert!(!bob.path().join("autocrypt").exists());
    fs::remove_file(bob.path().join("config.toml")).unwrap();
    bob.run(["mail", "open"], &mail).expect_code(0);
    // Who does not want them any more does not use those that are there.
    fs::write(bob.path().join("config.toml"), "[discovery]\nautocrypt = false\n").unwrap();
    bob.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
}

#[test]
fn what_mails_brought_is_for_its_owner_only_and_strangers_without_keys_are_not_listed() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    bob.run(["mail", "open"], mail("stranger@example.test", BOB, 1).as_bytes()).ok();
    assert!(!bob.path().join("autocrypt").exists());
    bob.run(["mail", "open"], &signed(&alice, ALICE, BOB, 1)).ok();
    let folder = bob.path().join("autocrypt");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let domain = folder.join("example.test");
    let [file] = files(&domain).try_into().expect("one correspondent");
    assert_eq!((mode(&domain), mode(&domain.join(file))), (0o700, 0o600));
}

#[test]
fn a_forged_mail_changes_neither_a_pin_nor_an_imported_certificate() {
    let (bob, alice, impostor) = (Home::of(BOB), Home::of(ALICE), Home::of(ALICE));
    bob.import(&alice.certificate(ALICE));
    bob.run(["mail", "open"], &signed(&impostor, ALICE, BOB, 2)).ok();
    for _ in 0..2 {
        let sealed = bob.run(["encrypt", "--to", ALICE], b"content").ok();
        assert_eq!(alice.run(["decrypt"], &sealed).ok(), b"content");
        impostor.run(["decrypt"], &sealed).expect_code(5);
    }
    let shown = bob.run(["key", "find", ALICE, "--offline", "--explain"], b"").expect_code(0);
    assert!(
        shown.text().contains("another certificate is pinned, and nobody vouches for this one"),
        "{shown}"
    );
}

#[test]
fn two_that_came_by_mail_need_a_decision() {
    let (bob, alice, impostor) = (Home::of(BOB), Home::of(ALICE), Home::of(ALICE));
    bob.run(["mail", "open"], &signed(&alice, ALICE, BOB, 1)).ok();
    bob.run(["mail", "open"], &signed(&impostor, ALICE, BOB, 2)).ok();
    let ran = bob.run(["encrypt", "--to", ALICE], b"content").expect_code(12);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("plombe key trust"), "{ran}");
    bob.run(["key", "trust", ALICE, &fingerprint(&alice, ALICE)], b"").ok();
    let sealed = bob.run(["encrypt", "--to", ALICE], b"content").ok();
    assert_eq!(alice.run(["decrypt"], &sealed).ok(), b"content");
    // A mail that says it is older changes nothing, whatever it brings.
    let late = Home::of(ALICE);
    bob.run(["mail", "open"], &signed(&late, ALICE, BOB, 1)).ok();
    assert_eq!(json(&bob, &["key", "find", ALICE, "--offline"])["mails"].as_array().unwrap().len(), 2);
}

#[test]
fn a_mail_brings_a_certificate_that_is_known_up_to_date() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    bob.import(&alice.certificate(ALICE));
    bob.run(["encrypt", "--to", ALICE], b"content").ok();
    alice.run(["key", "rotate", ALICE, "--overlap", "0d"], b"").ok();
    let mail = signed(&alice, ALICE, BOB, 1);
    // Signed by a subkey that he has not seen: the verdict is about what was known when it was opened.
    bob.run(["mail", "open"], &mail).ok();
    bob.run(["mail", "open", "--require-good"], &mail).ok();
    let keys =
        |home: &Home| json(home, &["key", "show", ALICE])["certificate"]["keys"].as_array().unwrap().len();
    assert!(keys(&bob) > 3, "the new subkeys did not come along");
    // What Alice has revoked stays revoked, whatever copy comes by mail.
    alice.run(["key", "revoke", ALICE, "--yes"], b"").ok();
    bob.import(&alice.certificate(ALICE));
    bob.run(["mail", "open"], &mail).ok();
    bob.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
}

#[test]
fn spoofed_doubled_and_oversized_headers_bring_nothing() {
    let (bob, alice, mallory) = (Home::of(BOB), Home::of(ALICE), Home::of(MALLORY));
    let alices = field(&signed(&alice, ALICE, BOB, 1));
    let mallorys = field(&signed(&mallory, MALLORY, BOB, 1));
    // As Alice, with a certificate that is not Alice's.
    let renamed = mallorys.replace("addr=mallory@example.test", "addr=alice@example.test");
    let big = format!("Autocrypt: addr={ALICE}; keydata={}\r\n", "QUJD\r\n ".repeat(4_000));
    let from_alice = |fields: &str| {
        let mail = mail(ALICE, BOB, 3).replacen("Subject:", &format!("{fields}Subject:"), 1);
        bob.run(["mail", "open"], mail.as_bytes()).expect_code(0);
    };
    from_alice(&renamed);
    from_alice(&mallorys);
    from_alice(&format!("{alices}{}", alices.replace("prefer-encrypt=mutual; ", "")));
    from_alice(&big);
    from_alice(&format!("From: {MALLORY}\r\n{alices}"));
    from_alice("Autocrypt: addr=alice@example.test; keydata=!!!!\r\n");
    bob.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
    bob.run(["encrypt", "--to", MALLORY], b"content").expect_code(9);
    // And the honest one does.
    from_alice(&alices);
    bob.run(["encrypt", "--to", ALICE], b"content").ok();
}

#[test]
fn gossip_lets_everybody_answer_everybody() {
    let (alice, bob, carol) = (Home::of(ALICE), Home::of(BOB), Home::of(CAROL));
    alice.import(&bob.certificate(BOB));
    alice.import(&carol.certificate(CAROL));
    let mail = mail(ALICE, &format!("{BOB}, {CAROL}"), 1);
    let sealed = alice.run(["mail", "seal"], mail.as_bytes()).ok();
    bob.run(["mail", "open"], &sealed).ok();
    let answer = format!("From: {BOB}\r\nTo: {ALICE}\r\nCc: {CAROL}\r\nSubject: Re: Hello\r\n\r\nYes\r\n");
    let answered = bob.run(["mail", "seal"], answer.as_bytes()).expect_code(0);
    assert!(answered.stderr.contains("what somebody else wrote about them"), "{answered}");
    for home in [&alice, &carol] {
        assert!(home.run(["mail", "open"], &answered.stdout).expect_code(0).text().contains("Yes"));
    }
    let told = json(&bob, &["key", "find", CAROL, "--offline"]);
    assert_eq!(told["considered"][0]["sources"], serde_json::json!(["store", "autocrypt-gossip"]), "{told}");
}

#[test]
fn a_folder_of_mails_brings_its_certificates_along() {
    let (alice, bob, scratch) = (Home::of(ALICE), Home::of(BOB), Scratch::new());
    let mut mbox = String::new();
    for day in 1..4 {
        let mail = String::from_utf8(signed(&alice, ALICE, BOB, day)).unwrap().replace("\r\n", "\n");
        mbox.push_str(&format!("From alice@example.test Wed Oct 01 10:00:00 2025\n{mail}\n"));
    }
    let path = scratch.write("mbox", &mbox);
    bob.run(["mail", "open", "--in-place", path.to_str().unwrap()], b"").ok();
    let told = json(&bob, &["key", "find", ALICE, "--offline"]);
    assert_eq!(told["mails"].as_array().unwrap().len(), 1);
    assert_eq!(told["mails"][0]["seen"], "2025-10-03T10:00:00Z");
}

#[test]
fn a_home_that_cannot_be_written_does_not_keep_a_mail_closed() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    let mail = signed(&alice, ALICE, BOB, 1);
    // Root writes where it likes, but not below a file.
    fs::write(bob.path().join("autocrypt"), "in the way").unwrap();
    let opened = bob.run(["mail", "open"], &mail).expect_code(0);
    assert!(opened.text().contains("Hi") && opened.stderr.contains("not remembered"), "{opened}");
}
