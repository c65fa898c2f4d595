// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who gets in, and how far.

use std::{thread, time::Duration};

use plombe_client::DeviceKey;
use plombe_core::{
    keystore::{
        EnrolmentCode, PasskeyId, ProblemCode, SecretBytes,
        calls::{
            devices::{ConfirmDevice, ListDevices},
            keys::{GenerateKey, ListKeys, Profile},
            login::{DeviceState, Role},
            passkeys::RemovePasskey,
            principals::CreateCode,
            revoke::{Revoke, Target},
            session::WhoAmI,
        },
    },
    log::entry::Entry,
};

use crate::{
    consent::{add, log_in},
    keystore::TestKeystore,
    mail::refused,
    trail::{counted, shows, trail},
};

fn key_for(address: &str) -> GenerateKey {
    GenerateKey { user_ids: vec![format!("<{address}>")], profile: Profile::Rfc4880, valid_for_seconds: None }
}

#[test]
fn the_first_admin_logs_in_with_the_printed_code_and_with_it_once() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let me = admin.call(&WhoAmI {}).unwrap();
    assert_eq!(me.addresses, ["admin@example.org"]);
    assert_eq!(me.roles, [Role::User, Role::Admin]);
    assert_eq!(me.device_state, DeviceState::Confirmed);
    assert!(keystore.try_log_in(keystore.admin_code()).is_err());
}

/// It stands in sentences that somebody decides on.
#[test]
fn a_device_is_called_nothing_that_reorders_a_line() {
    let keystore = TestKeystore::start();
    let code = keystore.add("alice@example.org").parse().unwrap();
    for name in ["", "a\nb", "\u{202e}potpal", "a\u{2067}b", &"x".repeat(101)] {
        let result = keystore.client().log_in_with_code(DeviceKey::generate(), &code, name);
        assert_eq!(refused(result.map(drop)), ProblemCode::Unacceptable, "{name:?}");
    }
    keystore.client().log_in_with_code(DeviceKey::generate(), &code, "Zoé's ноутбук").unwrap();
}

#[test]
fn a_new_device_of_somebody_with_keys_uses_none_until_an_old_one_confirms_it() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    alice.call(&key_for("alice@example.org")).unwrap();

    // Whoever got this code (an admin, a thief, Alice with a new laptop) gets a device that waits.
    let code = keystore.code_for("alice@example.org");
    let mut other = keystore.log_in(&code);
    assert_eq!(other.call(&WhoAmI {}).unwrap().device_state, DeviceState::Pending);
    assert_eq!(refused(other.call(&ListKeys {})), ProblemCode::DevicePending);
    assert_eq!(refused(other.call(&key_for("alice@example.org"))), ProblemCode::DevicePending);
    // It cannot confirm itself, either.
    let device = other.identity().device;
    let confirm = ConfirmDevice { device, thumbprint: other.device().thumbprint() };
    assert_eq!(refused(other.call(&confirm)), ProblemCode::DevicePending);

    alice.call(&confirm).unwrap();
    assert_eq!(other.call(&ListKeys {}).unwrap().keys.len(), 1);
}

#[test]
fn a_lost_device_is_cut_off_with_one_call() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut lost = keystore.log_in(&keystore.code_for("alice@example.org"));
    let device = lost.identity().device;
    alice.call(&ConfirmDevice { device, thumbprint: lost.device().thumbprint() }).unwrap();
    lost.call(&ListKeys {}).unwrap();

    let ended = alice.call(&Revoke { target: Target::Device(device), reason: String::new() }).unwrap();
    assert_eq!(ended.devices, [device]);
    assert_eq!(ended.sessions.len(), 1);
    assert_eq!(refused(lost.call(&ListKeys {})), ProblemCode::NotLoggedIn);
    let devices = alice.call(&ListDevices { principal: None }).unwrap().devices;
    assert_eq!(devices.iter().find(|d| d.id == device).unwrap().state, DeviceState::Revoked);
}

#[test]
fn sessions_and_keys_survive_a_kill() {
    let mut keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    alice.call(&key_for("alice@example.org")).unwrap();
    keystore.restart();
    // Another port, the same keystore: a client that pinned it goes on.
    let code = keystore.code_for("alice@example.org");
    assert_eq!(keystore.log_in(&code).identity().device_state, DeviceState::Pending);
}

#[test]
fn whose_device_somebody_else_tries_to_revoke_sees_it() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut mallory = keystore.user("mallory@example.org");
    let target = Target::Device(alice.identity().device);
    assert!(mallory.call(&Revoke { target, reason: String::new() }).is_err());
    assert!(shows(&mut alice, &mallory, "revoke", "not-found"));
}

#[test]
fn a_key_that_was_refused_before_it_was_made_is_on_record() {
    let keystore = TestKeystore::start();
    let alice = keystore.user("alice@example.org");
    let mut mallory = keystore.user("mallory@example.org");
    assert!(mallory.call(&key_for(&alice.identity().addresses[0])).is_err());
    let (entries, _) = trail(&mut mallory);
    let recorded =
        |entry: &Entry| entry.action == "generate-key" && entry.decision.rule == "address-not-yours";
    assert!(entries.iter().any(recorded));
}

#[test]
fn a_code_whose_time_is_over_lets_nobody_in_and_whose_it_was_sees_that() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut alice = keystore.user("alice@example.org");
    let call = CreateCode { principal: alice.identity().principal, valid_for_seconds: Some(1) };
    let secret = admin.call(&call).unwrap().secret.expose().try_into().unwrap();
    let code = EnrolmentCode::new(secret, keystore.client().identity()).to_text();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(refused(keystore.try_log_in(&code)), ProblemCode::LoginRefused);
    let late = |entry: &Entry| entry.action == "log-in-with-code" && entry.decision.rule == "code-expired";
    assert!(trail(&mut alice).0.iter().any(late));
}

#[test]
fn guesses_at_a_recovery_code_are_bounded_and_counted_whatever_they_are_for() {
    let mut keystore = TestKeystore::start();
    // Each log-in takes two requests, the first for the nonce.
    keystore.restart_with("[limits]\nlog_ins_per_minute = 12\n");
    let mut admin = keystore.log_in(keystore.admin_code());
    let made = admin.call(&add("auditor@example.org", vec![Role::Auditor])).unwrap().principal.id;
    let mut auditor = log_in(&keystore, &mut admin, made);
    let mut alice = keystore.user("alice@example.org");
    let guess = |byte: u8| Some(SecretBytes::new(&[byte; 16][..]));
    let passkey = PasskeyId(uuid::Uuid::nil());
    let mut remove = |byte| refused(alice.call(&RemovePasskey { passkey, recovery: guess(byte) }));
    assert!((0..50).any(|byte| remove(byte) == ProblemCode::RateLimited));
    keystore.stop_and_start();
    assert_eq!(counted(&mut auditor, "rate-limited"), 1);
}
