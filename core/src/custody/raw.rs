// SPDX-License-Identifier: LGPL-2.0-or-later
//! The one raw operation: a point times a secret key.
//!
//! Who may ask for it opens every message to that key, and is not bound to packets that we parse: it is for programs on
//! the owner's own device that do the rest themselves. There is none for RSA. OpenSSL computes in constant time, checks that a
//! point of a NIST curve is on it, and refuses points of Curve25519 whose product is zero.

use openpgp::{
    crypto::mpi::{PublicKey, SecretKeyMaterial},
    types::Curve,
};
use openssl::{
    bn::{BigNum, BigNumContext},
    derive::Deriver,
    ec::{EcGroup, EcKey, EcPoint},
    error::ErrorStack,
    nid::Nid,
    pkey::{Id, PKey, Private, Public},
};
use sequoia_openpgp as openpgp;
use zeroize::Zeroizing;

use super::{
    CustodyError,
    keys::{Capability, key_for},
};
use crate::{Fingerprint, cert::Tsk};

/// Octets of Curve25519's field, and of its keys.
const X25519: usize = 32;

/// Multiplies `point`, as OpenPGP writes it, with the secret key of `subkey`: the shared secret before its key derivation.
///
/// # Errors
/// `NoSuchKey` unless the subkey is for decryption, `OtherKey` when it is not one for ECDH or the point is not of its curve.
pub fn share_point(
    tsk: &Tsk,
    subkey: &Fingerprint,
    point: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CustodyError> {
    let key = key_for(tsk, subkey, Capability::Unwrap)?;
    let PublicKey::ECDH { curve, q, .. } = key.public().mpis() else { return Err(CustodyError::OtherKey) };
    let other = public_key(curve, point).map_err(|_| CustodyError::OtherKey)?;
    let other = other.ok_or(CustodyError::OtherKey)?;
    key.secret().map(|secret| {
        let SecretKeyMaterial::ECDH { scalar } = secret else { return Err(CustodyError::Refused) };
        let own = private_key(curve, scalar.value(), q.value()).map_err(|_| CustodyError::Refused)?;
        let own = own.ok_or(CustodyError::OtherKey)?;
        let derive = || {
            Deriver::new(&own).and_then(|mut deriver| {
                deriver.set_peer(&other)?;
                deriver.derive_to_vec()
            })
        };
        derive().map(Zeroizing::new).map_err(|_| CustodyError::Refused)
    })
}

fn public_key(curve: &Curve, point: &[u8]) -> Result<Option<PKey<Public>>, ErrorStack> {
    if *curve == Curve::Cv25519 {
        let native = point.strip_prefix(&[0x40]).filter(|native| native.len() == X25519);
        return native.map(|native| PKey::public_key_from_raw_bytes(native, Id::X25519)).transpose();
    }
    let Some(group) = group(curve)? else { return Ok(None) };
    let mut context = BigNumContext::new()?;
    // On the curve, or an error.
    let point = EcPoint::from_bytes(&group, point, &mut context)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key).map(Some)
}

fn private_key(curve: &Curve, scalar: &[u8], own_point: &[u8]) -> Result<Option<PKey<Private>>, ErrorStack> {
    if *curve == Curve::Cv25519 {
        if scalar.len() > X25519 {
            return Ok(None);
        }
        // OpenPGP writes it as a number, big end first and without leading zeros; the curve's own form is the other way round.
        let mut native = Zeroizing::new([0; X25519]);
        for (to, from) in native.iter_mut().zip(scalar.iter().rev()) {
            *to = *from;
        }
        return PKey::private_key_from_raw_bytes(&native[..], Id::X25519).map(Some);
    }
    let Some(group) = group(curve)? else { return Ok(None) };
    let mut context = BigNumContext::new()?;
    let public = EcPoint::from_bytes(&group, own_point, &mut context)?;
    let mut number = BigNum::new_secure()?;
    number.copy_from_slice(scalar)?;
    number.set_const_time();
    PKey::from_ec_key(EcKey::from_private_components(&group, &number, &public)?).map(Some)
}

fn group(curve: &Curve) -> Result<Option<EcGroup>, ErrorStack> {
    let name = match curve {
        Curve::NistP256 => Nid::X9_62_PRIME256V1,
        Curve::NistP384 => Nid::SECP384R1,
        Curve::NistP521 => Nid::SECP521R1,
        _ => return Ok(None),
    };
    EcGroup::from_curve_name(name).map(Some)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use openpgp::{
        cert::{CertBuilder, CipherSuite},
        serialize::SerializeInto as _,
        types::KeyFlags,
    };

    use super::*;

    fn tsk(suite: CipherSuite) -> (Tsk, Fingerprint, Vec<u8>) {
        let (cert, _) = CertBuilder::new()
            .set_cipher_suite(suite)
            .add_userid("<alice@example.org>")
            .add_transport_encryption_subkey()
            .add_signing_subkey()
            .set_creation_time(SystemTime::now())
            .generate()
            .unwrap();
        let for_encryption = |flags: Option<KeyFlags>| flags.is_some_and(|it| it.for_transport_encryption());
        let mut subkeys = cert.keys().subkeys();
        let subkey =
            subkeys.find(|key| key.self_signatures().any(|sig| for_encryption(sig.key_flags()))).unwrap();
        let point = match subkey.key().mpis() {
            PublicKey::ECDH { q, .. } => q.value().to_vec(),
            _ => Vec::new(),
        };
        let fingerprint = subkey.key().fingerprint();
        let bytes = cert.as_tsk().to_vec().unwrap();
        (crate::custody::from_authenticated_bytes(&bytes).unwrap(), fingerprint, point)
    }

    #[test]
    fn both_sides_share_a_point() {
        for (suite, size) in [
            (CipherSuite::Cv25519, 32),
            (CipherSuite::P256, 32),
            (CipherSuite::P384, 48),
            (CipherSuite::P521, 66),
        ] {
            let (alice, alices, alice_point) = tsk(suite);
            let (bob, bobs, bob_point) = tsk(suite);
            let one = share_point(&alice, &alices, &bob_point).unwrap();
            let other = share_point(&bob, &bobs, &alice_point).unwrap();
            assert_eq!(*one, *other, "{suite:?}");
            assert_eq!(one.len(), size, "{suite:?}");
        }
    }

    #[test]
    fn a_point_that_is_none_is_refused() {
        let (alice, subkey, own) = tsk(CipherSuite::Cv25519);
        let zero = [&[0x40][..], &[0; 32]].concat();
        let mut one = zero.clone();
        one[1] = 1;
        // A product of zero would be the same for every secret key.
        for low in [zero, one] {
            assert_eq!(share_point(&alice, &subkey, &low).unwrap_err(), CustodyError::Refused);
        }
        let short = &own[..32];
        let (_, _, of_another_curve) = tsk(CipherSuite::P256);
        for wrong in [&[][..], &own[1..], short, &of_another_curve[..]] {
            assert_eq!(share_point(&alice, &subkey, wrong).unwrap_err(), CustodyError::OtherKey);
        }
        for suite in [CipherSuite::P256, CipherSuite::P384, CipherSuite::P521] {
            let (bob, subkey, mut point) = tsk(suite);
            let last = point.len() - 1;
            point[last] ^= 1;
            assert_eq!(
                share_point(&bob, &subkey, &point).unwrap_err(),
                CustodyError::OtherKey,
                "off the curve"
            );
            assert_eq!(share_point(&bob, &subkey, &[0]).unwrap_err(), CustodyError::OtherKey, "at infinity");
        }
    }

    #[test]
    fn there_is_none_for_rsa_nor_for_keys_that_sign() {
        let (rsa, subkey, _) = tsk(CipherSuite::RSA2k);
        assert_eq!(share_point(&rsa, &subkey, &[0x40; 33]).unwrap_err(), CustodyError::OtherKey);
        let (alice, subkey, point) = tsk(CipherSuite::Cv25519);
        let others = alice.cert.keys().filter(|key| key.key().fingerprint() != subkey);
        let others: Vec<_> = others.map(|key| key.key().fingerprint()).collect();
        assert_eq!(others.len(), 2);
        for other in others {
            assert_eq!(share_point(&alice, &other, &point).unwrap_err(), CustodyError::NoSuchKey);
        }
    }
}
