// SPDX-License-Identifier: LGPL-2.0-or-later
//! Session keys unwrapped by a keystore.

use plombe_core::{
    cert::{Profile, Tsk},
    crypto_policy::CryptoPolicy,
    custody::{self, Capability, CustodyError, unwrap_session_key},
    message::{Container, Seal, SealedMessage, UnwrapError},
};
use sequoia_openpgp::{
    crypto::SessionKey as Key,
    packet::pkesk::{PKESK3, PKESK6},
    types::SymmetricAlgorithm,
};

use crate::{
    cast::{Reader, Watched, alice, mallory, now, tsk},
    keys::{HAS_SAFE_RSA, every_kind, is_rsa, key_that, packet, public},
};

const CONTENT: &[u8] = b"attack at dawn";

fn seal(recipient: &Tsk, container: Container, hidden: bool) -> Vec<u8> {
    let (policy, certificate) = (CryptoPolicy::standard(), recipient.certificate());
    let (shown, hidden) = if hidden { (vec![], vec![&certificate]) } else { (vec![&certificate], vec![]) };
    let seal =
        Seal { container: Some(container), hidden_recipients: hidden, ..Seal::new(shown, &policy, now()) };
    let mut message = Vec::new();
    seal.seal(&mut &CONTENT[..], &mut message).unwrap();
    message
}

#[test]
fn a_keystore_yields_the_same_session_key_as_the_tsk_at_hand() {
    let reader = Reader::knowing(&[]);
    for (kind, alice) in every_kind() {
        let subkey = key_that(&alice, Capability::Unwrap);
        for (container, hidden) in
            [(Container::Seipdv1, false), (Container::Seipdv1, true), (Container::Seipdv2, false)]
        {
            let message = seal(&alice, container, hidden);
            let sealed = SealedMessage::parse(&message[..]).unwrap();
            let wrapped = sealed.wrapped_session_keys()[0].to_bytes();
            assert_eq!(custody::subkeys_for(&alice, &wrapped).unwrap(), vec![subkey.clone()], "{kind}");
            let unwrapped = unwrap_session_key(&alice, &subkey, &wrapped, sealed.session_key_size());
            if is_rsa(&kind) && !HAS_SAFE_RSA {
                assert_eq!(unwrapped.unwrap_err(), CustodyError::VariableTime);
                continue;
            }
            let unwrapped = unwrapped.unwrap_or_else(|error| panic!("{kind} {container:?}: {error}"));
            let accepted = sealed.accept_session_key(unwrapped.cipher_octet(), unwrapped.expose()).unwrap();
            let local =
                sealed.unwrap_session_key(std::slice::from_ref(&alice), &reader.policy, now()).unwrap();
            assert_eq!(accepted.expose(), local.expose(), "{kind} {container:?}");
            assert_eq!(accepted.cipher_octet(), local.cipher_octet(), "{kind} {container:?}");
            let opened = sealed.open(&accepted, &reader.context(), Watched::default()).unwrap();
            assert_eq!(opened.release().unwrap().0, CONTENT);
        }
    }
}

#[test]
fn a_session_key_that_does_not_fit_is_not_accepted() {
    let alice = alice();
    for (container, cipher, size) in [
        (Container::Seipdv1, None, 32),
        (Container::Seipdv1, Some(9), 16),
        (Container::Seipdv1, Some(77), 32),
        (Container::Seipdv2, None, 16),
        (Container::Seipdv2, None, 0),
    ] {
        let message = seal(&alice, container, false);
        let sealed = SealedMessage::parse(&message[..]).unwrap();
        let accepted = sealed.accept_session_key(cipher, &vec![7; size]);
        assert!(matches!(accepted, Err(UnwrapError::DoesNotFit)), "{container:?} {cipher:?} {size}");
    }
}

#[test]
fn exactly_one_session_key_packet_is_unwrapped() {
    let alice = alice();
    let subkey = key_that(&alice, Capability::Unwrap);
    let message = seal(&alice, Container::Seipdv1, false);
    let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
    for (what, bytes) in [
        ("two", wrapped.repeat(2)),
        ("one and a byte", [&wrapped[..], &[0]].concat()),
        ("a whole message", message.clone()),
        ("none", Vec::new()),
        ("half of one", wrapped[..wrapped.len() / 2].to_vec()),
        ("something else", vec![0xcb, 3, b'b', 0, 0]),
        ("too much", vec![0xc1; 1 << 14]),
    ] {
        let error = unwrap_session_key(&alice, &subkey, &bytes, None).unwrap_err();
        assert_eq!(error, CustodyError::NotOneWrappedKey, "{what}");
    }
    unwrap_session_key(&alice, &subkey, &wrapped, None).unwrap();
}

#[test]
fn nothing_rides_inside_of_a_session_key_packet() {
    for (kind, alice) in every_kind() {
        let subkey = key_that(&alice, Capability::Unwrap);
        let key = public(&alice, &subkey);
        let body = {
            let cipher = SymmetricAlgorithm::AES256;
            let pkesk = PKESK3::for_recipient(cipher, &Key::from(vec![7; 32]), &key).unwrap();
            sequoia_openpgp::serialize::MarshalInto::to_vec(&sequoia_openpgp::packet::PKESK::from(pkesk))
                .unwrap()
        };
        let length = u32::try_from(body.len() + 1).unwrap().to_be_bytes();
        let longer = [&[0xc1, 0xff], &length[..], &body, &[0]].concat();
        let error = unwrap_session_key(&alice, &subkey, &longer, None).unwrap_err();
        assert_eq!(error, CustodyError::NotOneWrappedKey, "{kind}");
    }
}

#[test]
fn a_session_key_for_another_key_is_not_unwrapped() {
    let (alice, mallory) = (alice(), mallory());
    let subkey = key_that(&alice, Capability::Unwrap);
    let message = seal(&mallory, Container::Seipdv1, false);
    let to_mallory = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
    let error = unwrap_session_key(&alice, &subkey, &to_mallory, None).unwrap_err();
    assert_eq!(error, CustodyError::OtherKey);
    assert_eq!(custody::subkeys_for(&alice, &to_mallory).unwrap_err(), CustodyError::OtherKey);

    // Somebody else's, said to be for alice: only the secret tells, so nothing is told.
    let foreign = public(&mallory, &key_that(&mallory, Capability::Unwrap));
    let claimed = public(&alice, &subkey).keyid();
    let wrapped = foreign.encrypt(&Key::from(vec![7; 35])).unwrap();
    for handle in [Some(claimed), None] {
        let claims = packet(PKESK3::new(handle, foreign.pk_algo(), wrapped.clone()).unwrap());
        assert_eq!(unwrap_session_key(&alice, &subkey, &claims, None).unwrap_err(), CustodyError::Refused);
    }

    // Another algorithm than the key's.
    let new = tsk("new@example.test", Profile::Rfc9580);
    let key = public(&new, &key_that(&new, Capability::Unwrap));
    let x25519 = PKESK3::for_recipient(SymmetricAlgorithm::AES256, &Key::from(vec![7; 32]), &key).unwrap();
    let other = packet(PKESK3::new(None, key.pk_algo(), x25519.esk().clone()).unwrap());
    assert_eq!(unwrap_session_key(&alice, &subkey, &other, None).unwrap_err(), CustodyError::OtherKey);
}

#[test]
fn only_keys_for_encryption_unwrap() {
    for (kind, alice) in every_kind() {
        let message = seal(&alice, Container::Seipdv1, true);
        let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
        for key in [alice.fingerprint(), key_that(&alice, Capability::Sign), mallory().fingerprint()] {
            let error = unwrap_session_key(&alice, &key, &wrapped, None).unwrap_err();
            assert_eq!(error, CustodyError::NoSuchKey, "{kind}");
        }
    }
}

#[test]
fn a_session_key_is_as_long_as_an_aes_key() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let alice = tsk("alice@example.test", profile);
        let subkey = key_that(&alice, Capability::Unwrap);
        let key = public(&alice, &subkey);
        // Sizes that Sequoia 2.4.2 panics at among them.
        for size in [0, 1, 2, 3, 8, 40] {
            let Ok(wrapped) = key.encrypt(&Key::from(vec![7; size])) else { continue };
            let pkesk = packet(PKESK3::new(Some(key.keyid()), key.pk_algo(), wrapped.clone()).unwrap());
            let error = unwrap_session_key(&alice, &subkey, &pkesk, None).unwrap_err();
            assert!(matches!(error, CustodyError::Refused | CustodyError::NotOneWrappedKey), "{size}");
            let pkesk = packet(PKESK6::new(Some(key.fingerprint()), key.pk_algo(), wrapped).unwrap());
            for asked in [16, 24, 32] {
                assert!(unwrap_session_key(&alice, &subkey, &pkesk, Some(asked)).is_err(), "{size}");
            }
        }
        // Another cipher than AES, a good key otherwise.
        let camellia = SymmetricAlgorithm::Camellia256;
        let pkesk = packet(PKESK3::for_recipient(camellia, &Key::from(vec![7; 32]), &key).unwrap());
        assert_eq!(unwrap_session_key(&alice, &subkey, &pkesk, None).unwrap_err(), CustodyError::Refused);
        // Version 6: what was asked for, or nothing.
        let pkesk = packet(PKESK6::for_recipient(&Key::from(vec![7; 32]), &key).unwrap());
        for asked in [None, Some(0), Some(15), Some(33)] {
            let error = unwrap_session_key(&alice, &subkey, &pkesk, asked).unwrap_err();
            assert_eq!(error, CustodyError::SessionKeySize);
        }
        for asked in [16, 24] {
            let error = unwrap_session_key(&alice, &subkey, &pkesk, Some(asked)).unwrap_err();
            assert_eq!(error, CustodyError::Refused);
        }
        assert_eq!(unwrap_session_key(&alice, &subkey, &pkesk, Some(32)).unwrap().expose(), [7; 32]);
    }
}

#[test]
fn old_mail_stays_readable_after_the_key_was_revoked() {
    let alice = alice();
    let subkey = key_that(&alice, Capability::Unwrap);
    let message = seal(&alice, Container::Seipdv1, false);
    let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
    let revoked = alice.revoke_subkey(&subkey, plombe_core::cert::Reason::Superseded, "", now()).unwrap();
    unwrap_session_key(&revoked, &subkey, &wrapped, None).unwrap();
    let keys = custody::keys(&revoked, &CryptoPolicy::standard(), now());
    let key = keys.iter().find(|key| key.fingerprint == subkey).unwrap();
    assert_eq!(key.state, Err(plombe_core::cert::Unusable::Revoked));
}

#[test]
fn every_mutilated_packet_is_refused_alike() {
    let alice = alice();
    let subkey = key_that(&alice, Capability::Unwrap);
    let key = public(&alice, &subkey);
    let wrapped =
        packet(PKESK3::for_recipient(SymmetricAlgorithm::AES256, &Key::from(vec![7; 32]), &key).unwrap());
    // Behind version, key ID, algorithm and the ephemeral point's length and prefix.
    for position in 15..wrapped.len() {
        let mut broken = wrapped.clone();
        broken[position] ^= 1;
        let error = unwrap_session_key(&alice, &subkey, &broken, None).unwrap_err();
        assert!(
            matches!(error, CustodyError::Refused | CustodyError::NotOneWrappedKey),
            "byte {position}: {error:?}"
        );
    }
}
