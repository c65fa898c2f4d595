// SPDX-License-Identifier: LGPL-2.0-or-later
//! A passkey's public key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use plombe_core::keystore::Bytes;
use serde::{Deserialize, Serialize};

/// In front of the point in a SubjectPublicKeyInfo of P-256 (RFC 5480), which is uncompressed.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// In front of the key in one of Ed25519 (RFC 8410).
const ED25519_INFO: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// In front of the RSAPublicKey's bits: what algorithm it is (RFC 3279).
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82];

/// What a passkey signs with, in the form that the library verifies with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasskeyKey {
    /// ECDSA on P-256 with SHA-256: the point, uncompressed.
    Es256(Bytes),
    /// Ed25519: 32 bytes.
    EdDsa(Bytes),
    /// RSA of 2048 bits and more, PKCS #1 v1.5 with SHA-256 (older Windows): RSAPublicKey.
    Rs256(Bytes),
}

/// Not a key, or not of its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this kind of key is not taken")]
pub struct BadPublicKey;

impl PasskeyKey {
    /// From a SubjectPublicKeyInfo and a COSE algorithm.
    ///
    /// # Errors
    /// When they do not fit each other, or one of them is none that is taken.
    pub fn parse(algorithm: i32, info: &[u8]) -> Result<Self, BadPublicKey> {
        let key = match algorithm {
            -7 => Self::Es256(
                info.strip_prefix(P256).filter(|point| point.len() == 65).ok_or(BadPublicKey)?.into(),
            ),
            -8 => Self::EdDsa(
                info.strip_prefix(ED25519_INFO).filter(|key| key.len() == 32).ok_or(BadPublicKey)?.into(),
            ),
            -257 => Self::Rs256(rsa(info).ok_or(BadPublicKey)?.into()),
            _ => return Err(BadPublicKey),
        };
        // A point that is not on the curve, or a modulus of 1024 bits, is found out now and not at the first use.
        let (algorithm, bytes) = key.parts();
        aws_lc_rs::signature::ParsedPublicKey::new(algorithm, bytes).map_err(|_| BadPublicKey)?;
        match &key {
            Self::Rs256(bytes) if !(270..=1038).contains(&bytes.0.len()) => Err(BadPublicKey),
            _ => Ok(key),
        }
    }

    /// Is that its signature?
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, bytes) = self.parts();
        UnparsedPublicKey::new(algorithm, bytes).verify(message, signature).is_ok()
    }

    fn parts(&self) -> (&'static dyn VerificationAlgorithm, &[u8]) {
        match self {
            Self::Es256(bytes) => (&ECDSA_P256_SHA256_ASN1, &bytes.0),
            Self::EdDsa(bytes) => (&ED25519, &bytes.0),
            Self::Rs256(bytes) => (&RSA_PKCS1_2048_8192_SHA256, &bytes.0),
        }
    }
}

/// The RSAPublicKey in a SubjectPublicKeyInfo: lengths of two bytes, as all of 2048 bits and more have them.
fn rsa(info: &[u8]) -> Option<&[u8]> {
    let (outer, rest) = sized(info.strip_prefix(&[0x30, 0x82])?)?;
    let (bits, inner) = sized(outer.strip_prefix(RSA_ALGORITHM)?)?;
    (rest.is_empty() && inner.is_empty()).then_some(())?;
    bits.strip_prefix(&[0x00])
}

/// So many bytes as the first two say, and what is left.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer, PublicKeyX509Der},
        rand::SystemRandom,
        rsa::KeySize,
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
            KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
        },
    };

    use super::PasskeyKey;

    fn info(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
        key.as_der().unwrap().as_ref().to_vec()
    }

    #[test]
    fn each_kind_of_key_is_read_and_verifies_its_own_signature_only() {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let ed25519 = Ed25519KeyPair::generate().unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut by_rsa = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, b"x", &mut by_rsa).unwrap();
        let signatures = [
            (-7, info(p256.public_key()), p256.sign(&random, b"x").unwrap().as_ref().to_vec()),
            (-8, info(ed25519.public_key()), ed25519.sign(b"x").as_ref().to_vec()),
            (-257, info(rsa.public_key()), by_rsa),
        ];
        for (algorithm, info, signature) in &signatures {
            let key = PasskeyKey::parse(*algorithm, info).unwrap();
            assert!(key.verifies(b"x", signature), "{algorithm}");
            assert!(!key.verifies(b"y", signature), "{algorithm}");
            for (other, _, _) in signatures.iter().filter(|(other, ..)| other != algorithm) {
                assert!(PasskeyKey::parse(*other, info).is_err(), "{algorithm} as {other}");
            }
            assert!(PasskeyKey::parse(*algorithm, &info[..info.len() - 1]).is_err());
            assert!(PasskeyKey::parse(*algorithm, &[&info[..], &[0]].concat()).is_err());
        }
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        assert!(PasskeyKey::parse(-7, &info(p384.public_key())).is_err());
        let mut off_the_curve = info(p256.public_key());
        *off_the_curve.last_mut().unwrap() ^= 1;
        assert!(PasskeyKey::parse(-7, &off_the_curve).is_err());
    }
}
