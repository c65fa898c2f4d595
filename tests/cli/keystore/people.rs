// SPDX-License-Identifier: LGPL-2.0-or-later
//! What administrators do from the command line, alone and by two.

use std::io::Write as _;

use plombe_tests::{ALICE, BOB, Home, Keystore, plombe_keystore};
use serde_json::Value;

use super::{json, log_in};

const SECOND: &str = "second@example.test";
const REASON: &str = "she is ill, and the contract is due";

/// A keystore where administrators count at once, and the first of them, logged in.
fn office() -> (Keystore, Home) {
    let mut keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    keystore.kill();
    let config = keystore.folder().join("config.toml");
    let mut config = std::fs::OpenOptions::new().append(true).open(config).unwrap();
    writeln!(config, "\n[consent]\ndelay_hours = 0").unwrap();
    keystore.start_again();
    let admin = Home::new();
    log_in(&admin, &keystore, keystore.admin_code());
    (keystore, admin)
}

#[track_caller]
fn ask(home: &Home, arguments: &[&str]) -> Value {
    json(&home.run(arguments.iter().copied().chain(["--json"]), b"").expect_code(0))
}

/// Lets somebody in from the command line, and logs them in.
#[track_caller]
fn add(admin: &Home, keystore: &Keystore, address: &str, roles: &str) -> Home {
    let added = ask(admin, &["people", "add", address, "--name", "Somebody", "--roles", roles]);
    let home = Home::new();
    log_in(&home, keystore, added["code"].as_str().unwrap());
    home
}

#[test]
fn people_are_let_in_suspended_and_ended_from_the_command_line() {
    let (keystore, admin) = office();
    let alice = add(&admin, &keystore, ALICE, "user");
    alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let bob = add(&admin, &keystore, BOB, "user");
    alice.run(["key", "share", ALICE, "--with", BOB, "--to", "unwrap,sign", "--until", "9d"], b"").ok();
    bob.run(["sign", "--as", ALICE], b"x").ok();
    let people = ask(&admin, &["people", "list"]);
    assert_eq!(people["people"].as_array().unwrap().len(), 3, "{people}");
    assert!(
        admin.run(["people", "list", BOB], b"").expect_code(0).text().contains("active  bob@example.test")
    );
    // Only administrators do any of this.
    for arguments in [&["people", "list"][..], &["people", "suspend", ALICE], &["people", "code", ALICE]] {
        bob.run(arguments, b"").expect_code(14);
    }

    admin.run(["people", "suspend", BOB], b"").ok();
    bob.run(["sign", "--as", ALICE], b"x").expect_code(14);
    admin.run(["people", "resume", BOB], b"").ok();
    bob.run(["sign", "--as", ALICE], b"x").ok();
    let code = ask(&admin, &["people", "code", BOB, "--valid-for", "2h"]);
    let phone = Home::new();
    log_in(&phone, &keystore, code["code"].as_str().unwrap());

    // Who leaves takes nothing along, and what all has ended is said.
    admin.run(["people", "end", BOB], b"").expect_code(2);
    let ended = ask(&admin, &["people", "end", BOB, "--reason", "left", "--yes"]);
    let counted = |what: &str| ended["ended"][what].as_array().unwrap().len();
    assert_eq!((counted("devices"), counted("sessions"), counted("grants")), (2, 2, 1), "{ended}");
    assert!(ended["ended"]["position"].as_u64().is_some_and(|position| position > 0));
    bob.run(["sign", "--as", ALICE], b"x").expect_code(14);
    assert!(ask(&alice, &["key", "shares"])["shares"].as_array().unwrap().is_empty());
    admin.run(["people", "resume", BOB], b"").expect_code(14);
}

#[test]
fn a_device_or_a_session_is_ended_by_name() {
    let (keystore, admin) = office();
    let alice = add(&admin, &keystore, ALICE, "user");
    alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let trail = ask(&alice, &["audit", "show"]);
    let entries = trail["entries"].as_array().unwrap().iter().rev();
    let actor = entries.map(|one| &one["entry"]["actor"]).find(|actor| actor["session"].is_string()).unwrap();
    let session = actor["session"].as_str().unwrap();
    let ended = ask(&alice, &["revoke", "session", session, "--reason", "left it open"]);
    assert_eq!(ended["ended"]["sessions"][0], session, "{ended}");
    alice.run(["whoami"], b"").expect_code(14);
    log_in(&alice, &keystore, &keystore.code_for(ALICE));

    let devices = ask(&admin, &["devices", "list", "--of", ALICE]);
    let device = devices["devices"][0]["id"].as_str().unwrap();
    let ended = admin.run(["revoke", "device", device], b"").expect_code(0);
    assert!(ended.stderr.contains("nothing of it is served after entry"), "{ended}");
    alice.run(["sign", "--as", ALICE], b"x").expect_code(14);
}

#[test]
fn two_administrators_open_a_mail_and_its_owner_sees_why() {
    let (keystore, admin) = office();
    let second = add(&admin, &keystore, SECOND, "user,admin");
    let alice = add(&admin, &keystore, ALICE, "user");
    let key = alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let key = String::from_utf8(key).unwrap().trim().to_owned();
    let mail = format!("From: {ALICE}\r\nTo: {ALICE}\r\nSubject: s\r\n\r\nthe contract\r\n");
    let mail = alice.run(["mail", "seal"], mail.as_bytes()).ok();
    let file = alice.run(["encrypt", "--to", ALICE], b"a file").ok();

    admin.run(["decrypt"], &file).expect_code(5);
    admin.run(["break-glass", "request", &key], b"").expect_code(2);
    let asked = ask(&admin, &["break-glass", "request", &key, "--reason", REASON, "--for", "2h"]);
    let id = asked["approval"]["id"].as_str().unwrap();
    // One alone opens nothing, also not by agreeing with oneself.
    admin.run(["break-glass", "open", id], &file).expect_code(14);
    admin.run(["approvals", "agree", id], b"").expect_code(14);
    assert_eq!(ask(&second, &["approvals", "list"])["approvals"][0]["reason"], REASON);
    second.run(["approvals", "agree", id], b"").ok();
    second.run(["break-glass", "open", id], &file).expect_code(14);

    let opened = admin.run(["break-glass", "open", id], &file).expect_code(0);
    assert!(opened.stdout == b"a file" && opened.stderr.contains("break-glass"), "{opened}");
    let opened = admin.run(["break-glass", "open-mail", id], &mail).expect_code(0);
    assert!(opened.text().contains("the contract"), "{opened}");
    let shown = alice.run(["audit", "show"], b"").expect_code(0);
    assert!(shown.text().contains(REASON), "{shown}");
    let uses = shown.text().lines().filter(|line| line.contains("  break-glass  by admin@example.test ("));
    assert_eq!(uses.count(), 2, "{shown}");

    // She ends it herself.
    alice.run(["approvals", "refuse", id], b"").ok();
    admin.run(["break-glass", "open", id], &file).expect_code(14);
}

#[test]
fn a_third_administrator_needs_two() {
    let (keystore, admin) = office();
    let second = add(&admin, &keystore, SECOND, "user,admin");
    add(&admin, &keystore, BOB, "user");
    let refused = admin.run(["people", "roles", BOB, "user,admin"], b"").expect_code(14);
    assert!(refused.stderr.contains("consent"), "{refused}");
    let asked = ask(&admin, &["approvals", "request-admin", BOB, "--reason", "we are three"]);
    let id = asked["approval"]["id"].as_str().unwrap();
    second.run(["approvals", "agree", id], b"").ok();
    let changed = ask(&admin, &["people", "roles", BOB, "user,admin"]);
    assert_eq!(changed["person"]["roles"], serde_json::json!(["user", "admin"]));
}

#[test]
fn a_code_from_the_command_line_names_its_keystore() {
    let (_keystore, admin) = office();
    let other = Keystore::start(plombe_keystore(), "example.test", &[]);
    let code = ask(&admin, &["people", "add", ALICE]);
    let login = ["login", other.url(), "--code", code["code"].as_str().unwrap()];
    let refused = Home::new().run(login, b"").expect_code(15);
    assert!(refused.stderr.contains("another keystore"), "{refused}");
}

#[test]
fn why_something_was_ended_stands_in_the_log_of_whom_it_concerns_and_of_auditors() {
    let (keystore, admin) = office();
    let alice = add(&admin, &keystore, ALICE, "user");
    alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let auditor = add(&admin, &keystore, "auditor@example.test", "auditor");
    let phone = Home::new();
    log_in(&phone, &keystore, &keystore.code_for(ALICE));
    let devices = ask(&admin, &["devices", "list", "--of", ALICE]);
    let waits = |device: &&Value| device["state"] == "pending";
    let device = devices["devices"].as_array().unwrap().iter().find(waits).unwrap()["id"].as_str().unwrap();
    let long = "x".repeat(501);
    admin.run(["revoke", "device", device, "--reason", &long], b"").expect_code(14);
    admin.run(["revoke", "device", device, "--reason", "left in a train"], b"").expect_code(0);
    for (reader, arguments) in [(&alice, &["audit", "show"][..]), (&auditor, &["audit", "show", "--all"])] {
        let shown = reader.run(arguments, b"").expect_code(0);
        let mut lines = shown.text().lines();
        assert!(lines.any(|line| line.contains("revoke") && line.contains("left in a train")), "{shown}");
    }
}
