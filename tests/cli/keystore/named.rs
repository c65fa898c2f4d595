// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is done by name with a key, wherever it lives.

use plombe_tests::{ALICE, BOB, Home};
use serde_json::Value;

use super::{alice_in_custody, json};

#[track_caller]
fn ask(home: &Home, arguments: &[&str]) -> Value {
    json(&home.run(arguments.iter().copied().chain(["--json"]), b"").expect_code(0))
}

/// Everything that changes a key says what came of it, at once and not in a second's time.
fn is_changed_by_name(home: &Home) {
    let before = ask(home, &["key", "show", ALICE]);
    let rotated = ask(home, &["key", "rotate", ALICE]);
    assert_eq!(rotated["added"].as_array().unwrap().len(), 2, "{rotated}");
    assert_eq!(rotated["replaced"].as_array().unwrap().len(), 2, "{rotated}");
    let expires = ask(home, &["key", "expire", ALICE, "2033-01-01"]);
    assert_eq!(expires["certificate"]["expires"], "2033-01-01T00:00:00Z", "{before} {expires}");
    let named = ask(home, &["key", "add-userid", ALICE, ALICE, "--name", "Alice"]);
    let user_ids = named["certificate"]["user_ids"].as_array().unwrap();
    assert!(
        user_ids.iter().any(|one| one["text"] == "Alice <alice@example.test>" && one["unusable"].is_null()),
        "{named}"
    );
    let revoked = ask(home, &["key", "revoke", ALICE, "--user-id", ALICE, "--yes"]);
    let user_ids = revoked["revoked"]["user_ids"].as_array().unwrap();
    assert_eq!(user_ids.iter().filter(|one| one["unusable"].is_null()).count(), 1, "{revoked}");

    let bob = Home::of(BOB);
    home.import(&bob.certificate(BOB));
    let bobs = ask(home, &["key", "show", BOB])["certificate"]["fingerprint"].as_str().unwrap().to_owned();
    home.run(["key", "certify", BOB, "--as", ALICE], b"").expect_code(2);
    let size = home.certificate(BOB).len();
    let certified = ask(home, &["key", "certify", &bobs, "--as", ALICE]);
    assert_eq!(certified["certified"][0], BOB, "{certified}");
    assert!(home.certificate(BOB).len() > size);

    home.run(["sign", "--as", ALICE], b"x").ok();
    let ended = ask(home, &["key", "revoke", ALICE, "--reason", "retired", "--yes"]);
    assert!(ended["revoked"]["unusable"].as_str().is_some_and(|why| why.contains("revoked")), "{ended}");
    home.run(["sign", "--as", ALICE], b"x").expect_code(9);
}

#[test]
fn a_key_of_this_machine_is_changed_by_name() {
    is_changed_by_name(&Home::of(ALICE));
}

#[test]
fn a_key_in_custody_is_changed_by_name() {
    let (_keystore, alice) = alice_in_custody();
    is_changed_by_name(&alice);
}

#[test]
fn what_a_key_in_custody_has_not_is_said() {
    let (_keystore, alice) = alice_in_custody();
    for (code, arguments) in [
        (14, &["key", "export", "--secret", ALICE][..]),
        (2, &["key", "passphrase", ALICE, "--no-passphrase"]),
        (2, &["key", "rotate", ALICE, "--overlap", "1d"]),
        (2, &["key", "expire", ALICE, "1y", "--passphrase-file", "/dev/null"]),
        (2, &["key", "backup", ALICE]),
    ] {
        let ran = alice.run(arguments, b"").expect_code(code);
        assert!(ran.stderr.contains("keystore"), "{ran}");
    }
}
