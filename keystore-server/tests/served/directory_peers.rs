// SPDX-License-Identifier: LGPL-2.0-or-later
//! The directory, asked by the programs that people have.

use std::process::Command;

use crate::{keystore::TestKeystore, mail::generate};

/// Is it installed? When not, the test is skipped, aloud, or fails where peers are required.
fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        assert!(std::env::var("PLOMBE_REQUIRE_PEERS").as_deref() != Ok("1"), "{program} is missing");
        eprintln!("skipped: {program} is missing");
    }
    there
}

fn published() -> (TestKeystore, String, String) {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let fingerprint = generate(&mut alice, "alice@example.org").fingerprint.as_fingerprint().to_hex();
    let server = keystore.url().replace("http://", "hkp://");
    (keystore, fingerprint, server)
}

pub(crate) struct Gpg(tempfile::TempDir);

impl Gpg {
    /// With a home of its own, which is empty.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        self.0.path()
    }

    /// What it says.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// The same, when it may fail.
    pub(crate) fn try_run(&self, args: &[&str]) -> String {
        String::from_utf8_lossy(&self.output(args).stdout).into_owned()
    }

    fn output(&self, args: &[&str]) -> std::process::Output {
        Command::new("gpg")
            .args(["--batch", "--no-tty", "--with-colons", "--status-fd", "1", "--homedir"])
            .arg(self.0.path())
            .args(args)
            .output()
            .unwrap()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").arg("--homedir").arg(self.0.path()).args(["--kill", "all"]).status();
    }
}

#[test]
fn gpg_finds_certificates_by_hkp() {
    if !has("gpg") || !has("dirmngr") {
        return;
    }
    let (_keystore, fingerprint, server) = published();
    let gpg = Gpg::new();
    let listed = gpg.run(&["--keyserver", &server, "--search-keys", "Alice@example.org"]);
    assert!(listed.contains(&fingerprint), "{listed}");
    gpg.run(&["--keyserver", &server, "--recv-keys", &fingerprint]);
    let listed = gpg.run(&["--list-keys", "alice@example.org"]);
    assert!(listed.contains(&format!("fpr:::::::::{fingerprint}:")), "{listed}");

    let other = Gpg::new();
    let located = ["--keyserver", &server, "--auto-key-locate", "clear,nodefault,keyserver"];
    let listed = other.run(&[&located[..], &["--locate-external-keys", "alice@example.org"]].concat());
    assert!(listed.contains(&fingerprint), "{listed}");
}

#[test]
fn sq_finds_certificates_by_hkp() {
    if !has("sq") {
        return;
    }
    let (_keystore, fingerprint, server) = published();
    for what in [fingerprint.as_str(), "alice@example.org"] {
        let output = Command::new("sq")
            .args(["keyserver", "--policy", "insecure", "--server", &server, "get", what])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = plombe_core::cert::Certificate::parse(&output.stdout).unwrap();
        assert_eq!(found.fingerprint().to_hex(), fingerprint);
    }
}
