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

struct Gpg(tempfile::TempDir);

impl Gpg {
    fn run(&self, args: &[&str]) -> String {
        let output = Command::new("gpg")
            .args(["--batch", "--no-tty", "--with-colons", "--status-fd", "1", "--homedir"])
            .arg(self.0.path())
            .args(args)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
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
    let gpg = Gpg(tempfile::tempdir().unwrap());
    let listed = gpg.run(&["--keyserver", &server, "--search-keys", "Alice@example.org"]);
    assert!(listed.contains(&fingerprint), "{listed}");
    gpg.run(&["--keyserver", &server, "--recv-keys", &fingerprint]);
    let listed = gpg.run(&["--list-keys", "alice@example.org"]);
    assert!(listed.contains(&format!("fpr:::::::::{fingerprint}:")), "{listed}");

    let other = Gpg(tempfile::tempdir().unwrap());
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
