// SPDX-License-Identifier: LGPL-2.0-or-later
//! PKS ("Private Key Store", as `sq --private-key-store` speaks it): its forms of what a keystore gives.
//!
//! A program asks over HTTP for a signature of a digest, or for the decryption of an RSA block or an ECDH point, and does the rest
//! itself. For RSA a session key is what it gets in the end, so that one is unwrapped as always, and put into the
//! form of the block that it expects. Only ECDH needs what [`custody`](crate::custody) calls a shared point.

use openpgp::{
    KeyID,
    crypto::mpi::{Ciphertext, MPI, PublicKey, Signature},
    packet::{Packet, pkesk::PKESK3},
    serialize::MarshalInto as _,
    types::PublicKeyAlgorithm,
};
use sequoia_openpgp as openpgp;
use zeroize::Zeroizing;

use crate::{Fingerprint, cert::Certificate, message::DigestSignature};

/// Octets of Ed25519's two numbers.
const ED25519: usize = 32;

/// What is asked of a subkey for decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decryption {
    /// A block, `application/vnd.pks.rsa.ciphertext`.
    Rsa,
    /// A point, `application/vnd.pks.ecdh.point`.
    Ecdh,
}

impl Decryption {
    /// How a request for it is marked.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rsa => "application/vnd.pks.rsa.ciphertext",
            Self::Ecdh => "application/vnd.pks.ecdh.point",
        }
    }
}

/// Digests that may be signed, as `Accept-Post` lists them: a client takes the first that it has.
pub const DIGESTS: &str = "application/vnd.pks.digest.sha512, application/vnd.pks.digest.sha384, \
                           application/vnd.pks.digest.sha256";

/// The hash algorithm's octet (RFC 9580 section 9.5) for the media type of a digest.
pub fn hash_of(media_type: &str) -> Option<u8> {
    match media_type.strip_prefix("application/vnd.pks.digest.")? {
        "sha256" => Some(8),
        "sha384" => Some(9),
        "sha512" => Some(10),
        _ => None,
    }
}

/// What is asked of `subkey` when it decrypts; `None` when the protocol has no form for it.
pub fn decryption(certificate: &Certificate, subkey: &Fingerprint) -> Option<Decryption> {
    match public(certificate, subkey)?.1 {
        PublicKey::RSA { .. } => Some(Decryption::Rsa),
        PublicKey::ECDH { .. } => Some(Decryption::Ecdh),
        _ => None,
    }
}

/// A signature's numbers one after the other, each as long as the key's; for RSA the signature itself.
pub fn raw_signature(
    certificate: &Certificate,
    subkey: &Fingerprint,
    signature: &DigestSignature,
) -> Option<Vec<u8>> {
    let (algorithm, key) = public(certificate, subkey)?;
    match (Signature::parse(algorithm, &signature.0[..]).ok()?, key) {
        (Signature::EdDSA { r, s }, _) => both(&r, &s, ED25519),
        (Signature::ECDSA { r, s }, PublicKey::ECDSA { curve, .. }) => both(&r, &s, curve.field_size().ok()?),
        (Signature::RSA { s }, PublicKey::RSA { n, .. }) => {
            s.value_padded(n.value().len()).ok().map(|value| value.into_owned())
        }
        _ => None,
    }
}

/// An RSA block as the session key packet that it is from, to be unwrapped.
pub fn rsa_packet(certificate: &Certificate, subkey: &Fingerprint, block: &[u8]) -> Option<Vec<u8>> {
    let (algorithm @ PublicKeyAlgorithm::RSAEncryptSign, PublicKey::RSA { .. }) =
        public(certificate, subkey)?
    else {
        return None;
    };
    let ciphertext = Ciphertext::RSA { c: MPI::new(block) };
    let packet = PKESK3::new(Some(KeyID::from(subkey.clone())), algorithm, ciphertext).ok()?;
    Packet::from(openpgp::packet::PKESK::from(packet)).to_vec().ok()
}

/// What stands in a version 3 packet after its padding: cipher, session key, checksum (RFC 9580 section 5.1.3).
pub fn rsa_block(cipher: u8, session_key: &[u8]) -> Zeroizing<Vec<u8>> {
    let sum = session_key.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    Zeroizing::new([&[cipher], session_key, &sum.to_be_bytes()].concat())
}

fn public(certificate: &Certificate, subkey: &Fingerprint) -> Option<(PublicKeyAlgorithm, PublicKey)> {
    let mut keys = certificate.cert.keys().subkeys();
    let found = keys.find(|key| key.key().fingerprint() == *subkey)?;
    Some((found.key().pk_algo(), found.key().mpis().clone()))
}

fn both(r: &MPI, s: &MPI, size: usize) -> Option<Vec<u8>> {
    Some([r.value_padded(size).ok()?, s.value_padded(size).ok()?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_digests_have_a_name() {
        assert_eq!(DIGESTS.split(", ").map(hash_of).collect::<Vec<_>>(), [Some(10), Some(9), Some(8)]);
        for other in ["application/vnd.pks.digest.sha1", "application/vnd.pks.digest.", "text/plain", ""] {
            assert_eq!(hash_of(other), None);
        }
    }

    #[test]
    fn a_block_is_cipher_key_and_checksum() {
        assert_eq!(*rsa_block(9, &[0xff, 0x02]), [9, 0xff, 0x02, 0x01, 0x01]);
    }
}
