// SPDX-License-Identifier: LGPL-2.0-or-later
//! Does a secret key belong to the public key beside it?
//!
//! Who can write to a key file, but does not know its passphrase, can still change the public part, which (in v4)
//! nothing binds to the encrypted secret. A signature made with the right secret and a wrong public part may then
//! leak the secret ("Victory by KO", Bruseghini, Huigens, Paterson, 2022). So no key is used before this check.
//!
//! One method for all elliptic curves and post-quantum algorithms: do what the key is for with the secret part and
//! the opposite with the public part. Their groups are named, not described, so the two fit each other only if the
//! public part is the one that the secret part yields. RSA describes its group (the modulus), which is recomputed.

use openpgp::{
    crypto::{Decryptor as _, SessionKey, Signer as _, mpi, random},
    packet::{
        Key,
        key::{KeyRole, PublicParts, SecretKeyMaterial, SecretParts, UnspecifiedRole},
    },
    types::HashAlgorithm,
};
use sequoia_openpgp as openpgp;

/// Can the backend use this key, and can a wrong public part be noticed? Keys that describe their group in the
/// public part (DSA, ElGamal) would need the group to be proved sound; they are not used instead.
pub(super) fn can_be_checked<R: KeyRole>(public: &Key<PublicParts, R>) -> bool {
    let curve_is_known = match public.mpis() {
        mpi::PublicKey::EdDSA { curve, .. }
        | mpi::PublicKey::ECDSA { curve, .. }
        | mpi::PublicKey::ECDH { curve, .. } => curve.is_supported(),
        mpi::PublicKey::DSA { .. } | mpi::PublicKey::ElGamal { .. } | mpi::PublicKey::Unknown { .. } => false,
        _ => true,
    };
    curve_is_known && public.pk_algo().is_supported()
}

/// The check. `key` is unencrypted and [`can_be_checked`].
pub(super) fn secret_fits_public(key: Key<SecretParts, UnspecifiedRole>) -> bool {
    modulus_fits(&key)
        && if key.pk_algo().for_signing() { signs(key) } else { decrypts(key) }.unwrap_or(false)
}

/// What the secret part signs, the public part verifies. The digest is random, so that no public part can be made
/// to fit one known signature.
fn signs(key: Key<SecretParts, UnspecifiedRole>) -> openpgp::Result<bool> {
    let mut digest = [0; 64];
    random(&mut digest)?;
    let public = key.parts_as_public().clone();
    let signature = key.into_keypair()?.sign(HashAlgorithm::SHA512, &digest)?;
    Ok(public.verify(&signature, HashAlgorithm::SHA512, &digest).is_ok())
}

/// What is sealed with the public part, the secret part opens.
fn decrypts(key: Key<SecretParts, UnspecifiedRole>) -> openpgp::Result<bool> {
    let probe = SessionKey::new(32)?;
    let ciphertext = key.encrypt(&probe)?;
    Ok(key.into_keypair()?.decrypt(&ciphertext, Some(probe.len()))? == probe)
}

/// RSA: n = p·q. With n proved, only the true e verifies.
fn modulus_fits(key: &Key<SecretParts, UnspecifiedRole>) -> bool {
    let mpi::PublicKey::RSA { n, .. } = key.mpis() else { return true };
    let SecretKeyMaterial::Unencrypted(secret) = key.secret() else { return false };
    secret.map(|secret| match secret {
        mpi::SecretKeyMaterial::RSA { p, q, .. } => product_is(p.value(), q.value(), n.value()),
        _ => false,
    })
}

/// Is p·q = n, all big-endian? Schoolbook multiplication without branches on the factors.
fn product_is(p: &[u8], q: &[u8], n: &[u8]) -> bool {
    if p.len() + q.len() > 4096 || n.len() > p.len() + q.len() {
        return false;
    }
    let mut product = zeroize::Zeroizing::new(vec![0u8; p.len() + q.len()]);
    for (i, a) in p.iter().rev().enumerate() {
        let mut carry = 0u32;
        for (j, b) in q.iter().rev().enumerate() {
            let sum = u32::from(product[i + j]) + u32::from(*a) * u32::from(*b) + carry;
            product[i + j] = sum as u8;
            carry = sum >> 8;
        }
        product[i + q.len()] = carry as u8;
    }
    let n = n.iter().rev().chain(std::iter::repeat(&0));
    let difference = product.iter().zip(n).fold(0, |difference, (a, b)| difference | (a ^ b));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::product_is;

    #[test]
    fn products_of_every_length_are_compared_exactly() {
        assert!(product_is(&[0xff, 0xff], &[0xff, 0xff], &[0xff, 0xfe, 0x00, 0x01]));
        assert!(product_is(&[3], &[5], &[15]));
        assert!(product_is(&[3], &[5], &[0, 15]));
        assert!(!product_is(&[3], &[5], &[14]));
        assert!(!product_is(&[3], &[5], &[1, 15]));
        assert!(!product_is(&[3], &[5], &[0, 0, 15]));
        assert!(!product_is(&[1], &[0], &[1]));
    }
}
