// SPDX-License-Identifier: LGPL-2.0-or-later
//! What holds for every certificate, not only for the ones in the stories.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use plombe_core::{
    cert::{self, Certificate, LockedTsk, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    recipients::Address,
};
use proptest::prelude::*;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

static ALICE: LazyLock<Tsk> = LazyLock::new(|| {
    Tsk::generate(Profile::Rfc4880, &["Alice <alice@example.org>".into()], None, now()).unwrap().tsk
});

/// Everything that reads a certificate from a stranger.
fn look_at(certificate: &Certificate) {
    let policy = CryptoPolicy::standard();
    certificate.describe(&policy, now());
    certificate.check(&policy, now());
    let _ = certificate.minimise("alice@example.org", &policy, now());
    let _ = certificate.filter_to_address(&"alice@example.org".parse().unwrap(), &policy, now());
    certificate.to_armored();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_address_that_is_accepted_is_found_again(
        name in "\\PC{0,40}", local in "[a-zA-Z0-9.+_äöü-]{1,20}", domain in "[a-z0-9-]{1,20}\\.(org|test|example)",
    ) {
        let address = format!("{local}@{domain}");
        let Ok(user_id) = cert::user_id(Some(&name), &address) else { return Ok(()) };
        let certificate =
            Tsk::generate(Profile::Rfc4880, &[user_id], None, now()).unwrap().tsk.certificate();
        let address = Address::parse(&address).unwrap();
        prop_assert!(certificate.has_address(&address, &CryptoPolicy::standard(), now()));
    }

    #[test]
    fn armor_and_binary_say_the_same(profile in prop_oneof![Just(Profile::Rfc4880), Just(Profile::Rfc9580)]) {
        let certificate = Tsk::generate(profile, &["a@example.org".into()], None, now()).unwrap().tsk.certificate();
        let armored = Certificate::parse(certificate.to_armored().as_bytes()).unwrap();
        let binary = Certificate::parse(&certificate.to_bytes()).unwrap();
        prop_assert_eq!(armored.to_bytes(), binary.to_bytes());
        prop_assert_eq!(binary.to_bytes(), certificate.to_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_refused_or_ignored_and_never_believed(at in 0usize..700, flip in 1u8..) {
        let mut bytes = ALICE.certificate().to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        for certificate in Certificate::parse_all(&bytes).unwrap_or_default() {
            look_at(&certificate);
            let addresses = certificate.addresses(&CryptoPolicy::standard(), now());
            prop_assert!(addresses.is_empty() || addresses == ["alice@example.org"]);
        }
    }

    #[test]
    fn a_truncated_tsk_is_refused_or_harmless(length in 0usize..1400) {
        let bytes = ALICE.clone().lock(None).unwrap().to_armored().into_bytes();
        for tsk in LockedTsk::parse_all(&bytes[..length.min(bytes.len())]).unwrap_or_default() {
            if let Ok(tsk) = tsk.unlock(None) {
                look_at(&tsk.certificate());
            }
        }
    }

    #[test]
    fn junk_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for certificate in Certificate::parse_all(&bytes).unwrap_or_default() {
            look_at(&certificate);
        }
        let _ = ALICE.certificate().apply_revocation(&bytes);
    }
}
