// SPDX-License-Identifier: LGPL-2.0-or-later
//! An organisation's own rules, from a file.

use plombe_tests::{ALICE, Home, Scratch};

use super::{alice_in_custody, json, log_in};

const RULES: &str = r#"
[[rule]]
id = "no-signing"
why = "mail is signed in the office"
demand = "forbid"
actions = ["sign"]
people = ["alice@example.test"]

[[rule]]
id = "office-hours"
why = "accounts are made by day"
demand = "forbid"
actions = ["create-code"]
outside = { days = ["mon", "tue"], from = "08:00", until = "18:00", utc_offset = 60 }
"#;

#[test]
fn rules_are_checked_tried_on_the_past_put_in_force_and_shown() {
    let (mut keystore, alice) = alice_in_custody();
    keystore.configure("[consent]\ndelay_hours = 0\n");
    keystore.kill();
    keystore.start_again();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    let admin = Home::new();
    log_in(&admin, &keystore, keystore.admin_code());
    let scratch = Scratch::new();
    let file = scratch.write("rules.toml", RULES);
    let file = file.to_str().unwrap();
    let checked = json(&admin.run(["rules", "check", file, "--json"], b"").expect_code(0));
    assert_eq!(checked["checked"]["needs_consent"], false);

    // Who is no auditor reads nobody's past.
    admin.run(["rules", "dry-run", file], b"").expect_code(14);
    admin.run(["people", "add", "auditor@example.test", "--roles", "auditor"], b"").ok();
    let auditor = Home::new();
    log_in(&auditor, &keystore, &keystore.code_for("auditor@example.test"));
    let tried = json(&auditor.run(["rules", "dry-run", file, "--json"], b"").expect_code(0));
    let different = tried["dry_run"]["different"].as_array().unwrap();
    let sign: Vec<_> = different.iter().filter(|one| one["action"] == "sign").collect();
    assert_eq!(sign.len(), 1, "{tried}");
    assert_eq!(
        (&sign[0]["was"], &sign[0]["would_be"]),
        (&"permitted".into(), &"refused by no-signing".into())
    );

    // Before the rules about codes.
    admin.run(["people", "add", "second@example.test", "--roles", "user,admin"], b"").ok();
    let second = Home::new();
    log_in(&second, &keystore, &keystore.code_for("second@example.test"));
    admin.run(["rules", "apply", file], b"").ok();
    let refused = alice.run(["sign", "--as", ALICE], b"x").expect_code(14);
    assert!(refused.stderr.contains("mail is signed in the office"), "{refused}");
    let shown = admin.run(["rules", "show"], b"").expect_code(0);
    for part in [
        "id = \"no-signing\"",
        "actions = [\"sign\"]",
        "days = [\"mon\", \"tue\"]",
        "from = \"08:00\"",
        "until = \"18:00\"",
        "utc_offset = 60",
    ] {
        assert!(shown.text().contains(part), "{part}: {shown}");
    }
    // What is shown is a file of rules, the same ones.
    let again = scratch.write("again.toml", shown.text());
    let checked = json(&admin.run(["rules", "check", again.to_str().unwrap(), "--json"], b"").expect_code(0));
    assert_eq!(
        (&checked["checked"]["rules"], &checked["checked"]["needs_consent"]),
        (&2.into(), &false.into())
    );

    let empty = scratch.write("none.toml", "");
    let empty = empty.to_str().unwrap();
    let checked = json(&admin.run(["rules", "check", empty, "--json"], b"").expect_code(0));
    assert_eq!(
        (&checked["checked"]["rules"], &checked["checked"]["needs_consent"]),
        (&0.into(), &true.into())
    );
    let tried = json(&auditor.run(["rules", "dry-run", empty, "--json"], b"").expect_code(0));
    let different = tried["dry_run"]["different"].as_array().unwrap();
    let told = |one: &serde_json::Value| (one["was"].clone(), one["would_be"].clone());
    assert_eq!(
        different.iter().map(told).collect::<Vec<_>>(),
        [("refused by no-signing".into(), "permitted".into())]
    );
    // The rules in force decide as they did, but for what was before them.
    let tried = json(&auditor.run(["rules", "dry-run", file, "--json"], b"").expect_code(0));
    let different = tried["dry_run"]["different"].as_array().unwrap();
    assert_eq!(different.iter().filter(|one| one["action"] == "sign").count(), 1, "{tried}");

    // Looser ones take two.
    admin.run(["rules", "apply", empty], b"").expect_code(14);
    let asked =
        json(&admin.run(["rules", "apply", empty, "--reason", "we moved", "--json"], b"").expect_code(0));
    let approval = asked["asked"]["id"].as_str().unwrap();
    admin.run(["rules", "apply", empty], b"").expect_code(14);
    second.run(["approvals", "agree", approval], b"").ok();
    admin.run(["rules", "apply", empty], b"").ok();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    let wrong = scratch.write("wrong.toml", RULES.replace("\"sign\"", "\"revoke\""));
    let refused = admin.run(["rules", "check", wrong.to_str().unwrap()], b"").expect_code(2);
    assert!(refused.stderr.contains("locked out"), "{refused}");
}
