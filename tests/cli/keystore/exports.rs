// SPDX-License-Identifier: LGPL-2.0-or-later
//! The log in a file, for somebody who has no account and no network.

use plombe_core::keystore::calls::audit::{ListEntries, Scope};
use plombe_tests::{ALICE, BOB, Home, Keystore, Scratch, plombe_keystore};
use serde_json::Value;

use super::{alice_in_custody, json, log_in, session};

/// Somebody without an account.
struct Outsider {
    home: Home,
    scratch: Scratch,
    key: String,
}

impl Outsider {
    /// Which line is named when this text is checked.
    #[track_caller]
    fn refuses(&self, text: &str) -> String {
        let file = self.scratch.write("changed.jsonl", text);
        let check = ["audit", "verify", file.to_str().unwrap(), "--verifier-key", &self.key];
        let refused = self.home.run(check, b"").expect_code(7);
        let line = refused.stderr.split("line ").nth(1).and_then(|rest| rest.split(':').next());
        line.unwrap_or_else(|| panic!("no line is named: {refused}")).to_owned()
    }

    #[track_caller]
    fn accepts(&self, text: &str) -> Value {
        let file = self.scratch.write("export.jsonl", text);
        let check = ["audit", "verify", file.to_str().unwrap(), "--verifier-key", &self.key, "--json"];
        json(&self.home.run(check, b"").expect_code(0))["verified"].clone()
    }

    /// Changes in any export that all show, each with its line.
    #[track_caller]
    fn refuses_what_is_changed(&self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let is_sign = |line: &str| line.contains("\"action\":\"sign\"");
        let at = lines.iter().rposition(|line| is_sign(line)).expect("she has signed");
        let put = |index: usize, line: &str| {
            let mut lines = lines.clone();
            lines[index] = line;
            lines.join("\n") + "\n"
        };
        let number = |index: usize| (index + 1).to_string();

        // What people read, and what the log holds.
        let said = lines[at].replace("\"action\":\"sign\"", "\"action\":\"sing\"");
        assert_eq!(self.refuses(&put(at, &said)), number(at));
        let mut value: Value = serde_json::from_str(lines[at]).unwrap();
        let held = value["disclosure"].as_str().unwrap().to_owned();
        let other = if &held[60..61] == "A" { "B" } else { "A" };
        let changed = lines[at].replace(&held, &format!("{}{other}{}", &held[..60], &held[61..]));
        assert_eq!(self.refuses(&put(at, &changed)), number(at));
        // Two meanings in one line.
        let twice = lines[at].replace("\"action\":\"sign\"", "\"action\":\"none\",\"action\":\"sign\"");
        assert_eq!(self.refuses(&put(at, &twice)), number(at));
        // Another's proof.
        let before: Value = serde_json::from_str(lines[at - 1]).unwrap();
        let proof = |value: &Value| value["proof"].to_string();
        let swapped = lines[at].replace(&proof(&value), &proof(&before));
        assert_eq!(self.refuses(&put(at, &swapped)), number(at));
        // Hidden by who passes it on.
        value["entry"] = Value::Null;
        let erased = lines[at].replace(&lines[at][lines[at].find("\"entry\":").unwrap()..], "");
        let rest = &lines[at][lines[at].find("\"disclosure\"").unwrap()..];
        assert_eq!(self.refuses(&put(at, &format!("{erased}\"entry\":null,{rest}"))), number(at));
        // Order, and the end.
        let mut order = lines.clone();
        order.swap(at, at - 1);
        assert_eq!(self.refuses(&(order.join("\n") + "\n")), number(at - 1));
        let end = lines.len() - 1;
        assert_eq!(self.refuses(&(lines[..end].join("\n") + "\n")), number(end));
        self.refuses(&text[..text.len() - 1]);
        let more = lines[end].replace("\"entries\":", "\"entries\":1");
        assert_eq!(self.refuses(&put(end, &more)), number(end));
        // The signature, and a smaller tree than the one that was signed.
        let note: Value = serde_json::from_str(lines[0]).unwrap();
        let size = note["checkpoint"].as_str().unwrap().lines().nth(1).unwrap().to_owned();
        let smaller = lines[0].replace(&format!("\\n{size}\\n"), "\\n1\\n");
        assert_eq!(self.refuses(&put(0, &smaller)), "1");
    }
}

/// Without its `index`th line, and with an end that counts as many as are left.
fn without(text: &str, index: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines.remove(index);
    let end: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let entries = end["end"]["entries"].as_u64().unwrap() - 1;
    *lines.last_mut().unwrap() = format!("{{\"end\":{{\"entries\":{entries}}}}}");
    lines.join("\n") + "\n"
}

#[test]
fn an_exported_log_is_verified_without_an_account_and_every_change_in_it_shows() {
    let (mut keystore, alice) = alice_in_custody();
    for _ in 0..3 {
        alice.run(["sign", "--as", ALICE], b"x").ok();
    }
    let admin = Home::new();
    log_in(&admin, &keystore, keystore.admin_code());
    admin.run(["people", "add", "auditor@example.test", "--roles", "auditor"], b"").ok();
    let auditor = Home::new();
    log_in(&auditor, &keystore, &keystore.code_for("auditor@example.test"));
    let bob = Home::new();
    log_in(&bob, &keystore, &keystore.add_user(BOB));

    // More than is fetched at once; reading it all is on record, so the log grows under each page.
    let mut reader = session(&auditor);
    for _ in 0..50 {
        reader.call(&ListEntries { scope: Scope::All, after: None, limit: 1 }).unwrap();
    }

    bob.run(["audit", "export", "--all"], b"").expect_code(14);
    let own = String::from_utf8(alice.run(["audit", "export"], b"").ok()).unwrap();
    let scratch = Scratch::new();
    let file = scratch.path().join("all.jsonl");
    let path = file.to_str().unwrap();
    let told = json(&auditor.run(["audit", "export", "--all", "-o", path, "--json"], b"").expect_code(0));
    let all = std::fs::read_to_string(&file).unwrap();
    let key = told["exported"]["log_key"].as_str().unwrap().to_owned();
    keystore.kill();
    // Where the account is, its pin is enough.
    let verified = alice.run(["audit", "verify", scratch.write("own.jsonl", &own).to_str().unwrap()], b"");
    assert!(verified.expect_code(0).stderr.contains("which this machine knows"));

    let outsider = Outsider { home: Home::new(), scratch: Scratch::new(), key };
    let verified = outsider.accepts(&own);
    assert_eq!((&verified["whole_log"], &verified["key_from"]), (&false.into(), &"option".into()));
    assert_eq!(verified["keys"].as_array().unwrap().len(), 1, "{verified}");
    let verified = outsider.accepts(&all);
    assert_eq!((&verified["whole_log"], &verified["entries"]), (&true.into(), &verified["size"]));
    assert_eq!(verified["keys"].as_array().unwrap().len(), 1, "{verified}");
    assert_eq!(verified["about_keys"], 3, "{verified}");
    for text in [&own, &all] {
        outsider.refuses_what_is_changed(text);
    }

    // A use that is taken out of the key's list, or anything out of the whole.
    let lines: Vec<&str> = own.lines().collect();
    let list = lines.iter().position(|line| line.starts_with("{\"list\":{\"key\"")).unwrap();
    assert_eq!(outsider.refuses(&without(&own, list + 2)), (list + 3).to_string());
    let lines: Vec<&str> = all.lines().collect();
    let tree = lines.iter().position(|line| line.starts_with("{\"checkpoint\"")).unwrap();
    for index in [2, 3, tree - 2, tree, tree + 1, lines.len() - 2] {
        assert_eq!(outsider.refuses(&without(&all, index)), (index + 1).to_string());
    }
    // A later tree that is not proven to extend the first.
    let mut grown: Value = serde_json::from_str(lines[tree]).unwrap();
    let proof = grown["consistency"].to_string();
    grown["consistency"].as_array_mut().unwrap().reverse();
    let unproven = all.replacen(&proof, &grown["consistency"].to_string(), 1);
    assert_eq!(outsider.refuses(&unproven), (tree + 1).to_string());

    // A key that stands in the file is nobody's word.
    let path = outsider.scratch.write("export.jsonl", &own);
    let path = path.to_str().unwrap();
    let refused = outsider.home.run(["audit", "verify", path], b"").expect_code(15);
    assert!(refused.stderr.contains("nobody vouches for"), "{refused}");
    let believed = outsider.home.run(["audit", "verify", path, "--trust-key-in-file"], b"").expect_code(0);
    assert!(believed.stderr.contains("NOT PROVEN"), "{believed}");
    let other = Keystore::start(plombe_keystore(), "example.test", &[]);
    let carol = Home::new();
    log_in(&carol, &other, &other.add_user("carol@example.test"));
    carol.run(["audit", "verify", path], b"").expect_code(15);
    let exported = carol.run(["audit", "export", "--json"], b"").ok();
    let header: Value =
        serde_json::from_slice(exported.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let wrong = header["log_key"].as_str().unwrap();
    outsider.home.run(["audit", "verify", path, "--verifier-key", wrong], b"").expect_code(15);
    // The other key written into the file signs nothing of it.
    let forged = own.replacen(&outsider.key, wrong, 1);
    let forged = outsider.scratch.write("forged.jsonl", &forged);
    let check = ["audit", "verify", forged.to_str().unwrap(), "--trust-key-in-file"];
    let refused = outsider.home.run(check, b"").expect_code(7);
    assert!(refused.stderr.contains("line 1:"), "{refused}");
}
