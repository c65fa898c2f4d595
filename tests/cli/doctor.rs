// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe doctor`, and what comes with every program: help, completions, manual pages.

use std::{fs, os::unix::fs::PermissionsExt as _};

use plombe_tests::{ALICE, Home, Scratch};
use serde_json::Value;

#[track_caller]
pub(crate) fn findings(home: &Home, code: i32) -> Vec<Value> {
    let ran = home.run(["doctor", "--json"], b"").expect_code(code);
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(told["healthy"], code == 0, "{ran}");
    told["findings"].as_array().unwrap().clone()
}

#[track_caller]
pub(crate) fn wrong(home: &Home, check: &str, remedy: &str) {
    let findings = findings(home, 1);
    let found = findings.iter().find(|finding| finding["check"] == check && finding["level"] == "error");
    let found = found.unwrap_or_else(|| panic!("nothing wrong with {check}: {findings:?}"));
    assert!(found["remedy"].as_str().unwrap().contains(remedy), "{found}");
}

#[test]
fn sound_home_is_healthy() {
    findings(&Home::of(ALICE), 0);
    findings(&Home::new(), 0);
}

#[test]
fn secret_key_that_others_may_read_is_found() {
    let home = Home::of(ALICE);
    let keys = home.path().join("keys");
    let file = fs::read_dir(&keys).unwrap().next().unwrap().unwrap().path();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    wrong(&home, "secret-key-mode", "chmod 600");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    wrong(&home, "keys", "chmod 700");
}

#[test]
fn damaged_secret_key_is_found() {
    let home = Home::of(ALICE);
    let file = fs::read_dir(home.path().join("keys")).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "not a key").unwrap();
    wrong(&home, "secret-key", "restore");
}

#[test]
fn settings_that_are_not_known_are_found_and_stop_other_commands() {
    let home = Home::of(ALICE);
    fs::write(home.path().join("config.toml"), "[mail]\nautocrpyt = false\n").unwrap();
    wrong(&home, "config", "docs/user-guide.md");
    let ran = home.run(["key", "list"], b"").expect_code(1);
    assert!(ran.stderr.contains("autocrpyt"), "{ran}");
}

#[test]
fn help_completions_and_manual_pages_cover_every_command() {
    let (home, scratch) = (Home::new(), Scratch::new());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(home.run(["completions", shell], b"").text().contains("inspect"), "{shell}");
    }
    home.run(["man", scratch.path().to_str().unwrap()], b"").ok();
    let pages = scratch.names();
    for page in
        ["plombe.1", "plombe-key-generate.1", "plombe-mail-seal.1", "plombe-decrypt.1", "plombe-doctor.1"]
    {
        assert!(pages.iter().any(|name| name == page), "{page} is not among {pages:?}");
    }
    for command in [
        &["--help"][..],
        &["key", "--help"],
        &["mail", "seal", "--help"],
        &["encrypt", "--help"],
        &["--version"],
    ] {
        home.run(command, b"").ok();
    }
    home.run(["encrypt", "--no-such-option"], b"").expect_code(2);
}

#[test]
fn start_is_quick_and_needs_no_home() {
    let home = Home::new();
    let started = std::time::Instant::now();
    for _ in 0..10 {
        home.run(["--version"], b"").ok();
    }
    // The goal is 10 ms for a release build on an idle machine; this catches what is wrong by an order of magnitude.
    assert!(started.elapsed().as_millis() < 5_000, "{:?} for ten starts", started.elapsed());
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "asking for the version wrote something");
}
