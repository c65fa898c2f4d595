// SPDX-License-Identifier: LGPL-2.0-or-later
//! A shared mailbox: an owner lets a colleague use a key, for a time and for named uses.

use plombe_tests::{ALICE, BOB, Home, Keystore};

use super::{alice_in_custody, json, log_in};

/// Alice with her key in the keystore, and Bob with an account there.
fn colleagues() -> (Keystore, Home, Home) {
    let (keystore, alice) = alice_in_custody();
    let bob = Home::new();
    log_in(&bob, &keystore, &keystore.add_user(BOB));
    (keystore, alice, bob)
}

#[test]
fn a_shared_mailbox_is_read_and_answered_until_that_ends() {
    let (_keystore, alice, bob) = colleagues();
    let sealed = alice.run(["encrypt", "--to", ALICE], b"to the office").ok();
    bob.run(["decrypt"], &sealed).expect_code(5);
    let share = ["key", "share", ALICE, "--with", BOB, "--to", "unwrap,sign", "--until", "30d", "--json"];
    let shared = json(&alice.run(share, b"").expect_code(0));
    let id = shared["shared"]["id"].as_str().unwrap();

    // Bob's machine finds out by itself, and says whose key it is.
    let read = bob.run(["decrypt"], &sealed).expect_code(0);
    assert_eq!(read.stdout, b"to the office");
    assert!(read.stderr.contains("shared key") && read.stderr.contains(ALICE), "{read}");
    let told = bob.run(["decrypt", "--json"], &sealed).expect_code(0);
    let told: serde_json::Value = serde_json::from_str(told.stderr.trim()).unwrap();
    assert_eq!(told["shared_keys"][0], shared["shared"]["key"], "{told}");
    let signed = bob.run(["sign", "--as", ALICE], b"we answer").expect_code(0);
    assert!(signed.stderr.contains("shared key"), "{signed}");
    alice.run(["verify"], &signed.stdout).expect_code(0);
    let mail = format!("From: {ALICE}\r\nTo: {ALICE}\r\nSubject: re\r\n\r\nyes\r\n");
    let mail = bob.run(["mail", "seal"], mail.as_bytes()).ok();
    assert!(bob.run(["mail", "open", "--require-good"], &mail).expect_code(0).text().contains("yes"));
    assert!(bob.run(["key", "list", "--secret"], b"").expect_code(0).text().starts_with("shared"));
    let held = bob.run(["key", "shares"], b"").expect_code(0);
    assert!(held.text().contains("from alice@example.test, to unwrap and sign"), "{held}");

    // It is hers: he changes nothing of it and passes nothing on.
    let refused = bob.run(["key", "rotate", ALICE], b"").expect_code(14);
    assert!(refused.stderr.contains("is not yours"), "{refused}");
    bob.run(["key", "share", ALICE, "--with", BOB, "--to", "sign", "--until", "1d"], b"").expect_code(14);
    // And she sees it.
    let trail = json(&alice.run(["audit", "show", "--json"], b"").expect_code(0));
    let by_grant = |entry: &&serde_json::Value| entry["entry"]["decision"]["rule"] == "grant";
    assert!(trail["entries"].as_array().unwrap().iter().filter(by_grant).count() >= 4, "{trail}");

    // In words, who he is.
    let told = alice.run(["audit", "show"], b"").expect_code(0);
    let by_bob = format!("by {BOB} (");
    assert!(told.text().lines().filter(|line| line.contains(&by_bob)).count() >= 4, "{told}");

    alice.run(["key", "unshare", id], b"").ok();
    for ended in [bob.run(["decrypt"], &sealed), bob.run(["sign", "--as", ALICE], b"x")] {
        let ended = ended.expect_code(14);
        assert!(ended.stderr.contains("not shared with you any more"), "{ended}");
    }
}

#[test]
fn a_share_covers_what_it_names_and_is_given_back_too() {
    let (_keystore, alice, bob) = colleagues();
    let sealed = alice.run(["encrypt", "--to", ALICE], b"x").ok();
    alice
        .run(["key", "share", ALICE, "--with", BOB, "--to", "unwrap", "--until", "never"], b"")
        .expect_code(2);
    alice.run(["key", "share", ALICE, "--with", BOB, "--to", "certify", "--until", "1d"], b"").expect_code(2);
    alice
        .run(["key", "share", ALICE, "--with", "nobody@example.test", "--to", "sign", "--until", "1d"], b"")
        .expect_code(1);
    alice.run(["key", "share", ALICE, "--with", BOB, "--to", "unwrap", "--until", "3y"], b"").expect_code(14);
    alice.run(["key", "share", ALICE, "--with", BOB, "--to", "unwrap", "--until", "1d"], b"").ok();
    bob.run(["decrypt"], &sealed).ok();
    bob.run(["sign", "--as", ALICE], b"x").expect_code(9);
    let shares = json(&bob.run(["key", "shares", "--json"], b"").expect_code(0));
    bob.run(["key", "unshare", shares["shares"][0]["id"].as_str().unwrap()], b"").ok();
    bob.run(["decrypt"], &sealed).expect_code(14);
    alice.run(["key", "unshare", "--key", ALICE], b"").expect_code(1);
}
