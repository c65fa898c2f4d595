// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys that live in a keystore: used like one's own, never here, each use on record.

mod agent;
mod backups;
mod doctor;
mod exports;
mod import;
mod named;
mod people;
mod rules;
mod shares;
mod tls;
mod witness;

use std::fs;

use plombe_client::{DeviceKey, Options, Session};
use plombe_core::keystore::calls::{login::Role, principals::CreatePrincipal};
use plombe_tests::{ALICE, BOB, Home, Keystore, Ran, Scratch, peers, plombe_keystore};
use serde_json::Value;

#[track_caller]
fn json(ran: &Ran) -> Value {
    serde_json::from_str(ran.text().trim()).unwrap_or_else(|_| panic!("stdout is no JSON object: {ran}"))
}

/// A keystore for example.test, and Alice's machine, logged in, with her key in it.
#[track_caller]
fn alice_in_custody() -> (Keystore, Home) {
    let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    let alice = Home::new();
    log_in(&alice, &keystore, &keystore.add_user(ALICE));
    alice.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    (keystore, alice)
}

#[track_caller]
fn log_in(home: &Home, keystore: &Keystore, code: &str) -> Value {
    json(&home.run(["login", keystore.url(), "--code", code, "--json"], b"").expect_code(0))
}

#[test]
fn a_key_in_custody_opens_and_signs_like_one_s_own_and_is_not_here() {
    let (_keystore, alice) = alice_in_custody();
    let bob = Home::of(BOB);
    bob.import(&alice.certificate(ALICE));
    alice.import(&bob.certificate(BOB));
    assert_ne!(alice.run(["key", "export", "--secret", ALICE], b"").code, Some(0));
    assert!(!alice.path().join("keys").exists());

    let sealed = bob.run(["encrypt", "--to", ALICE, "--sign-as", BOB], b"for Alice only").ok();
    let opened = alice.run(["decrypt", "--require-good"], &sealed).expect_code(0);
    assert_eq!(opened.stdout, b"for Alice only");

    let mail = format!("From: {ALICE}\r\nTo: {BOB}\r\nSubject: secret\r\n\r\nHello Bob\r\n");
    let sealed = alice.run(["mail", "seal"], mail.as_bytes()).ok();
    let opened = bob.run(["mail", "open", "--require-good"], &sealed).expect_code(0);
    assert!(opened.text().contains("Hello Bob"));
    // She reads what she sent, with the key that never was here.
    assert!(
        alice.run(["mail", "open", "--require-good"], &sealed).expect_code(0).text().contains("Hello Bob")
    );
}

#[test]
fn gpg_verifies_what_a_key_in_custody_signed() {
    if peers::find("gpg").is_none() {
        return peers::skip("gpg");
    }
    let (_keystore, alice) = alice_in_custody();
    let scratch = Scratch::new();
    let document = scratch.write("document", b"words\n");
    let signature = alice.run(["sign", "--detached", "--as", ALICE], b"words\n").ok();
    let signature = scratch.write("document.asc", &signature);
    let certificate = scratch.write("alice.pgp", alice.certificate(ALICE));
    let gpg = crate::gpg::Gpg::new().expect("it was found");
    gpg.run(&["--import", certificate.to_str().unwrap()], b"").ok();
    gpg.run(&["--verify", signature.to_str().unwrap(), document.to_str().unwrap()], b"").ok();
}

#[test]
fn each_use_is_on_record_and_proven() {
    let (_keystore, alice) = alice_in_custody();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    let shown = json(&alice.run(["audit", "show", "--json"], b"").expect_code(0));
    let actions: Vec<&str> =
        shown["entries"].as_array().unwrap().iter().filter_map(|e| e["entry"]["action"].as_str()).collect();
    for action in ["create-code", "log-in-with-code", "set-recovery-code", "generate-key", "sign"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    let verified = alice.run(["audit", "verify"], b"").expect_code(0);
    assert!(verified.stderr.contains("without a hole"), "{verified}");
}

#[test]
fn the_log_says_which_mail_was_opened_and_what_kind_of_signature_was_made() {
    let (_keystore, alice) = alice_in_custody();
    let mail = format!(
        "From: {ALICE}\r\nTo: {ALICE}\r\nMessage-ID: <1@example.test>\r\nSubject: x\r\n\r\nHello\r\n"
    );
    let sealed = alice.run(["mail", "seal"], mail.as_bytes()).ok();
    alice.run(["mail", "open"], &sealed).ok();
    alice.run(["sign", "--text", "--as", ALICE], b"x").ok();
    let shown = json(&alice.run(["audit", "show", "--json"], b"").expect_code(0));
    let claimed = |action: &str| {
        let mut entries = shown["entries"].as_array().unwrap().iter().rev();
        entries.find(|one| one["entry"]["action"] == action).unwrap()["entry"]["claimed"].clone()
    };
    let opened = claimed("unwrap");
    assert_eq!(
        (&opened["message_id"], &opened["sender"]),
        (&"<1@example.test>".into(), &ALICE.into()),
        "{opened}"
    );
    assert_eq!(claimed("sign")["signature_type"], 1);
    let people = alice.run(["audit", "show"], b"").expect_code(0);
    assert!(people.text().contains("for <1@example.test> from alice@example.test"), "{people}");
}

#[test]
fn a_second_device_waits_until_its_words_are_compared() {
    let (keystore, laptop) = alice_in_custody();
    let phone = Home::new();
    let told = log_in(&phone, &keystore, &keystore.code_for(ALICE));
    assert_eq!(told["logged_in"]["device_state"], "pending");
    let words = told["words"].as_str().unwrap().to_owned();
    phone.run(["key", "generate", "x@example.test", "--custody", "keystore"], b"").expect_code(14);

    // Other words are somebody else's device.
    laptop.run(["devices", "confirm", "--words", "acorn acorn acorn acorn acorn acorn"], b"").expect_code(15);
    laptop.run(["devices", "confirm", "--words", &words], b"").ok();
    // The phone learns by itself that it may.
    phone.run(["sign", "--as", ALICE], b"x").ok();
    let whoami = json(&phone.run(["whoami", "--json"], b"").expect_code(0));
    assert_eq!(whoami["identity"]["device_state"], "confirmed");
}

#[test]
fn a_revoked_device_uses_no_key_any_more() {
    let (keystore, laptop) = alice_in_custody();
    let lost = Home::new();
    let told = log_in(&lost, &keystore, &keystore.code_for(ALICE));
    laptop.run(["devices", "confirm", "--words", told["words"].as_str().unwrap()], b"").ok();
    lost.run(["whoami"], b"").ok();
    lost.run(["sign", "--as", ALICE], b"x").ok();

    let id = told["logged_in"]["device"].as_str().unwrap();
    laptop.run(["devices", "revoke", id], b"").ok();
    let refused = lost.run(["sign", "--as", ALICE], b"x").expect_code(14);
    assert!(refused.stderr.contains("not logged in"), "{refused}");
    laptop.run(["sign", "--as", ALICE], b"x").ok();
}

#[test]
fn a_lost_laptop_loses_nothing_with_the_recovery_code() {
    let keystore = Keystore::start(plombe_keystore(), "example.test", &[]);
    let lost = Home::new();
    let told = log_in(&lost, &keystore, &keystore.add_user(ALICE));
    let code = told["recovery_code"].as_str().unwrap().to_owned();
    lost.run(["key", "generate", ALICE, "--custody", "keystore"], b"").ok();
    let sealed = lost.run(["encrypt", "--to", ALICE], b"kept").ok();
    drop(lost);

    let new = Home::new();
    log_in(&new, &keystore, &keystore.code_for(ALICE));
    // Whose key it is stands in no file here yet; the keystore says what this device waits for.
    let waits = new.run(["decrypt"], &sealed).expect_code(14);
    assert!(waits.stderr.contains("not confirmed"), "{waits}");
    let scratch = Scratch::new();
    let file = scratch.write("code", code.as_bytes());
    new.run(["recover", "--code-file", file.to_str().unwrap()], b"").ok();
    assert_eq!(new.run(["decrypt"], &sealed).ok(), b"kept");
    // It worked once.
    let third = Home::new();
    log_in(&third, &keystore, &keystore.code_for(ALICE));
    third.run(["recover", "--code-file", file.to_str().unwrap()], b"").expect_code(14);
}

#[test]
fn the_thief_of_the_database_holds_no_word_of_it() {
    let (mut keystore, alice) = alice_in_custody();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    keystore.kill();
    let shown = alice.run(["key", "show", ALICE, "--json"], b"").expect_code(0);
    let fingerprint = shown.text().split('"').find(|word| word.len() == 40).unwrap().to_owned();
    let mut looked = false;
    for entry in fs::read_dir(keystore.folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("keystore.db") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        for secret in ["alice", "log-in-with-code", "BEGIN PGP", fingerprint.as_str()] {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
        // What it does hold, so that this test looks where there is something to see.
        looked |= content.windows(12).any(|window| window == b"CREATE TABLE");
    }
    assert!(looked);
}

#[test]
fn a_witness_raises_the_alarm_when_the_log_goes_back() {
    let (mut keystore, alice) = alice_in_custody();
    let scratch = Scratch::new();
    let state = scratch.path().join("witness.json");
    let state = state.to_str().unwrap();
    keystore.kill();
    let saved = Scratch::new();
    copy_database(keystore.folder(), saved.path());
    keystore.start_again();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    alice.run(["audit", "witness", "--state", state], b"").ok();

    keystore.kill();
    copy_database(saved.path(), keystore.folder());
    keystore.start_again();
    let alarm = alice.run(["audit", "witness", "--state", state], b"").expect_code(15);
    assert!(alarm.stderr.contains("ALARM"), "{alarm}");
    // Her own program notices as well, and the server stops as soon as it is shown.
    let refused = alice.run(["sign", "--as", ALICE], b"x");
    assert!(matches!(refused.code, Some(14 | 15)), "{refused}");
}

fn copy_database(from: &std::path::Path, to: &std::path::Path) {
    for name in ["keystore.db", "keystore.db-wal", "keystore.db-shm"] {
        let _ = fs::remove_file(to.join(name));
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_keystore_with_other_keys_gets_nothing() {
    let (keystore, alice) = alice_in_custody();
    let other = Keystore::start(plombe_keystore(), "example.test", &[]);
    // Somebody else answers under the address that this machine knows.
    let session = alice.path().join("keystore/session.json");
    let text = fs::read_to_string(&session).unwrap().replace(keystore.url(), other.url());
    fs::write(&session, text).unwrap();
    let refused = alice.run(["sign", "--as", ALICE], b"x").expect_code(15);
    assert!(refused.stderr.contains("keys have changed"), "{refused}");
}

#[test]
fn without_the_keystore_keys_of_this_machine_work_and_others_say_why_not() {
    let (mut keystore, alice) = alice_in_custody();
    alice.run(["key", "generate", "me@example.test", "--no-passphrase"], b"").ok();
    keystore.kill();
    alice.run(["sign", "--as", "me@example.test"], b"x").ok();
    let refused = alice.run(["sign", "--as", ALICE], b"x").expect_code(13);
    assert!(refused.stderr.contains("cannot be reached"), "{refused}");
}

#[test]
fn the_pin_outlives_the_session_and_goes_only_when_told() {
    let (keystore, alice) = alice_in_custody();
    alice.run(["logout"], b"").ok();
    // Another keystore under whatever address is not the one that this machine knows.
    let other = Keystore::start(plombe_keystore(), "example.test", &[]);
    let code = other.add_user(ALICE);
    alice.run(["login", other.url(), "--code", &code], b"").expect_code(15);
    // The same one lets the same machine in again, as the device that it was.
    let told = log_in(&alice, &keystore, &keystore.code_for(ALICE));
    assert_eq!(told["logged_in"]["device_state"], "confirmed");
    alice.run(["sign", "--as", ALICE], b"x").ok();
    alice.run(["logout", "--forget-everything"], b"").ok();
    log_in(&alice, &other, &code);
}

#[test]
fn a_key_in_custody_is_listed_as_one_s_own() {
    let (_keystore, alice) = alice_in_custody();
    let listed = json(&alice.run(["key", "list", "--secret", "--json"], b"").expect_code(0));
    assert_eq!(listed["certificates"][0]["secret"], "keystore", "{listed}");
    // Another certificate that claims the address does not shake it.
    let mallory = Home::of(ALICE);
    alice.import(&mallory.certificate(ALICE));
    alice.run(["encrypt", "--to", ALICE], b"to myself").ok();
}

#[test]
fn a_revoked_machine_comes_back_as_a_new_device() {
    let (keystore, laptop) = alice_in_custody();
    let lost = Home::new();
    let told = log_in(&lost, &keystore, &keystore.code_for(ALICE));
    laptop.run(["devices", "revoke", told["logged_in"]["device"].as_str().unwrap()], b"").ok();
    lost.run(["logout", "--forget-everything"], b"").ok();
    assert_eq!(log_in(&lost, &keystore, &keystore.code_for(ALICE))["logged_in"]["device_state"], "pending");
}

#[test]
fn a_colleagues_certificate_is_found_in_the_keystores_directory() {
    let (keystore, alice) = alice_in_custody();
    let bob = Home::of(BOB);
    log_in(&bob, &keystore, &keystore.add_user(BOB));
    // Hers is there since it was made; his, on his machine, once he publishes it.
    let found = json(&bob.run(["key", "find", ALICE, "--json"], b"").expect_code(0));
    assert_eq!(found["considered"][0]["sources"][0], "keystore:127.0.0.1", "{found}");
    alice.run(["key", "find", BOB], b"").expect_code(9);
    let published = bob.run(["key", "publish", BOB], b"").expect_code(0);
    assert!(published.stderr.contains(BOB), "{published}");
    alice.run(["key", "find", BOB], b"").ok();
    let sealed = alice.run(["encrypt", "--to", BOB, "--sign-as", ALICE], b"to a colleague").ok();
    assert_eq!(bob.run(["decrypt", "--require-good"], &sealed).ok(), b"to a colleague");

    bob.run(["key", "withdraw", BOB], b"").ok();
    let carol = Home::new();
    log_in(&carol, &keystore, &keystore.add_user("carol@example.test"));
    carol.run(["key", "find", BOB], b"").expect_code(9);
    carol.run(["key", "find", ALICE], b"").ok();
    // By the protocols that others use, too.
    let server = keystore.url().replace("http://", "hkp://");
    let stranger = Home::new();
    fs::write(
        stranger.path().join("config.toml"),
        "[discovery]\nwkd = false\nallow-private = [\"127.0.0.1\"]\n",
    )
    .unwrap();
    let found =
        json(&stranger.run(["key", "find", ALICE, "--keyserver", &server, "--json"], b"").expect_code(0));
    assert_eq!(found["considered"][0]["sources"][0], "hkp:127.0.0.1", "{found}");
    stranger.run(["key", "find", BOB, "--keyserver", &server], b"").expect_code(9);
    // The keystore is not asked about other domains.
    let other = json(&carol.run(["key", "find", "x@elsewhere.invalid", "--json"], b""));
    assert!(!other.to_string().contains("keystore:"), "{other}");
}

#[test]
fn whoever_saw_lost_history_refuses_the_keystore_until_it_is_acknowledged_and_accepted() {
    let (mut keystore, alice) = alice_in_custody();
    keystore.configure("[consent]\ndelay_hours = 0\n");
    keystore.kill();
    keystore.start_again();
    let admin = Home::new();
    log_in(&admin, &keystore, keystore.admin_code());
    let second = second_admin(&keystore, &admin);
    let other = Home::new();
    log_in(&other, &keystore, &second);
    let witness = Scratch::new();
    let state = witness.path().join("state");
    let state = state.to_str().unwrap();
    let backup = keystore.folder().join("backup");
    keystore.run(&["backup", backup.to_str().unwrap()]);
    // What comes now is lost.
    alice.run(["sign", "--as", ALICE], b"x").ok();
    for home in [&alice, &admin, &other] {
        home.run(["whoami"], b"").ok();
        home.run(["audit", "verify"], b"").ok();
    }
    // The witness knows more of it than Alice, who is the first to notice.
    alice.run(["audit", "witness", "--state", state], b"").ok();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    keystore.restore(&backup);

    let refused = alice.run(["whoami"], b"").expect_code(15);
    assert!(refused.stderr.contains("accept-restored-history"), "{refused}");
    let alarm = alice.run(["audit", "witness", "--state", state], b"").expect_code(15);
    assert!(alarm.stderr.contains("ALARM"), "{alarm}");
    let early = alice.run(["audit", "accept-restored-history"], b"").expect_code(15);
    assert!(early.stderr.contains("have not acknowledged"), "{early}");
    let accept = ["audit", "witness", "--state", state, "--accept-restored-history"];
    alice.run(accept, b"").expect_code(15);
    alice.run(["whoami"], b"").expect_code(15);

    for home in [&admin, &other] {
        home.run(["audit", "accept-restored-history", "--as-administrator"], b"").ok();
    }
    let acknowledge = ["audit", "acknowledge-lost-history", "--reason", "the disk broke", "--json"];
    let first = json(&admin.run(acknowledge, b"").expect_code(0));
    assert_eq!(first["acknowledged"][0]["effective"], false);
    assert_ne!(admin.run(acknowledge, b"").code, Some(0));
    let second = json(&other.run(acknowledge, b"").expect_code(0));
    assert_eq!(second["acknowledged"][0]["effective"], true);

    // The keystore serves; and she decides for herself.
    alice.run(["whoami"], b"").expect_code(15);
    let accepted = json(&alice.run(["audit", "accept-restored-history", "--json"], b"").expect_code(0));
    let by = accepted["accepted"]["acknowledged_by"].as_array().unwrap();
    assert_eq!(by.len(), 2, "{accepted}");
    assert!(accepted["accepted"]["lost_from"].is_u64() && accepted["accepted"]["position"].is_u64());
    alice.run(["whoami"], b"").ok();
    alice.run(["sign", "--as", ALICE], b"x").ok();
    let evidence = |folder: &std::path::Path, part: &str| {
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(part)).count()
    };
    assert_eq!(evidence(&alice.path().join("keystore"), "lost-history-"), 1);
    alice.run(accept, b"").ok();
    alice.run(["audit", "witness", "--state", state], b"").ok();
    assert_eq!(evidence(witness.path(), "state.lost-"), 1);
    let whole = alice.run(["audit", "accept-restored-history"], b"").expect_code(0);
    assert!(whole.stderr.contains("has all that this machine has seen"), "{whole}");
}

/// The code of a second administrator, whom the first one makes from their machine.
fn second_admin(keystore: &Keystore, first: &Home) -> String {
    let mut session = session(first);
    let call = CreatePrincipal {
        name: "Second".into(),
        addresses: vec!["second@example.test".into()],
        roles: vec![Role::User, Role::Admin],
    };
    session.call(&call).unwrap();
    keystore.code_for("second@example.test")
}

/// The session of a machine that is logged in, for calls of one's own.
fn session(home: &Home) -> Session {
    let folder = home.path().join("keystore");
    let saved = serde_json::from_slice(&fs::read(folder.join("session.json")).unwrap()).unwrap();
    let device = DeviceKey::from_pkcs8(&fs::read(folder.join("device.key")).unwrap()).unwrap();
    Session::resume(saved, device, Options::new(std::time::SystemTime::now)).unwrap()
}
