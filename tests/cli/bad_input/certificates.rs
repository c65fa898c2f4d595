// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates that have ended, or were never made for what is asked.

use std::{process::Command, thread::sleep, time::Duration};

use plombe_tests::{ALICE, BOB, Home, Scratch, binary::repository, run};

use super::refused;

/// Alice's certificate, which has ended by the time this returns.
fn expired() -> Home {
    let home = Home::new();
    home.run(["key", "generate", ALICE, "--no-passphrase", "--expires", "1s"], b"").ok();
    sleep(Duration::from_millis(2_100));
    home
}

const MAIL: &[u8] = b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\n\r\ntext\r\n";

#[test]
fn expired_recipient_and_signer() {
    let alice = expired();
    let bob = Home::of(BOB);
    bob.import(&alice.certificate(ALICE));
    alice.import(&bob.certificate(BOB));
    let ran = refused(&bob, &["encrypt", "--to", ALICE], b"content", &[9], "it has expired");
    assert!(ran.stderr.contains("ask alice@example.test for a new certificate"), "{ran}");
    let ran =
        refused(&alice, &["encrypt", "--to", BOB, "--sign-as", ALICE], b"content", &[9], "it has expired");
    assert!(ran.stderr.contains("plombe key expire"), "{ran}");
    refused(&alice, &["sign", "--as", ALICE], b"content", &[9], "it has expired");
    refused(&alice, &["mail", "seal"], MAIL, &[9], "it has expired");

    alice.run(["key", "expire", ALICE, "1y"], b"").ok();
    alice.run(["sign", "--as", ALICE], b"content").ok();
}

#[test]
fn revoked_recipient_and_signer() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    alice.run(["key", "revoke", ALICE, "--yes"], b"").ok();
    bob.import(&alice.certificate(ALICE));
    refused(&bob, &["encrypt", "--to", ALICE], b"content", &[9], "it was revoked");
    refused(&alice, &["encrypt", "--to", BOB, "--sign-as", ALICE], b"content", &[9], "it was revoked");
    refused(&alice, &["mail", "seal"], MAIL, &[9], "it was revoked");
}

#[test]
fn certificate_without_encryption_subkey() {
    let Some(gpg) = crate::gpg::Gpg::new() else { return };
    gpg.generate(BOB, "Key-Type: EDDSA\nKey-Curve: ed25519", &[]);
    let home = Home::of(ALICE);
    home.import(&gpg.certificate(BOB));
    refused(&home, &["encrypt", "--to", BOB], b"content", &[9], "it has no key for this");
    refused(&home, &["mail", "seal"], MAIL, &[9], "it has no key for this");
}

#[test]
fn several_certificates_for_one_address_are_a_conflict() {
    let alice = Home::of(ALICE);
    alice.import(&Home::of(BOB).certificate(BOB));
    alice.import(&Home::of(BOB).certificate(BOB));
    let ran = refused(&alice, &["encrypt", "--to", BOB], b"content", &[12], BOB);
    assert!(ran.stderr.contains("plombe key trust"), "{ran}");
}

#[test]
fn damaged_key_files_are_not_imported() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let armored = Home::of(ALICE).tsk(ALICE);
    let half = scratch.write("half", &armored[..armored.len() / 2]);
    let good = scratch.write("good", Home::of(BOB).certificate(BOB));
    for file in [half, scratch.write("text", "just text"), scratch.write("empty", "")] {
        // The good file comes first: all are read before anything is stored.
        let ran =
            home.run(["key", "import", good.to_str().unwrap(), file.to_str().unwrap()], b"").expect_code(7);
        assert!(ran.stderr.contains(file.to_str().unwrap()), "{ran}");
    }
    assert_eq!(home.run(["key", "list"], b"").text(), "");
}

#[test]
fn key_file_with_an_exchanged_public_part_is_not_used() {
    let home = Home::of(ALICE);
    let file = std::fs::read_dir(home.path().join("keys")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, Home::of(BOB).certificate(BOB)).unwrap();
    let ran = home.run(["sign"], b"content");
    assert!(ran.code != Some(0) && ran.stdout.is_empty(), "{ran}");
    assert!(ran.stderr.contains(file.to_str().unwrap()), "{ran}");
}

/// A few bytes that claim to be gigabytes must not cost as much.
#[test]
fn a_packet_does_not_get_the_memory_that_it_claims() {
    let home = Home::new();
    let file = repository().join("tests/fuzz/corpus/certificate/armored-packet-of-3-gib");
    let plombe = home.command([""]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -v 2000000; exec \"$0\" key import \"$1\""])
        .arg(plombe.get_program())
        .arg(file);
    let ran = run(limited.env("PLOMBE_HOME", home.path()), b"").expect_code(7);
    assert!(ran.stderr.starts_with("error: "), "{ran}");
}
