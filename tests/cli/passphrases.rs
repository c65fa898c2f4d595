// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys and messages under passphrases.

use plombe_tests::{ALICE, Home, Ran, Scratch};

struct Locked {
    home: Home,
    scratch: Scratch,
    sealed: Vec<u8>,
}

fn locked() -> Locked {
    let (home, scratch) = (Home::new(), Scratch::new());
    let right = scratch.write("right", "correct horse\nsecond line is not part of it\n");
    scratch.write("wrong", "battery staple\n");
    home.run(["key", "generate", ALICE, "--passphrase-file", right.to_str().unwrap()], b"").ok();
    let sealed = home.run(["encrypt", "--to", ALICE], b"content").ok();
    Locked { home, scratch, sealed }
}

impl Locked {
    fn decrypt(&self, files: &[&str]) -> Ran {
        let mut arguments = vec!["decrypt".to_owned()];
        for file in files {
            arguments.extend(["--passphrase-file".to_owned(), self.scratch.file(file).display().to_string()]);
        }
        self.home.run(arguments, &self.sealed)
    }
}

#[test]
fn first_line_of_the_file_is_the_passphrase() {
    assert_eq!(locked().decrypt(&["right"]).ok(), b"content");
}

#[test]
fn any_of_several_passphrases_will_do() {
    assert_eq!(locked().decrypt(&["wrong", "right"]).ok(), b"content");
}

#[test]
fn wrong_passphrase_is_said_and_opens_nothing() {
    let ran = locked().decrypt(&["wrong"]).expect_code(6);
    assert!(ran.stderr.contains("wrong passphrase") && ran.stdout.is_empty(), "{ran}");
}

#[test]
fn without_terminal_and_file_the_options_are_named() {
    let ran = locked().decrypt(&[]).expect_code(6);
    assert!(ran.stderr.contains("--passphrase-file"), "{ran}");
}

#[test]
fn sealing_needs_no_passphrase_and_signing_does() {
    let locked = locked();
    locked.home.run(["encrypt", "--to", ALICE], b"content").ok();
    locked.home.run(["encrypt", "--to", ALICE, "--sign-as", ALICE], b"content").expect_code(6);
}

#[test]
fn empty_passphrase_is_refused() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let empty = scratch.write("empty", "\n");
    let ran = home
        .run(["key", "generate", ALICE, "--passphrase-file", empty.to_str().unwrap()], b"")
        .expect_code(2);
    assert!(ran.stderr.contains("--no-passphrase"), "{ran}");
    assert!(!home.path().join("keys").exists());
}

#[test]
fn message_can_be_sealed_with_a_password() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let right = scratch.write("right", "open sesame");
    let wrong = scratch.write("wrong", "open barley");
    let (right, wrong) = (right.to_str().unwrap(), wrong.to_str().unwrap());
    let sealed = home.run(["encrypt", "--password-file", right], b"content").ok();
    assert_eq!(home.run(["decrypt", "--password-file", right], &sealed).ok(), b"content");
    home.run(["decrypt", "--password-file", wrong], &sealed).expect_code(6);
    let ran = home.run(["decrypt"], &sealed).expect_code(6);
    assert!(ran.stderr.contains("--password-file"), "{ran}");
}
