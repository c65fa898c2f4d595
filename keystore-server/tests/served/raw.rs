// SPDX-License-Identifier: LGPL-2.0-or-later
//! Raw use of a key: off, until its owner allows it on the device itself, and never for others.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plombe_client::Session;
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        KeyFingerprint, ProblemCode,
        calls::{
            custody::Context,
            devices::{ConfirmDevice, ListDevices},
            grants::{GiveGrant, KeyUse},
            keys::{KeyInfo, ListKeys},
            raw::{AllowRaw, ForbidRaw, SharePoint},
            revoke::{Revoke, Target},
        },
    },
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, refused},
    trail::trail,
};

/// Bernstein's base point.
fn base_point() -> Vec<u8> {
    let mut point = vec![0; 33];
    (point[0], point[1]) = (0x40, 9);
    point
}

fn for_decryption(key: &KeyInfo) -> KeyFingerprint {
    let certificate = Certificate::parse(&key.certificate.0).unwrap();
    let keys = certificate.describe(&CryptoPolicy::standard(), SystemTime::now()).keys;
    keys.into_iter().find(|key| key.capabilities.encrypt).unwrap().fingerprint.try_into().unwrap()
}

pub(crate) fn share(key: &KeyInfo) -> SharePoint {
    SharePoint {
        key: key.fingerprint.clone(),
        subkey: for_decryption(key),
        point: base_point().into(),
        context: Context::default(),
    }
}

pub(crate) fn allow(key: &KeyInfo, seconds: u64) -> AllowRaw {
    AllowRaw { key: key.fingerprint.clone(), seconds }
}

fn sees(session: &mut Session, action: &str, rule: &str) -> bool {
    trail(session).0.iter().any(|entry| {
        // Each stands in the key's own chain, so that a missing one shows.
        entry.action == action && entry.decision.rule == rule && entry.chain.is_some()
    })
}

/// Another device of hers, which she confirms on the first.
fn second_device(keystore: &TestKeystore, address: &str, first: &mut Session) -> Session {
    let second = keystore.log_in(&keystore.code_for(address));
    let devices = first.call(&ListDevices { principal: None }).unwrap().devices;
    let waiting = devices.into_iter().find(|device| device.id == second.identity().device).unwrap();
    first.call(&ConfirmDevice { device: waiting.id, thumbprint: waiting.thumbprint }).unwrap();
    second
}

#[test]
fn raw_use_is_off_until_the_owner_allows_it_on_the_device_itself_and_ends_by_itself() {
    let keystore = TestKeystore::start();
    let mut laptop = keystore.user("alice@example.org");
    let key = generate(&mut laptop, "alice@example.org");
    let mut phone = second_device(&keystore, "alice@example.org", &mut laptop);
    assert_eq!(refused(laptop.call(&share(&key))), ProblemCode::Denied);
    for seconds in [0, 7 * 24 * 3600 + 1, u64::MAX] {
        assert_eq!(refused(laptop.call(&allow(&key, seconds))), ProblemCode::Unacceptable, "{seconds}");
    }

    laptop.call(&allow(&key, 3600)).unwrap();
    let shared = laptop.call(&share(&key)).unwrap();
    assert_eq!(shared.shared.expose().len(), 32);
    let uses = |session: &mut Session| session.call(&ListKeys {}).unwrap().keys.remove(0).uses;
    assert!(uses(&mut laptop).contains(&KeyUse::Raw));
    // It is for the device that she was sitting at.
    assert!(!uses(&mut phone).contains(&KeyUse::Raw));
    assert_eq!(refused(phone.call(&share(&key))), ProblemCode::Denied);
    // From any of hers she ends it.
    phone.call(&ForbidRaw { key: key.fingerprint.clone() }).unwrap();
    assert_eq!(refused(laptop.call(&share(&key))), ProblemCode::Denied);

    let until = laptop.call(&allow(&key, 2)).unwrap().expires_at;
    laptop.call(&share(&key)).unwrap();
    while SystemTime::now() < UNIX_EPOCH + Duration::from_secs(until) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(refused(laptop.call(&share(&key))), ProblemCode::Denied);

    // A signing subkey multiplies nothing, nor does what is no point.
    laptop.call(&allow(&key, 3600)).unwrap();
    let signing = SharePoint { subkey: key.signing[0].clone(), ..share(&key) };
    assert_eq!(refused(laptop.call(&signing)), ProblemCode::KeyUnusable);
    let nothing = SharePoint { point: vec![0x40; 3].into(), ..share(&key) };
    assert!(laptop.call(&nothing).is_err());

    for (action, rule) in [
        ("allow-raw-use", "owner"),
        ("allow-raw-use", "raw-unbounded"),
        ("raw-share-point", "raw-use-allowed"),
        ("raw-share-point", "raw-not-allowed"),
        ("forbid-raw-use", "owner"),
    ] {
        assert!(sees(&mut laptop, action, rule), "{action} {rule}");
    }
    // A device that is cut off keeps nothing.
    let device = laptop.identity().device;
    phone.call(&Revoke { target: Target::Device(device), reason: String::new() }).unwrap();
    assert_eq!(refused(laptop.call(&share(&key))), ProblemCode::NotLoggedIn);
}

#[test]
fn nobody_but_its_owner_uses_a_key_in_the_raw_whatever_they_were_granted() {
    let keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut alice = keystore.user("alice@example.org");
    let mut delegate = keystore.user("bob@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let to = delegate.identity().principal;
    let expires_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3600;
    let give = |uses| GiveGrant { key: key.fingerprint.clone(), to, uses, expires_at };
    assert_eq!(refused(alice.call(&give(vec![KeyUse::Raw]))), ProblemCode::Unacceptable);
    assert_eq!(refused(alice.call(&give(vec![KeyUse::Unwrap, KeyUse::Raw]))), ProblemCode::Unacceptable);
    alice.call(&give(vec![KeyUse::Unwrap, KeyUse::Sign])).unwrap();
    // That she allows it to herself is nothing to them.
    alice.call(&allow(&key, 3600)).unwrap();
    for other in [&mut admin, &mut delegate] {
        assert_eq!(refused(other.call(&allow(&key, 60))), ProblemCode::NotFound);
        assert_eq!(refused(other.call(&share(&key))), ProblemCode::NotFound);
        assert_eq!(refused(other.call(&ForbidRaw { key: key.fingerprint.clone() })), ProblemCode::NotFound);
    }
    // Whoever logs in as her gets a device that waits.
    let mut as_her = keystore.log_in(&keystore.code_for("alice@example.org"));
    assert_eq!(refused(as_her.call(&allow(&key, 60))), ProblemCode::DevicePending);
    assert_eq!(refused(as_her.call(&share(&key))), ProblemCode::DevicePending);
    assert!(sees(&mut alice, "allow-raw-use", "key-not-yours"), "she does not see the attempts");
    assert!(sees(&mut alice, "raw-share-point", "device-pending"));
    alice.call(&share(&key)).unwrap();
}
