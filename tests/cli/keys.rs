// SPDX-License-Identifier: LGPL-2.0-or-later
//! What `plombe key` promises.

use std::{fs, os::unix::fs::PermissionsExt as _};

use plombe_tests::{ALICE, BOB, Home, Scratch};

#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> serde_json::Value {
    let output = home.run(arguments.iter().copied().chain(["--json"]), b"").ok();
    serde_json::from_slice(&output).expect("one JSON object")
}

#[test]
fn generated_key_is_private_and_has_its_revocation() {
    let home = Home::of(ALICE);
    let mode = |path: &str| fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o777;
    let fingerprint =
        json(&home, &["key", "show", ALICE])["certificate"]["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(mode("keys"), 0o700);
    assert_eq!(mode("revocations"), 0o700);
    assert_eq!(mode(&format!("keys/{fingerprint}.pgp")), 0o600);
    assert_eq!(mode(&format!("revocations/{fingerprint}.rev")), 0o600);
    assert!(
        home.path()
            .join(format!(
                "pgp.cert.d/{}/{}",
                &fingerprint[..2].to_lowercase(),
                &fingerprint[2..].to_lowercase()
            ))
            .is_file()
    );
}

#[test]
fn second_key_for_an_address_needs_a_word() {
    let home = Home::of(ALICE);
    home.run(["key", "generate", ALICE, "--no-passphrase"], b"").expect_code(10);
    home.run(["key", "generate", ALICE, "--no-passphrase", "--another"], b"").ok();
    assert_eq!(json(&home, &["key", "list", "--secret"])["certificates"].as_array().unwrap().len(), 2);
}

#[test]
fn imported_secret_key_opens_what_was_sealed_for_it() {
    let (alice, elsewhere) = (Home::of(ALICE), Home::new());
    let sealed = alice.run(["encrypt", "--to", ALICE], b"content").ok();
    elsewhere.import(&alice.tsk(ALICE));
    assert_eq!(elsewhere.run(["decrypt"], &sealed).ok(), b"content");
}

#[test]
fn importing_again_changes_neither_key_nor_passphrase() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let open = home.tsk(ALICE);
    let passphrase = scratch.write("passphrase", "correct horse");
    let passphrase = passphrase.to_str().unwrap();
    home.run(["key", "passphrase", ALICE, "--new-passphrase-file", passphrase], b"").ok();
    home.import(&open);
    assert_eq!(json(&home, &["key", "show", ALICE])["certificate"]["secret"], "locked");
}

#[test]
fn rotated_key_still_opens_old_messages() {
    let home = Home::of(ALICE);
    let old = home.run(["encrypt", "--to", ALICE], b"old").ok();
    home.run(["key", "rotate", ALICE, "--overlap", "0d"], b"").ok();
    let new = home.run(["encrypt", "--to", ALICE], b"new").ok();
    assert_eq!(home.run(["decrypt"], &old).ok(), b"old");
    assert_eq!(home.run(["decrypt"], &new).ok(), b"new");
}

#[test]
fn revocation_certificate_ends_a_certificate_without_its_key() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    bob.import(&alice.certificate(ALICE));
    let revocations: Vec<_> = fs::read_dir(alice.path().join("revocations")).unwrap().collect();
    let revocation = revocations[0].as_ref().unwrap().path();
    bob.run(["key", "import", revocation.to_str().unwrap()], b"").ok();
    let refused = bob.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
    assert!(refused.stderr.contains("it was revoked"), "{refused}");
}

#[test]
fn revoking_asks_unless_told() {
    let home = Home::of(ALICE);
    home.run(["key", "revoke", ALICE], b"y\n").expect_code(2);
    home.run(["key", "revoke", ALICE, "--reason", "retired", "--yes"], b"").ok();
    home.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
}

#[test]
fn control_characters_of_strangers_are_shown_escaped() {
    let Some(gpg) = crate::gpg::Gpg::new() else { return };
    // gpg refuses control characters in a parameter file, not in a quick user ID.
    let user_id = "Eve \u{1b}[2J\u{202e} <eve@example.test>";
    gpg.run(&["--allow-freeform-uid", "--quick-generate-key", user_id, "ed25519"], b"").ok();
    let home = Home::new();
    home.import(&gpg.run(&["--export"], b"").ok());
    let listed = json(&home, &["key", "list"]);
    let fingerprint = listed["certificates"][0]["fingerprint"].as_str().unwrap();
    for arguments in [&["key", "list"][..], &["key", "show", fingerprint]] {
        let shown = home.run(arguments, b"");
        assert!(!shown.text().contains(['\u{1b}', '\u{202e}']), "{shown}");
        assert!(shown.text().contains("\\u{1b}[2J\\u{202e}"), "{shown}");
    }
}

#[test]
fn certificate_is_found_by_address_and_by_each_of_its_keys() {
    let home = Home::of(ALICE);
    let certificate = json(&home, &["key", "show", ALICE])["certificate"].clone();
    for key in certificate["keys"].as_array().unwrap() {
        let fingerprint = key["fingerprint"].as_str().unwrap();
        for name in [
            fingerprint,
            &fingerprint[fingerprint.len() - 16..],
            &format!("0x{}", fingerprint.to_lowercase()),
        ] {
            assert_eq!(
                json(&home, &["key", "show", name])["certificate"]["fingerprint"],
                certificate["fingerprint"]
            );
        }
    }
    assert_eq!(
        json(&home, &["key", "show", "ALICE@Example.Test"])["certificate"]["fingerprint"],
        certificate["fingerprint"]
    );
}

#[test]
fn store_is_indexed_again_when_another_program_changes_it() {
    let (alice, bob) = (Home::of(ALICE), Home::of(BOB));
    assert_eq!(json(&alice, &["key", "list"])["certificates"].as_array().unwrap().len(), 1);
    let bobs =
        json(&bob, &["key", "show", BOB])["certificate"]["fingerprint"].as_str().unwrap().to_lowercase();
    let (folder, file) = bobs.split_at(2);
    let target = alice.path().join("pgp.cert.d").join(folder);
    fs::create_dir_all(&target).unwrap();
    fs::copy(bob.path().join("pgp.cert.d").join(folder).join(file), target.join(file)).unwrap();
    alice.run(["key", "show", BOB], b"").ok();
    fs::remove_file(target.join(file)).unwrap();
    alice.run(["key", "show", BOB], b"").expect_code(9);
}

#[test]
fn damaged_certificate_in_the_store_stops_nothing() {
    let home = Home::of(ALICE);
    let folder = home.path().join("pgp.cert.d/ab");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0123456789abcdef0123456789abcdef012345"), "not a certificate").unwrap();
    home.run(["encrypt", "--to", ALICE], b"content").ok();
    let doctor = home.run(["doctor"], b"");
    assert!(doctor.stderr.contains("damaged"), "{doctor}");
}

#[test]
fn certificate_under_a_foreign_fingerprint_is_not_used() {
    let (alice, bob, mallory) = (Home::of(ALICE), Home::of(BOB), Home::of(BOB));
    alice.import(&bob.certificate(BOB));
    let file = |home: &Home| {
        let fingerprint =
            json(home, &["key", "show", BOB])["certificate"]["fingerprint"].as_str().unwrap().to_lowercase();
        home.path().join("pgp.cert.d").join(&fingerprint[..2]).join(&fingerprint[2..])
    };
    let (ours, theirs) = (file(&alice), file(&mallory));
    fs::copy(&theirs, &ours).unwrap();
    alice.run(["encrypt", "--to", BOB], b"content").expect_code(9);
}
