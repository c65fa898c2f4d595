// SPDX-License-Identifier: LGPL-2.0-or-later
//! RSA in custody is no padding oracle.

use openssl::{
    bn::BigNum,
    rsa::{Padding, Rsa},
};
use plombe_core::{
    Fingerprint,
    cert::Tsk,
    custody::{Capability, CustodyError, unwrap_session_key},
    session_key::SessionKey,
};
use sequoia_openpgp::{
    self as openpgp,
    cert::CipherSuite,
    crypto::mpi::{Ciphertext, MPI, PublicKey},
    packet::pkesk::{PKESK3, PKESK6},
    types::PublicKeyAlgorithm,
};

use crate::keys::{generate, key_that, packet, public};

const SECRET: [u8; 32] = [0x5a; 32];

struct Target {
    tsk: Tsk,
    subkey: Fingerprint,
}

impl Target {
    fn new() -> Self {
        let tsk = generate(CipherSuite::RSA2k, openpgp::Profile::RFC4880);
        let subkey = key_that(&tsk, Capability::Unwrap);
        Self { tsk, subkey }
    }

    /// What mallory can make for everybody: any block under the public key.
    fn encrypted(&self, block: &[u8]) -> Vec<u8> {
        let PublicKey::RSA { e, n } = public(&self.tsk, &self.subkey).mpis().clone() else { panic!("RSA") };
        let number = |mpi: &MPI| BigNum::from_slice(mpi.value()).unwrap();
        let key = Rsa::from_public_components(number(&n), number(&e)).unwrap();
        let mut ciphertext = vec![0; 256];
        key.public_encrypt(block, &mut ciphertext, Padding::NONE).unwrap();
        ciphertext
    }

    fn ask_v3(&self, ciphertext: &[u8]) -> Result<SessionKey, CustodyError> {
        let c = Ciphertext::RSA { c: MPI::new(ciphertext) };
        let pkesk = PKESK3::new(None, PublicKeyAlgorithm::RSAEncryptSign, c).unwrap();
        unwrap_session_key(&self.tsk, &self.subkey, &packet(pkesk), None)
    }

    fn ask_v6(&self, ciphertext: &[u8], size: usize) -> Result<SessionKey, CustodyError> {
        let c = Ciphertext::RSA { c: MPI::new(ciphertext) };
        let pkesk = PKESK6::new(None, PublicKeyAlgorithm::RSAEncryptSign, c).unwrap();
        unwrap_session_key(&self.tsk, &self.subkey, &packet(pkesk), Some(size))
    }
}

fn checksum(key: &[u8]) -> [u8; 2] {
    key.iter().map(|byte| u16::from(*byte)).sum::<u16>().to_be_bytes()
}

/// `00 02 padding 00 message`, 256 bytes.
fn padded(message: &[u8]) -> Vec<u8> {
    let mut block = vec![0xff; 256];
    block[..2].copy_from_slice(&[0, 2]);
    let start = 256 - message.len();
    block[start - 1] = 0;
    block[start..].copy_from_slice(message);
    block
}

fn v3_message(cipher: u8, key: &[u8]) -> Vec<u8> {
    [&[cipher][..], key, &checksum(key)].concat()
}

#[test]
fn right_paddings_of_every_size_are_taken_off() {
    let target = Target::new();
    for (cipher, size) in [(7, 16), (8, 24), (9, 32)] {
        let key = target.ask_v3(&target.encrypted(&padded(&v3_message(cipher, &SECRET[..size])))).unwrap();
        assert_eq!((key.cipher_octet(), key.expose()), (Some(cipher), &SECRET[..size]));
        let message = [&SECRET[..size], &checksum(&SECRET[..size])].concat();
        let key = target.ask_v6(&target.encrypted(&padded(&message)), size).unwrap();
        assert_eq!((key.cipher_octet(), key.expose()), (None, &SECRET[..size]));
    }
}

/// Each names what a reader that is less careful would let pass, with the true session key at its place.
fn wrong_paddings() -> Vec<(&'static str, Vec<u8>)> {
    let right = padded(&v3_message(9, &SECRET));
    let with = |position: usize, byte: u8| {
        let mut block = right.clone();
        block[position] = byte;
        block
    };
    let separator = 256 - 36;
    let mut wrong_sum = v3_message(9, &SECRET);
    *wrong_sum.last_mut().unwrap() ^= 1;
    vec![
        ("first byte", with(0, 1)),
        ("block type", with(1, 1)),
        ("zero at the padding's start", with(2, 0)),
        ("zero in the padding", with(100, 0)),
        ("zero at the padding's end", with(separator - 1, 0)),
        ("no separator", with(separator, 0xff)),
        ("no AES", with(separator + 1, 2)),
        ("AES of another size", with(separator + 1, 7)),
        ("session key", with(separator + 5, 0)),
        ("checksum", padded(&wrong_sum)),
        ("too short a message", padded(&v3_message(9, &SECRET[..31]))),
        ("empty message", padded(&[])),
        ("no padding at all", [vec![0, 1], vec![7; 254]].concat()),
    ]
}

#[test]
fn a_wrong_padding_yields_a_session_key_that_is_always_the_same() {
    let target = Target::new();
    let mut seen = Vec::new();
    for (what, block) in wrong_paddings() {
        let ciphertext = target.encrypted(&block);
        let key = target.ask_v3(&ciphertext).unwrap_or_else(|error| panic!("{what}: {error}"));
        let size = match key.cipher_octet() {
            Some(7) => 16,
            Some(8) => 24,
            Some(9) => 32,
            other => panic!("{what}: cipher {other:?}"),
        };
        assert_eq!(key.expose().len(), size, "{what}");
        assert_ne!(key.expose(), &SECRET[..size], "{what}: this was taken for a right padding");
        let again = target.ask_v3(&ciphertext).unwrap();
        assert_eq!((again.cipher_octet(), again.expose()), (key.cipher_octet(), key.expose()), "{what}");
        for size in [16, 24, 32] {
            let key = target.ask_v6(&ciphertext, size).unwrap();
            assert_eq!(key.expose().len(), size, "{what}");
            assert_eq!(target.ask_v6(&ciphertext, size).unwrap().expose(), key.expose(), "{what}");
            seen.push(key.expose()[..16].to_vec());
        }
        seen.push(key.expose()[..16].to_vec());
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "one rejection for each question: no two may be compared");
}

#[test]
fn two_keys_reject_differently() {
    let (one, other) = (Target::new(), Target::new());
    let ciphertext = [vec![0, 0], vec![7; 254]].concat();
    assert_ne!(one.ask_v3(&ciphertext).unwrap().expose(), other.ask_v3(&ciphertext).unwrap().expose());
}

#[test]
fn a_number_beyond_the_modulus_is_refused() {
    let target = Target::new();
    assert_eq!(target.ask_v3(&[0xff; 256]).unwrap_err(), CustodyError::Refused);
    assert_eq!(target.ask_v3(&[1; 257]).unwrap_err(), CustodyError::Refused);
}
