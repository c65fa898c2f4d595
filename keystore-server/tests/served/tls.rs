// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore with TLS of its own, asked by the client over TLS.

use std::time::SystemTime;

use plombe_client::{ClientError, DeviceKey, Keystore, Options, Session};
use plombe_core::keystore::calls::session::WhoAmI;
use plombe_tests::Authority;

use crate::{
    keystore::TestKeystore,
    mail::{generate, open, seal_for},
};

/// Believes these authorities and nobody else; asks once.
fn believing(authorities: &[&Authority]) -> Options {
    let certificate_authorities = authorities.iter().map(|authority| authority.der().to_vec()).collect();
    Options { certificate_authorities, attempts: 1, ..Options::new(SystemTime::now) }
}

fn cannot_be_reached(url: &str, options: Options) -> String {
    match Keystore::connect(url, None, options) {
        Err(ClientError::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn over_tls_a_key_is_made_and_used_and_a_foreign_authority_vouches_for_nobody() {
    let (authority, mallory) = (Authority::new(), Authority::new());
    let mut keystore = TestKeystore::start();
    keystore.serve_tls(&authority.certify(&["127.0.0.1"]));
    assert!(keystore.url().starts_with("https://"));
    let code = keystore.add("alice@example.org").parse().unwrap();

    let client = Keystore::connect(keystore.url(), None, believing(&[&authority])).unwrap();
    let mut alice = client.log_in_with_code(DeviceKey::generate(), &code, "laptop").unwrap();
    let key = generate(&mut alice, "alice@example.org");
    open(&mut alice, &key.fingerprint, &seal_for(&key.certificate)).unwrap();

    // Who believes somebody else, or what this machine came with, says nothing to it.
    for options in [believing(&[&mallory]), believing(&[])] {
        let why = cannot_be_reached(keystore.url(), options);
        assert!(why.to_lowercase().contains("certificate"), "{why}");
    }
    // Nor does it count that the pin would fit: before TLS stands, nothing is sent.
    let pinned = Keystore::connect(keystore.url(), Some(client.identity()), believing(&[&mallory]));
    assert!(matches!(pinned, Err(ClientError::Unreachable(_))));
    let device = DeviceKey::from_pkcs8(alice.device().to_pkcs8()).unwrap();
    let mut elsewhere = Session::resume(alice.saved(), device, believing(&[&mallory])).unwrap();
    assert!(matches!(elsewhere.call(&WhoAmI {}), Err(ClientError::Unreachable(_))));
    alice.call(&WhoAmI {}).unwrap();
    // Without TLS there is nothing.
    cannot_be_reached(&keystore.url().replace("https://", "http://"), believing(&[]));
}

#[test]
fn a_certificate_for_another_name_is_nobodys() {
    let authority = Authority::new();
    let mut keystore = TestKeystore::start();
    keystore.serve_tls(&authority.certify(&["keys.example.org", "127.0.0.2"]));
    let why = cannot_be_reached(keystore.url(), believing(&[&authority]));
    assert!(why.to_lowercase().contains("certificate"), "{why}");
}
