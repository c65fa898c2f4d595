// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mallory can write to Alice's key file and does not know her passphrase. He puts another public key before her
//! encrypted secret. Nothing that she does afterwards may use the pair.

use std::time::{Duration, SystemTime};

use openpgp::{
    Cert, Packet,
    cert::amalgamation::key::PrimaryKey as _,
    crypto::{Password, S2K, mpi},
    packet::{
        Key,
        key::{Key4, Key6, PrimaryRole, SecretParts, SubordinateRole, UnspecifiedRole},
    },
    serialize::SerializeInto as _,
    types::{Curve, HashAlgorithm, SymmetricAlgorithm},
};
use plombe_core::{
    cert::{LockedTsk, UnlockError},
    secret::Passphrase,
};
use sequoia_openpgp as openpgp;

type AnyKey = Key<SecretParts, UnspecifiedRole>;

fn made() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// `None` where the backend has no code for the algorithm.
type Generate = fn() -> Option<AnyKey>;

/// One generator per algorithm, version 4 and 6 apart.
fn algorithms() -> Vec<(&'static str, Generate)> {
    vec![
        ("v4 EdDSA Ed25519", || Some(Key::from(Key4::generate_ecc(true, Curve::Ed25519).ok()?))),
        ("v4 ECDH Curve25519", || Some(Key::from(Key4::generate_ecc(false, Curve::Cv25519).ok()?))),
        ("v4 ECDSA P-256", || Some(Key::from(Key4::generate_ecc(true, Curve::NistP256).ok()?))),
        ("v4 ECDSA P-384", || Some(Key::from(Key4::generate_ecc(true, Curve::NistP384).ok()?))),
        ("v4 ECDSA P-521", || Some(Key::from(Key4::generate_ecc(true, Curve::NistP521).ok()?))),
        ("v4 ECDSA brainpoolP256", || Some(Key::from(Key4::generate_ecc(true, Curve::BrainpoolP256).ok()?))),
        ("v4 ECDH P-256", || Some(Key::from(Key4::generate_ecc(false, Curve::NistP256).ok()?))),
        ("v4 ECDH P-384", || Some(Key::from(Key4::generate_ecc(false, Curve::NistP384).ok()?))),
        ("v4 ECDH P-521", || Some(Key::from(Key4::generate_ecc(false, Curve::NistP521).ok()?))),
        ("v4 RSA", || Some(Key::from(Key4::generate_rsa(2048).ok()?))),
        ("v4 Ed25519", || Some(Key::from(Key4::generate_ed25519().ok()?))),
        ("v4 X25519", || Some(Key::from(Key4::generate_x25519().ok()?))),
        ("v4 Ed448", || Some(Key::from(Key4::generate_ed448().ok()?))),
        ("v4 X448", || Some(Key::from(Key4::generate_x448().ok()?))),
        ("v6 Ed25519", || Some(Key::from(Key6::generate_ed25519().ok()?))),
        ("v6 X25519", || Some(Key::from(Key6::generate_x25519().ok()?))),
        ("v6 RSA", || Some(Key::from(Key6::generate_rsa(2048).ok()?))),
        ("v6 ML-DSA-65+Ed25519", || Some(Key::from(Key6::generate_mldsa65_ed25519().ok()?))),
        ("v6 ML-KEM-768+X25519", || Some(Key::from(Key6::generate_mlkem768_x25519().ok()?))),
        ("v4 ML-KEM-768+X25519", || Some(Key::from(Key4::generate_mlkem768_x25519().ok()?))),
    ]
}

/// A key file with `key` as it stands: as primary key if it signs, otherwise under a sound primary key.
fn tsk_with(key: AnyKey) -> LockedTsk {
    let mut packets: Vec<Packet> = Vec::new();
    if key.pk_algo().for_signing() {
        packets.push(key.role_into_primary().into());
    } else {
        let primary: Key<SecretParts, PrimaryRole> = match key.version() {
            6 => Key6::generate_ed25519().unwrap().into(),
            _ => Key4::generate_ecc(true, Curve::Ed25519).unwrap().into(),
        };
        packets.push(primary.into());
        packets.push(Packet::from(key.role_into_subordinate() as Key<SecretParts, SubordinateRole>));
    }
    let cert = Cert::from_packets(packets.into_iter()).unwrap();
    assert!(cert.keys().secret().all(|key| key.primary() || !key.key().pk_algo().for_signing()));
    LockedTsk::parse_all(&cert.as_tsk().to_vec().unwrap()).unwrap().remove(0)
}

/// `secret`'s secret part beside `public`'s public part.
fn swapped(public: &AnyKey, secret: AnyKey) -> AnyKey {
    with_public(secret, public.mpis().clone())
}

fn with_public(mut key: AnyKey, public: mpi::PublicKey) -> AnyKey {
    key.set_creation_time(made()).unwrap();
    key.set_mpis(public);
    key
}

#[test]
fn every_algorithm_unlocks_when_nothing_was_touched() {
    for (name, generate) in algorithms() {
        let Some(key) = generate() else { continue };
        assert!(tsk_with(key).unlock(None).is_ok(), "{name}");
    }
}

#[test]
fn a_swapped_public_key_is_noticed_for_every_algorithm() {
    let mut tried = 0;
    for (name, generate) in algorithms() {
        let (Some(hers), Some(his)) = (generate(), generate()) else { continue };
        let unlocked = tsk_with(swapped(&his, hers)).unlock(None);
        assert!(matches!(unlocked, Err(UnlockError::KeyMismatch)), "{name}: {:?}", unlocked.err());
        tried += 1;
    }
    assert!(tried >= 12, "only {tried} algorithms in this backend");
}

#[test]
fn a_swapped_public_key_is_noticed_under_a_passphrase() {
    let passphrase = Passphrase::new("correct horse");
    for (name, generate) in algorithms() {
        let (Some(hers), Some(his)) = (generate(), generate()) else { continue };
        if hers.version() == 6 {
            continue; // Bound to the secret by AEAD; see below.
        }
        let (public, mut secret) = hers.take_secret();
        let s2k = S2K::new_iterated(HashAlgorithm::SHA256, 1024).unwrap();
        let password = Password::from(passphrase.expose());
        secret.encrypt_in_place_with(&public, s2k, SymmetricAlgorithm::AES256, None, &password).unwrap();
        let unlocked = tsk_with(swapped(&his, public.add_secret(secret).0)).unlock(Some(&passphrase));
        assert!(matches!(unlocked, Err(UnlockError::KeyMismatch)), "{name}: {:?}", unlocked.err());
    }
}

#[test]
fn v6_binds_the_public_key_to_the_locked_secret() {
    let passphrase = Passphrase::new("correct horse");
    let [hers, his] = [(); 2].map(|()| -> AnyKey { Key6::generate_ed25519().unwrap().into() });
    let locked = tsk_with(hers).unlock(None).unwrap().lock(Some(&passphrase)).unwrap();
    let bytes = locked.to_armored();
    let cert = <Cert as openpgp::parse::Parse<_>>::from_bytes(bytes.as_bytes()).unwrap();
    let key = cert.primary_key().key().clone().parts_into_secret().unwrap().role_into_unspecified();
    let unlocked = tsk_with(swapped(&his, key)).unlock(Some(&passphrase));
    assert!(matches!(unlocked, Err(UnlockError::WrongPassphrase)), "{:?}", unlocked.err());
}

#[test]
fn a_changed_rsa_modulus_or_exponent_is_noticed() {
    let [hers, his] = [(); 2].map(|()| -> AnyKey { Key4::generate_rsa(2048).unwrap().into() });
    let (mpi::PublicKey::RSA { e, n }, mpi::PublicKey::RSA { n: other_n, .. }) = (hers.mpis(), his.mpis())
    else {
        panic!("RSA keys have RSA parameters")
    };
    let changed = [
        mpi::PublicKey::RSA { e: e.clone(), n: other_n.clone() },
        mpi::PublicKey::RSA { e: mpi::MPI::new(&[3]), n: n.clone() },
        mpi::PublicKey::RSA { e: mpi::MPI::new(&[1]), n: n.clone() },
        // A modulus of many small factors, where discrete logarithms are easy: what the attack is about.
        mpi::PublicKey::RSA { e: e.clone(), n: mpi::MPI::new(&[&[0x80; 255][..], &[1]].concat()) },
    ];
    for public in changed {
        let unlocked = tsk_with(with_public(hers.clone(), public)).unlock(None);
        assert!(matches!(unlocked, Err(UnlockError::KeyMismatch)), "{:?}", unlocked.err());
    }
}

#[test]
fn dsa_is_not_used_since_its_group_cannot_be_trusted() {
    let Ok(dsa) = Key4::<SecretParts, UnspecifiedRole>::generate_dsa(1024) else { return };
    let tsk = tsk_with(dsa.into());
    let [aside] = tsk.never_used().try_into().expect("one key, and it is said why it is not used");
    assert_eq!(aside.algorithm, "DSA 1024");
    let unlocked = tsk.unlock(None);
    assert!(matches!(unlocked, Err(UnlockError::NoUsableSecret)), "{:?}", unlocked.err());
}
