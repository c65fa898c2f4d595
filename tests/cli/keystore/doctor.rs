// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe doctor` looks at the account's folder.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use super::alice_in_custody;
use crate::doctor::{findings, wrong};

#[test]
fn an_account_that_others_can_use_or_that_was_changed_is_found() {
    let (keystore, alice) = alice_in_custody();
    let folder = alice.path().join("keystore");
    let level = |check: &str| {
        let findings = findings(&alice, 0);
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("{check} was not looked at: {findings:?}"))["level"].clone()
    };
    for check in ["keystore", "keystore-pin", "keystore-session"] {
        assert_eq!(level(check), "ok", "{check}");
    }

    // Permissions.
    let files = ["session.json", "device.key", "known.json"].map(|name| folder.join(name));
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for file in &files {
        open(file, 0o640);
        wrong(&alice, "keystore-file-mode", &format!("chmod 600 {}", file.display()));
        open(file, 0o600);
    }
    open(&folder, 0o755);
    wrong(&alice, "keystore", "chmod 700");
    open(&folder, 0o700);

    // What it believes.
    let changed = |name: &str, check: &str, change: &dyn Fn(&str) -> String| {
        let file = folder.join(name);
        let before = fs::read_to_string(&file).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "{name}");
        fs::write(&file, after).unwrap();
        wrong(&alice, check, "plombe log");
        fs::write(&file, before).unwrap();
    };
    changed("session.json", "keystore-session", &|_| "{}".to_owned());
    changed("known.json", "keystore-pin", &|_| "{}".to_owned());
    let pin = |text: &str, member: &str, value: &str| {
        let mut known: Value = serde_json::from_str(text).unwrap();
        known["keystore"][member] = value.into();
        known.to_string()
    };
    // Another keystore's keys in the place of the pinned ones.
    let other = "example.test/plombe-log+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    changed("known.json", "keystore-pin", &|text| pin(text, "log_verifier", other));
    changed("known.json", "keystore-session", &|text| pin(text, "hpke_public", &"A".repeat(43)));
    findings(&alice, 0);

    // The address of an agent that has ended.
    let address = keystore.listening().trim_start_matches("http://").to_owned();
    for (address, wanted) in
        [(address.as_str(), "ok"), ("127.0.0.1:1", "warning"), ("not an address", "warning")]
    {
        fs::write(folder.join("agent.url"), format!("http://{address}/0123/\n")).unwrap();
        open(&folder.join("agent.url"), 0o600);
        assert_eq!(level("agent"), wanted, "{address}");
    }
}
