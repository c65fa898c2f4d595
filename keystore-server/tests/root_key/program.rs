// SPDX-License-Identifier: LGPL-2.0-or-later
//! The program, with each kind of root key.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A keystore that was made and does not run: its commands need the root key as much as the server.
pub(crate) struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// `init`, with these arguments about the root key.
    pub(crate) fn with(args: &[&str]) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let data = made.folder.path().to_str().unwrap();
        run(&[&["init", "--domain", "example.org", "--data", data], args].concat()).unwrap();
        made
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Something that reads what is in the database.
    pub(crate) fn add_user(&self, address: &str) -> Result<String, String> {
        self.run(&["user", "add", address])
    }

    pub(crate) fn run(&self, args: &[&str]) -> Result<String, String> {
        run(&[args, &["--config", self.config().to_str().unwrap()]].concat())
    }
}

/// What it prints, or what it complains of.
fn run(args: &[&str]) -> Result<String, String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_plombe-keystore")).args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

pub(crate) fn write_secret(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_root_key_under_a_passphrase_opens_with_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = folder.path().join("passphrase");
    write_secret(&passphrase, "correct horse\n");
    let keystore = Made::with(&["--passphrase-file", passphrase.to_str().unwrap()]);
    keystore.add_user("alice@example.org").unwrap();

    write_secret(&passphrase, "wrong horse\n");
    let error = keystore.add_user("bob@example.org").unwrap_err();
    assert!(error.contains("passphrase does not open"), "{error}");
    assert!(!error.contains("horse"), "{error}");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o644)).unwrap();
    let error = keystore.add_user("bob@example.org").unwrap_err();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn a_copied_disk_without_the_passphrase_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = folder.path().join("passphrase");
    write_secret(&passphrase, "correct horse\n");
    let keystore = Made::with(&["--passphrase-file", passphrase.to_str().unwrap()]);
    fs::remove_file(&passphrase).unwrap();
    let error = keystore.add_user("alice@example.org").unwrap_err();
    assert!(error.contains("passphrase"), "{error}");
}

#[test]
fn another_root_key_opens_nothing() {
    let (one, other) = (Made::with(&[]), Made::with(&[]));
    fs::copy(other.config().with_file_name("root.key"), one.config().with_file_name("root.key")).unwrap();
    let error = one.add_user("alice@example.org").unwrap_err();
    assert!(error.contains("root key"), "{error}");
}

#[test]
fn the_root_key_is_changed_in_two_steps_and_either_works_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = folder.path().join("passphrase");
    write_secret(&passphrase, "correct horse\n");
    let keystore = Made::with(&[]);
    let old = fs::read_to_string(keystore.config()).unwrap();
    let add = |address: &str| keystore.add_user(address);
    assert!(keystore.run(&["rotate-root"]).unwrap_err().contains("[next_root_key]"));

    let place = format!("file = \"second.key\"\npassphrase_file = {passphrase:?}\n");
    fs::write(keystore.config(), format!("{old}\n[next_root_key]\n{place}")).unwrap();
    assert!(keystore.run(&["rotate-root"]).unwrap().contains("2 keys"));
    assert!(keystore.run(&["rotate-root"]).unwrap().contains("2 keys"), "once more does no harm");
    add("alice@example.org").unwrap();
    assert!(keystore.run(&["rotate-root", "--finish"]).unwrap_err().contains("[next_root_key]"));
    let error = keystore.run(&["rotate-tenant"]).unwrap_err();
    assert!(error.contains("--finish"), "{error}");

    let new = old.replace("file = \"root.key\"\n", &place);
    fs::write(keystore.config(), &new).unwrap();
    add("bob@example.org").unwrap();
    assert!(keystore.run(&["rotate-root", "--finish"]).unwrap().contains("2 wrappings"));
    add("carol@example.org").unwrap();

    fs::write(keystore.config(), &old).unwrap();
    assert!(add("dave@example.org").unwrap_err().contains("root key"), "the old one opens nothing any more");
    fs::write(keystore.config(), &new).unwrap();
    let said = keystore.run(&["rotate-tenant"]).unwrap();
    assert!(said.contains("the keystore itself: key 2") && said.contains("tenant "), "{said}");
    add("dave@example.org").unwrap();
}
