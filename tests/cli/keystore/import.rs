// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys that were made elsewhere come into custody.

use plombe_tests::{ALICE, BOB, Home, Keystore, Scratch, plombe_keystore};

use super::{json, log_in};

#[test]
fn a_key_made_elsewhere_comes_into_custody_and_its_file_is_to_be_destroyed() {
    let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    let (old, alice, scratch) = (Home::of(ALICE), Home::new(), Scratch::new());
    log_in(&alice, &keystore, &keystore.add_user(ALICE));
    let sealed = old.run(["encrypt", "--to", ALICE], b"from before").ok();
    let passphrase = scratch.write("passphrase", "correct horse\n");
    let passphrase = passphrase.to_str().unwrap();
    old.run(["key", "passphrase", ALICE, "--new-passphrase-file", passphrase], b"").ok();
    let file = scratch.write("alice.pgp", old.tsk(ALICE));
    let file = file.to_str().unwrap();

    // Locked, it stays where it is; nothing else goes there.
    alice.run(["key", "import", "--custody", "keystore", file], b"").expect_code(6);
    let certificate = scratch.write("certificate.pgp", old.certificate(ALICE));
    alice.run(["key", "import", "--custody", "keystore", certificate.to_str().unwrap()], b"").expect_code(7);
    alice.run(["key", "import", "--passphrase-file", passphrase, file], b"").expect_code(2);

    let import = ["key", "import", "--custody", "keystore", "--passphrase-file", passphrase, file];
    let imported = alice.run(import, b"").expect_code(0);
    assert!(imported.stderr.contains("Destroy every other copy"), "{imported}");
    assert!(!alice.path().join("keys").exists());
    assert_eq!(alice.run(["decrypt"], &sealed).ok(), b"from before");
    let signed = alice.run(["sign", "--as", ALICE], b"words").ok();
    // The keystore gave it a subkey that only signs, which others have to learn of.
    old.import(&alice.certificate(ALICE));
    old.run(["verify"], &signed).expect_code(0);
    let listed = json(&alice.run(["key", "list", "--secret", "--json"], b"").expect_code(0));
    assert_eq!(listed["certificates"][0]["secret"], "keystore", "{listed}");
    assert!(alice.run(["key", "list"], b"").expect_code(0).text().starts_with("kept"));

    // Twice is once too often, and the keystore says so.
    let again = alice.run(import, b"").expect_code(14);
    assert!(again.stderr.contains("here already"), "{again}");
}

#[test]
fn what_the_keystore_does_not_take_is_refused_in_its_words() {
    let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    let (alice, scratch) = (Home::new(), Scratch::new());
    log_in(&alice, &keystore, &keystore.add_user(ALICE));
    let file = scratch.write("bob.pgp", Home::of(BOB).tsk(BOB));
    let refused =
        alice.run(["key", "import", "--custody", "keystore", file.to_str().unwrap()], b"").expect_code(14);
    assert!(refused.stderr.contains("this address is not yours"), "{refused}");
    // Nothing of it stayed here either.
    assert!(alice.run(["key", "list"], b"").expect_code(0).text().is_empty());
}

#[test]
fn a_copy_that_is_still_here_is_pointed_at() {
    let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    let (alice, scratch) = (Home::of(ALICE), Scratch::new());
    log_in(&alice, &keystore, &keystore.add_user(ALICE));
    let file = scratch.write("alice.pgp", alice.tsk(ALICE));
    let imported = json(
        &alice
            .run(["key", "import", "--custody", "keystore", file.to_str().unwrap(), "--json"], b"")
            .expect_code(0),
    );
    let copy = imported["imported"][0]["copy"].as_str().unwrap();
    assert!(std::path::Path::new(copy).exists(), "{copy}");
    assert_eq!(imported["custody"], "keystore");
}
