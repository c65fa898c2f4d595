// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys that stay on a device, and their backups, which the keystore keeps and cannot open.

use std::path::PathBuf;

use plombe_tests::{ALICE, Home, Keystore, Scratch, plombe_keystore};

use super::{json, log_in};

/// Alice's laptop, with a key of its own under a passphrase.
struct Laptop {
    keystore: Keystore,
    home: Home,
    scratch: Scratch,
    passphrase: String,
    recovery_code: String,
}

impl Laptop {
    fn new() -> Self {
        let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
        let (home, scratch) = (Home::new(), Scratch::new());
        let told = log_in(&home, &keystore, &keystore.add_user(ALICE));
        let passphrase = scratch.write("passphrase", "correct horse\n").to_str().unwrap().to_owned();
        home.run(["key", "generate", ALICE, "--passphrase-file", &passphrase], b"").ok();
        let recovery_code = told["recovery_code"].as_str().unwrap().to_owned();
        Self { keystore, home, scratch, passphrase, recovery_code }
    }

    /// The code that opens it.
    #[track_caller]
    fn back_up(&self, more: &[&str]) -> String {
        let arguments = ["key", "backup", ALICE, "--json"].into_iter().chain(more.iter().copied());
        let told = json(&self.home.run(arguments, b"").expect_code(0));
        told["backup"]["code"].as_str().unwrap_or_default().to_owned()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        self.scratch.write(name, content).to_str().unwrap().to_owned()
    }

    /// Gone, and a new machine in its place that Alice has logged in on and confirmed with her recovery code.
    fn lost(&self) -> Home {
        let new = Home::new();
        log_in(&new, &self.keystore, &self.keystore.code_for(ALICE));
        let code = self.file("recovery", &self.recovery_code);
        new.run(["recover", "--code-file", &code], b"").ok();
        new
    }
}

#[test]
fn a_lost_laptop_s_own_key_comes_back_with_the_backup_code() {
    let laptop = Laptop::new();
    let sealed = laptop.home.run(["encrypt", "--to", ALICE], b"kept").ok();
    let code = laptop.file("code", laptop.back_up(&[]));

    // A device that nobody confirmed gets nothing, with the right code.
    let pending = Home::new();
    log_in(&pending, &laptop.keystore, &laptop.keystore.code_for(ALICE));
    pending.run(["key", "restore", "--code-file", &code], b"").expect_code(14);

    let new = laptop.lost();
    let other = laptop.file("other", "BJK6-66JT-4D8H-F9XE-M57Z-GKR8-PQCA-VW3");
    new.run(["key", "restore", "--code-file", &other], b"").expect_code(2);
    let listed = json(&new.run(["key", "restore", "--list", "--json"], b"").expect_code(0));
    assert_eq!(listed["backups"].as_array().unwrap().len(), 1);
    new.run(["key", "restore", "--code-file", &code], b"").ok();
    // Under the passphrase that it had.
    new.run(["decrypt"], &sealed).expect_code(6);
    assert_eq!(new.run(["decrypt", "--passphrase-file", &laptop.passphrase], &sealed).ok(), b"kept");
}

#[test]
fn what_the_keystore_keeps_does_not_open_without_the_code() {
    let laptop = Laptop::new();
    let first = laptop.file("first", laptop.back_up(&[]));
    laptop.home.run(["key", "backup", ALICE], b"").expect_code(10);
    let code = laptop.file(
        "code",
        laptop.back_up(&["--replace", "--without-passphrase", "--passphrase-file", &laptop.passphrase]),
    );
    let blob = laptop.scratch.file("blob");
    laptop.home.run(["key", "restore", "--sealed", "-o", blob.to_str().unwrap()], b"").ok();
    let sealed = std::fs::read(&blob).unwrap();

    // Without a code, and with that of another backup, also where all of Alice's keys are.
    for password in [&first, &laptop.passphrase] {
        let refused = laptop.home.run(["decrypt", "--password-file", password], &sealed);
        assert_eq!(refused.code, Some(6), "{refused}");
    }
    let stranger = Home::new();
    stranger.run(["decrypt"], &sealed).expect_code(6);
    laptop.lost().run(["key", "restore", "--code-file", &first], b"").expect_code(6);
    // With it, it is the key, in any OpenPGP program.
    let opened = stranger.run(["decrypt", "--password-file", &code], &sealed).ok();
    assert!(opened.starts_with(b"-----BEGIN PGP PRIVATE KEY BLOCK-----"));
}

#[test]
fn a_backup_without_passphrase_gets_a_new_one_where_it_is_restored() {
    let laptop = Laptop::new();
    let sealed = laptop.home.run(["encrypt", "--to", ALICE], b"kept").ok();
    laptop.home.run(["key", "backup", ALICE, "--passphrase-file", &laptop.passphrase], b"").expect_code(2);
    let code = laptop
        .file("code", laptop.back_up(&["--without-passphrase", "--passphrase-file", &laptop.passphrase]));
    let new = laptop.lost();
    let other = laptop.file("new", "battery staple\n");
    new.run(["key", "restore", "--code-file", &code, "--passphrase-file", &other], b"").ok();
    new.run(["decrypt", "--passphrase-file", &laptop.passphrase], &sealed).expect_code(6);
    assert_eq!(new.run(["decrypt", "--passphrase-file", &other], &sealed).ok(), b"kept");
}

#[test]
fn a_recovery_certificate_opens_a_backup_where_its_key_is() {
    const RECOVERY: &str = "recovery@example.test";
    let laptop = Laptop::new();
    let sealed = laptop.home.run(["encrypt", "--to", ALICE], b"kept").ok();
    let office = Home::of(RECOVERY);
    laptop.home.import(&office.certificate(RECOVERY));
    laptop.home.run(["key", "backup", ALICE, "--to", ALICE], b"").expect_code(2);
    assert_eq!(laptop.back_up(&["--to", RECOVERY]), "", "there is no code");

    let new = laptop.lost();
    new.run(["key", "restore"], b"").expect_code(5);
    let blob: PathBuf = laptop.scratch.file("blob");
    new.run(["key", "restore", "--sealed", "-o", blob.to_str().unwrap()], b"").ok();
    let key = office.run(["decrypt"], &std::fs::read(&blob).unwrap()).ok();
    new.import(&key);
    assert_eq!(new.run(["decrypt", "--passphrase-file", &laptop.passphrase], &sealed).ok(), b"kept");
    // Or the key comes to the new device.
    let other = laptop.scratch.write("recovery.pgp", office.tsk(RECOVERY));
    new.run(["key", "import", other.to_str().unwrap()], b"").ok();
    new.run(["key", "restore"], b"").ok();
}
