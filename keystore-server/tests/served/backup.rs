// SPDX-License-Identifier: LGPL-2.0-or-later
//! Backups of keys that stay on devices.

use plombe_core::keystore::{
    Bytes, KeyFingerprint, ProblemCode,
    calls::{
        backup::{FetchBackup, ListBackups, PutBackup},
        devices::ConfirmDevice,
    },
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, refused, seal_for},
    passkeys::{enrol, show},
};

fn put(key: &KeyFingerprint, sealed: &[u8], replaces: Option<u64>) -> PutBackup {
    PutBackup { key: key.clone(), sealed: sealed.to_vec().into(), replaces }
}

#[test]
fn a_backup_comes_back_as_it_was_and_no_device_overwrites_a_newer_one() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let recovery = generate(&mut alice, "alice@example.org");
    let key: KeyFingerprint = "00112233445566778899AABBCCDDEEFF00112233".parse().unwrap();
    let (first, second) = (seal_for(&recovery.certificate), seal_for(&recovery.certificate));
    assert_eq!(refused(alice.call(&put(&key, &first, Some(1)))), ProblemCode::Conflict);
    alice.call(&put(&key, &first, None)).unwrap();
    assert_eq!(refused(alice.call(&put(&key, &second, None))), ProblemCode::Conflict);
    alice.call(&put(&key, &second, Some(1))).unwrap();
    assert_eq!(refused(alice.call(&put(&key, &first, Some(1)))), ProblemCode::Conflict);
    let fetched = alice.call(&FetchBackup { key: key.clone() }).unwrap();
    assert_eq!((fetched.sealed.0, fetched.version), (second, 2));
    assert_eq!(alice.call(&ListBackups {}).unwrap().backups.len(), 1);
}

#[test]
fn a_stolen_device_puts_no_other_backup_in_the_place_of_the_one_that_is_there() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let recovery = generate(&mut alice, "alice@example.org");
    let key: KeyFingerprint = "00112233445566778899AABBCCDDEEFF00112233".parse().unwrap();
    let sealed = seal_for(&recovery.certificate);
    let mut authenticator = enrol(&mut alice);
    // The first takes nobody's place.
    alice.call(&put(&key, &sealed, None)).unwrap();
    assert_eq!(refused(alice.call(&put(&key, &sealed, Some(1)))), ProblemCode::StepUpNeeded);
    show::<PutBackup>(&mut alice, &mut authenticator);
    alice.call(&put(&key, &sealed, Some(1))).unwrap();
    assert_eq!(alice.call(&FetchBackup { key }).unwrap().version, 2);
}

#[test]
fn a_backup_is_for_its_owners_confirmed_devices_only() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let mut bob = keystore.user("bob@example.org");
    let mut admin = keystore.log_in(keystore.admin_code());
    let recovery = generate(&mut bob, "bob@example.org");
    let key: KeyFingerprint = "00112233445566778899AABBCCDDEEFF00112233".parse().unwrap();
    let sealed = seal_for(&recovery.certificate);
    alice.call(&put(&key, &sealed, None)).unwrap();
    let fetch = FetchBackup { key: key.clone() };

    let mut other = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(refused(other.call(&fetch)), ProblemCode::DevicePending);
    assert_eq!(refused(other.call(&put(&key, &sealed, Some(1)))), ProblemCode::DevicePending);
    for stranger in [&mut bob, &mut admin] {
        assert_eq!(refused(stranger.call(&fetch)), ProblemCode::NotFound);
        assert!(stranger.call(&ListBackups {}).unwrap().backups.is_empty());
    }
    // What somebody else puts under the same name is theirs.
    bob.call(&put(&key, &sealed, None)).unwrap();
    let device = other.identity().device;
    alice.call(&ConfirmDevice { device, thumbprint: other.device().thumbprint() }).unwrap();
    assert_eq!(other.call(&fetch).unwrap().version, 1);
}

#[test]
fn a_backup_is_sealed_and_bounded() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let put = |sealed: Bytes| PutBackup { key: key.fingerprint.clone(), sealed, replaces: None };
    // What is not encrypted is not taken in, be it a key or anything else.
    assert_eq!(refused(alice.call(&put(key.certificate.clone()))), ProblemCode::Unacceptable);
    assert_eq!(refused(alice.call(&put(vec![0; 256 * 1024 + 1].into()))), ProblemCode::TooLarge);
}
