// SPDX-License-Identifier: LGPL-2.0-or-later
//! `--json`: one object on one line, from every command, and nothing for people beside it.

use plombe_tests::{ALICE, BOB, Home, Ran, Scratch};
use serde_json::Value;

const MAIL: &str = "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\n\r\ntext\r\n";

/// The one object, wherever it stands.
#[track_caller]
fn object(ran: &Ran) -> Value {
    let stdout = String::from_utf8_lossy(&ran.stdout).into_owned();
    let said: Vec<&str> = match ran.stderr.trim() {
        "" => stdout.lines().collect(),
        stderr => stderr.lines().collect(),
    };
    let [line] = said[..] else { panic!("not one line: {ran}") };
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert!(value.is_object(), "{ran}");
    value
}

#[test]
fn every_command_answers_with_one_object() {
    let ((alice, _), scratch) = (Home::pair(ALICE, BOB), Scratch::new());
    let write = |name: &str, bytes: &[u8]| scratch.write(name, bytes).to_str().unwrap().to_owned();
    let new = |name: &str| scratch.file(name).to_str().unwrap().to_owned();
    let key = write("key.pgp", &alice.certificate(ALICE));
    let sealed = alice.run(["encrypt", "--to", ALICE], b"content").ok();
    let signature = write("sig", &alice.run(["sign", "--detached", "--as", ALICE], b"content").ok());
    let mail = alice.run(["mail", "seal"], MAIL.as_bytes()).ok();
    let draft = write("draft.eml", MAIL.as_bytes());
    let passphrase = write("passphrase", b"correct horse");
    let shown: Value = serde_json::from_slice(&alice.run(["key", "show", BOB, "--json"], b"").ok()).unwrap();
    let bobs = shown["certificate"]["fingerprint"].as_str().unwrap();
    let (out, wkd, pages, copies) = (new("out"), new("wkd"), new("pages"), new("copies"));
    let lines: &[(&str, &[&str], &[u8])] = &[
        ("generated", &["key", "generate", "carol@example.test", "--no-passphrase"], b""),
        ("certificates", &["key", "list"], b""),
        ("certificate", &["key", "show", ALICE], b""),
        ("exported", &["key", "export", ALICE, "-o", &out], b""),
        ("exported", &["key", "export", ALICE, "--secret"], b""),
        ("imported", &["key", "import", &key], b""),
        ("considered", &["key", "find", BOB, "--offline"], b""),
        ("decision", &["key", "trust", BOB, bobs], b""),
        ("published", &["key", "publish", ALICE, "--wkd", &wkd], b""),
        ("certificate", &["key", "expire", ALICE, "1y"], b""),
        ("added", &["key", "rotate", ALICE], b""),
        ("certificate", &["key", "add-userid", ALICE, "alice@work.test"], b""),
        ("certified", &["key", "certify", bobs, "--as", ALICE], b""),
        ("locked", &["key", "passphrase", "carol@example.test", "--new-passphrase-file", &passphrase], b""),
        ("sealed", &["encrypt", "--to", BOB], b"content"),
        ("verdict", &["decrypt"], &sealed),
        ("signed", &["sign", "--as", ALICE], b"content"),
        ("verdict", &["verify", "--signature", &signature], b"content"),
        ("copies", &["mail", "seal"], MAIL.as_bytes()),
        ("copies", &["mail", "seal", "--out-dir", &copies], MAIL.as_bytes()),
        ("signed", &["mail", "seal", "--sign-only"], MAIL.as_bytes()),
        ("verdicts", &["mail", "open"], &mail),
        ("verdicts", &["mail", "inspect"], &mail),
        ("sealed", &["mail", "seal", "--in-place", &draft], b""),
        ("opened", &["mail", "open", "--in-place", &draft], b""),
        ("findings", &["doctor"], b""),
        ("manual_pages", &["man", &pages], b""),
        ("revoked", &["key", "revoke", "carol@example.test", "--yes", "--passphrase-file", &passphrase], b""),
    ];
    for (field, arguments, input) in lines {
        let ran = alice.run(arguments.iter().copied().chain(["--json"]), input).expect_code(0);
        assert!(!object(&ran)[field].is_null(), "no {field}: {ran}");
    }
    for (code, arguments) in [
        (9, &["key", "show", "nobody@example.test"][..]),
        (9, &["encrypt", "--to", "nobody@example.test"]),
        (7, &["decrypt"]),
        (7, &["key", "import"]),
        (2, &["mail", "seal", "--in-place", "/dev/null"]),
    ] {
        let ran = alice.run(arguments.iter().copied().chain(["--json"]), b"no message").expect_code(code);
        let told = object(&ran);
        assert_eq!(told["error"]["exit"], code, "{ran}");
        assert!(told["error"]["message"].is_string() && ran.stdout.is_empty(), "{ran}");
    }
}
