// SPDX-License-Identifier: LGPL-2.0-or-later
//! What comes into custody, and what does not.

use plombe_core::{
    cert::UnlockError,
    crypto_policy::CryptoPolicy,
    custody::{self, Capability, ImportRefused, Imported, prepare_import, sign_digest},
    secret::Passphrase,
};
use sequoia_openpgp::{
    self as openpgp, Cert, Packet,
    cert::CipherSuite,
    packet::{
        Key,
        key::{Key4, SecretParts, SubordinateRole},
        signature::SignatureBuilder,
    },
    types::{Curve, KeyFlags, SignatureType},
};

use crate::{
    cast::{alice, now},
    keys::{self, HAS_SAFE_RSA, every_kind, is_rsa},
};

fn import(cert: &Cert) -> Result<Imported, ImportRefused> {
    prepare_import(keys::locked(cert), &CryptoPolicy::standard(), now())
}

fn builder(suite: CipherSuite) -> openpgp::cert::CertBuilder<'static> {
    keys::builder(suite, openpgp::Profile::RFC4880)
}

/// Alice's certificate with one more subkey.
fn with_subkey(mut key: Key<SecretParts, SubordinateRole>, flags: KeyFlags) -> Cert {
    let cert = keys::secret_cert(&alice());
    key.set_creation_time(now()).unwrap();
    let mut primary = cert.primary_key().key().clone().parts_into_secret().unwrap().into_keypair().unwrap();
    let binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_signature_creation_time(now())
        .unwrap()
        .set_key_flags(flags)
        .unwrap();
    let binding = key.bind(&mut primary, &cert, binding).unwrap();
    cert.insert_packets([Packet::from(key), binding.into()]).unwrap().0
}

fn encryption() -> KeyFlags {
    KeyFlags::empty().set_transport_encryption()
}

#[test]
fn every_kind_of_key_comes_in_as_it_is() {
    for (kind, alice) in every_kind() {
        let imported = import(&keys::secret_cert(&alice));
        if is_rsa(&kind) && !HAS_SAFE_RSA {
            assert!(matches!(imported, Err(ImportRefused::VariableTime)));
            continue;
        }
        let imported = imported.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(imported.added, None, "{kind}");
        let held = custody::keys(&imported.tsk, &CryptoPolicy::standard(), now());
        for capability in [Capability::Sign, Capability::Unwrap] {
            let able = held.iter().filter(|key| key.capability == capability && key.state.is_ok());
            assert_eq!(able.count(), 1, "{kind}");
        }
    }
}

#[test]
fn a_primary_key_that_signs_gets_a_subkey_for_it() {
    let policy = CryptoPolicy::standard();
    let flags = KeyFlags::empty().set_certification().set_signing();
    let before = builder(CipherSuite::Cv25519).set_primary_key_flags(flags).add_transport_encryption_subkey();
    let before = before.generate().unwrap().0;
    let imported = import(&before).unwrap();
    let added = imported.added.expect("a new subkey");
    sign_digest(&imported.tsk, &added, 10, &[7; 64], &policy, now()).unwrap();
    assert_eq!(imported.tsk.fingerprint(), before.fingerprint());
    let published = imported.tsk.certificate().describe(&policy, now());
    let subkey = published.keys.iter().find(|key| key.fingerprint == added).unwrap();
    assert!(subkey.capabilities.sign && !subkey.capabilities.certify && subkey.state.is_ok());
    // Once is enough.
    assert_eq!(import(&keys::secret_cert(&imported.tsk)).unwrap().added, None);
}

#[test]
fn one_rsa_key_for_two_purposes_is_refused() {
    let both = KeyFlags::empty().set_signing().set_transport_encryption();
    let primary = builder(CipherSuite::RSA2k).set_primary_key_flags(both.set_certification());
    let certifies_and_decrypts =
        builder(CipherSuite::RSA2k).set_primary_key_flags(encryption().set_certification());
    let without_flags = with_subkey(Key4::generate_rsa(2048).unwrap().into(), KeyFlags::empty());
    for cert in [primary.generate().unwrap().0, certifies_and_decrypts.generate().unwrap().0] {
        let refused = import(&cert).map(drop).unwrap_err();
        match HAS_SAFE_RSA {
            true => assert!(matches!(refused, ImportRefused::DualUse { .. })),
            false => assert!(matches!(refused, ImportRefused::VariableTime)),
        }
    }
    // For nothing at all is not for two purposes.
    assert_eq!(import(&without_flags).is_ok(), HAS_SAFE_RSA);
}

#[test]
fn an_rsa_key_that_was_once_for_two_purposes_does_not_unwrap() {
    let cert = with_subkey(Key4::generate_rsa(2048).unwrap().into(), encryption());
    let rsa = cert.keys().subkeys().find(|key| key.key().mpis().bits() == Some(2048)).unwrap();
    let (key, mut pair) = (rsa.key().clone(), {
        let primary = cert.primary_key().key().clone();
        primary.parts_into_secret().unwrap().into_keypair().unwrap()
    });
    let binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_signature_creation_time(now() - std::time::Duration::from_secs(60))
        .unwrap()
        .set_key_flags(encryption().set_authentication())
        .unwrap();
    let binding = key.bind(&mut pair, &cert, binding).unwrap();
    let cert = cert.clone().insert_packets([binding]).unwrap().0;
    let tsk = keys::locked(&cert).unlock(None).unwrap();
    let held = custody::keys(&tsk, &CryptoPolicy::standard(), now());
    assert!(held.iter().all(|held| held.fingerprint != key.fingerprint()));
}

#[test]
fn weak_and_unknown_kinds_of_keys_are_refused() {
    let rsa1024 = with_subkey(Key4::generate_rsa(1024).unwrap().into(), encryption());
    assert!(matches!(import(&rsa1024), Err(ImportRefused::Weak { .. })));
    if Curve::BrainpoolP256.is_supported() {
        let key = Key4::generate_ecc(false, Curve::BrainpoolP256).unwrap();
        let brainpool = with_subkey(key.into(), encryption());
        assert!(matches!(import(&brainpool), Err(ImportRefused::Algorithm { .. })));
    }
}

#[test]
fn a_locked_tsk_and_one_without_secrets_are_refused() {
    let policy = CryptoPolicy::standard();
    let locked = alice().lock(Some(&Passphrase::new("x"))).unwrap();
    assert!(matches!(prepare_import(locked, &policy, now()), Err(ImportRefused::Locked)));
    // A primary key that only certifies, and nothing that a keystore could do with it.
    let primary_only = builder(CipherSuite::Cv25519).generate().unwrap().0;
    assert!(matches!(import(&primary_only), Err(ImportRefused::NothingToHold)));
}

#[test]
fn a_secret_that_does_not_belong_to_its_public_part_is_refused() {
    let (alice, other) = (keys::secret_cert(&alice()), keys::secret_cert(&alice()));
    let packets = alice.clone().into_tsk().into_packets().map(|packet| match packet {
        Packet::SecretSubkey(key) => {
            let same = |own: &Key<_, SubordinateRole>| own.pk_algo() == key.pk_algo();
            let foreign = other.keys().subkeys().unencrypted_secret().find(|own| same(own.key())).unwrap();
            let secret = foreign.key().clone().take_secret().1;
            Packet::SecretSubkey(key.take_secret().0.add_secret(secret).0)
        }
        packet => packet,
    });
    let mixed = Cert::from_packets(packets).unwrap();
    assert!(matches!(import(&mixed), Err(ImportRefused::Unlock(UnlockError::KeyMismatch))));
}
