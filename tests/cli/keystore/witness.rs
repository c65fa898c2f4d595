// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a witness raises its alarm for, beside a log that goes back.

use std::{thread, time::Duration};

use plombe_client::{Options, PublicLog};
use plombe_tests::{ALICE, BOB, Home, Keystore, Scratch};

use super::{alice_in_custody, copy_database, log_in};

#[test]
fn a_witness_raises_the_alarm_when_the_keystore_says_nothing_any_more() {
    let (mut keystore, alice) = alice_in_custody();
    let scratch = Scratch::new();
    let state = scratch.path().join("witness.json");
    let look = ["audit", "witness", "--state", state.to_str().unwrap(), "--patience", "1s"];
    alice.run(look, b"").ok();
    keystore.kill();
    // Before its patience is over, it says that nobody answers, and that is no alarm.
    let patient = ["audit", "witness", "--state", state.to_str().unwrap(), "--patience", "1h"];
    let unreachable = alice.run(patient, b"").expect_code(13);
    assert!(!unreachable.stderr.contains("ALARM"), "{unreachable}");
    // However slow or quick this machine is: a second comes to an end.
    let mut looks = (0..300).map(|_| {
        thread::sleep(Duration::from_millis(100));
        alice.run(look, b"")
    });
    let alarm = looks.find(|look| look.code != Some(13)).expect("it is silent for long enough");
    let alarm = alarm.expect_code(15);
    assert!(alarm.stderr.contains("ALARM") && alarm.stderr.contains("silent"), "{alarm}");
    // It is no verdict for ever: a keystore that is back has lost nothing.
    keystore.start_again();
    alice.run(patient, b"").ok();
}

#[test]
fn a_witness_raises_the_alarm_when_a_second_history_of_the_same_size_is_shown() {
    let (mut keystore, alice) = alice_in_custody();
    let bob = Home::new();
    log_in(&bob, &keystore, &keystore.add_user(BOB));
    bob.run(["key", "generate", BOB, "--custody", "keystore"], b"").ok();
    let scratch = Scratch::new();
    let state = scratch.path().join("witness.json");
    let witness = ["audit", "witness", "--state", state.to_str().unwrap()];
    alice.run(witness, b"").ok();
    keystore.kill();
    let saved = Scratch::new();
    copy_database(keystore.folder(), saved.path());
    keystore.start_again();
    for _ in 0..8 {
        alice.run(["sign", "--as", ALICE], b"x").ok();
    }
    let told = size(&keystore);
    alice.run(witness, b"").ok();

    // The same keystore, from before, in which other things happen. Bob has seen nothing that contradicts it.
    keystore.kill();
    copy_database(saved.path(), keystore.folder());
    keystore.start_again();
    while size(&keystore) < told {
        bob.run(["sign", "--as", BOB], b"x").ok();
    }
    assert_eq!(size(&keystore), told, "one entry too many");
    let alarm = alice.run(witness, b"").expect_code(15);
    assert!(alarm.stderr.contains("ALARM") && alarm.stderr.contains("two histories"), "{alarm}");
    // What it had seen stays, so that it says so again.
    alice.run(witness, b"").expect_code(15);
}

/// Entries that the keystore's log has, as it says to everybody.
fn size(keystore: &Keystore) -> u64 {
    let log = PublicLog::of(keystore.url(), &Options::new(std::time::SystemTime::now)).unwrap();
    let note = log.unverified_checkpoint().unwrap();
    note.lines().nth(1).unwrap().parse().unwrap()
}
