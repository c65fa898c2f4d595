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
