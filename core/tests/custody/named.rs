// SPDX-License-Identifier: LGPL-2.0-or-later
//! A TSK that was stored does everything that certifies, by name.

use plombe_core::{
    cert::{CertError, DEFAULT_OVERLAP, Reason, UserIdQuery},
    crypto_policy::CryptoPolicy,
    custody::{self, Capability, from_authenticated_bytes, to_bytes},
};

use crate::{
    cast::{alice, bob, now},
    keys::{every_kind, key_that},
};

#[test]
fn a_stored_tsk_comes_back_whole() {
    for (kind, alice) in every_kind() {
        let stored = to_bytes(&alice).unwrap();
        let back = from_authenticated_bytes(&stored).unwrap();
        assert_eq!(*to_bytes(&back).unwrap(), *stored, "{kind}");
        assert_eq!(back.certificate().to_bytes(), alice.certificate().to_bytes(), "{kind}");
    }
    let two = [&to_bytes(&alice()).unwrap()[..], &to_bytes(&bob()).unwrap()[..]].concat();
    assert!(matches!(from_authenticated_bytes(&two), Err(CertError::SeveralCertificates)));
    assert!(from_authenticated_bytes(&alice().certificate().to_bytes()).is_err());
}

#[test]
fn what_certifies_is_an_operation_of_its_own() {
    let policy = CryptoPolicy::standard();
    let alice = from_authenticated_bytes(&to_bytes(&alice()).unwrap()).unwrap();
    let hour = std::time::Duration::from_secs(3600);

    let expiring = alice.clone().set_expiry(Some(now() + hour), &policy, now()).unwrap();
    assert!(expiring.certificate().can_encrypt(&policy, now() + 2 * hour).is_err());

    let rotated = alice.clone().rotate(DEFAULT_OVERLAP, &policy, now()).unwrap();
    assert_eq!(custody::keys(&rotated.tsk, &policy, now()).len(), 4);

    let more = alice.clone().add_user_id("<a@example.test>", &policy, now()).unwrap();
    let addresses = more.certificate().addresses(&policy, now() + hour);
    assert!(addresses.contains(&"a@example.test".to_owned()), "{addresses:?}");
    more.revoke_user_id("a@example.test", &policy, now() + hour).unwrap();

    let subkey = key_that(&alice, Capability::Sign);
    let without = alice.clone().revoke_subkey(&subkey, Reason::Superseded, "", now()).unwrap();
    assert!(without.certificate().can_sign(&policy, now()).is_err());

    let vouched = bob().certificate().certify(&["<bob@example.test>".into()], &alice, true, &policy, now());
    let authorities = [alice.certificate()];
    assert!(vouched.unwrap().is_certified_by(
        &authorities,
        UserIdQuery::Exactly("<bob@example.test>"),
        &policy,
        now()
    ));

    let ended = alice.revoke(Reason::Retired, "", now()).unwrap();
    assert!(ended.certificate().can_encrypt(&policy, now()).is_err());
}
