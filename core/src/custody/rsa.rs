// SPDX-License-Identifier: LGPL-2.0-or-later
//! RSA with PKCS #1 v1.5 padding, without an oracle.
//!
//! Who learns whether a padding was right decrypts any message by asking some thousand times (Bleichenbacher 1998, and
//! every decade since). So wrong padding is no error: a pseudo-random session key takes the place of the one that is
//! not there (implicit rejection, as in TLS and OpenSSL 3.2). It is derived from the private key and the packet, hence the
//! same each time: a key that differed between two equal questions would give the rejection away.
//!
//! OpenSSL does the modular exponentiation (blinded, constant in time); the padding is checked here, without branches.
//! What is left: the length of the answer, which for a version 3 packet depends on the cipher inside. A rejection
//! chooses among the three at random, so a length proves nothing; and a right padding by chance needs some 2⁴⁸ questions,
//! because cipher and checksum have to fit as well.

use hkdf::Hkdf;
use openpgp::{
    crypto::{
        KeyPair,
        mpi::{Ciphertext, PublicKey, SecretKeyMaterial},
    },
    types::SymmetricAlgorithm,
};
use openssl::{
    bn::{BigNum, BigNumContext},
    error::ErrorStack,
    pkey::Private,
    rsa::{Padding, Rsa},
};
use sequoia_openpgp as openpgp;
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::CustodyError;
use crate::{keystore::fields, session_key::SessionKey};

/// Nobody has larger keys, and each question costs their cube.
const LARGEST_MODULUS: usize = 2048;

/// 0, 2, at least eight bytes that are not zero, and 0.
const LEAST_PADDING: usize = 11;

const LARGEST_SESSION_KEY: usize = 32;

/// What may stand behind the padding: cipher octet (version 3 only), session key, checksum.
#[derive(Clone, Copy)]
struct Layout {
    cipher: Option<u8>,
    size: usize,
}

/// Version 3: AES-128, AES-192, AES-256, by their octets.
const V3: [Layout; 3] = [
    Layout { cipher: Some(7), size: 16 },
    Layout { cipher: Some(8), size: 24 },
    Layout { cipher: Some(9), size: 32 },
];

/// `size` is that of a version 6 packet's session key; `None` is version 3.
pub(super) fn unwrap_session_key(
    key: &KeyPair,
    ciphertext: &Ciphertext,
    size: Option<usize>,
) -> Result<SessionKey, CustodyError> {
    let (PublicKey::RSA { e, n }, Ciphertext::RSA { c }) = (key.public().mpis(), ciphertext) else {
        return Err(CustodyError::OtherKey);
    };
    let (n, c) = (n.value(), c.value());
    // Both are public.
    if n.len() > LARGEST_MODULUS || c.len() > n.len() || (c.len() == n.len() && c >= n) {
        return Err(CustodyError::Refused);
    }
    let one = size.map(|size| [Layout { cipher: None, size }]);
    let layouts: &[Layout] = one.as_ref().map_or(&V3, |one| one);
    let mut padded = vec![0; n.len()];
    padded[n.len() - c.len()..].copy_from_slice(c);
    key.secret().map(|secret| {
        let SecretKeyMaterial::RSA { d, p, q, u } = secret else { return Err(CustodyError::Refused) };
        let rejection = rejection(d.value(), &key.public().fingerprint(), size, &padded, layouts);
        let private = private_key(n, e.value(), d.value(), p.value(), q.value(), u.value());
        let mut block = Zeroizing::new(vec![0; n.len()]);
        let decrypted = private.and_then(|key| key.private_decrypt(&padded, &mut block, Padding::NONE));
        decrypted.map_err(|_| CustodyError::Refused)?;
        Ok(open(&block, layouts, rejection))
    })
}

/// A session key and its cipher octet (0 when the packet has none).
struct Candidate {
    cipher: u8,
    size: u8,
    key: Zeroizing<[u8; LARGEST_SESSION_KEY]>,
}

/// Takes the padding off, or yields `rejection`; which of the two is not told by the time it takes.
fn open(block: &[u8], layouts: &[Layout], mut chosen: Candidate) -> SessionKey {
    for layout in layouts {
        let message_size = layout.cipher.map_or(0, |_| 1) + layout.size + 2;
        if block.len() < LEAST_PADDING + message_size {
            continue;
        }
        let (padding, message) = block.split_at(block.len() - message_size);
        let (cipher, message) = message.split_at(message_size - layout.size - 2);
        let (key, checksum) = message.split_at(layout.size);
        let mut good = padding[0].ct_eq(&0) & padding[1].ct_eq(&2) & padding[padding.len() - 1].ct_eq(&0);
        for byte in &padding[2..padding.len() - 1] {
            good &= !byte.ct_eq(&0);
        }
        for (octet, expected) in cipher.iter().zip(layout.cipher) {
            good &= octet.ct_eq(&expected);
        }
        let sum = key.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        good &= sum.to_be_bytes()[..].ct_eq(checksum);
        chosen.take_if(good, layout, key);
    }
    let cipher = (chosen.cipher != 0).then(|| SymmetricAlgorithm::from(chosen.cipher));
    SessionKey { cipher, key: chosen.key[..usize::from(chosen.size)].into() }
}

impl Candidate {
    fn take_if(&mut self, good: Choice, layout: &Layout, key: &[u8]) {
        self.cipher.conditional_assign(&layout.cipher.unwrap_or(0), good);
        self.size.conditional_assign(&(layout.size as u8), good);
        for (own, byte) in self.key.iter_mut().zip(key) {
            own.conditional_assign(byte, good);
        }
    }
}

/// What a wrong padding yields. Version and size are part of it: otherwise two questions about one ciphertext would
/// get the same rejection, and a difference would tell that one of them was none.
fn rejection(
    d: &[u8],
    key: &crate::Fingerprint,
    size: Option<usize>,
    ciphertext: &[u8],
    layouts: &[Layout],
) -> Candidate {
    let version_and_size = size.map_or([3, 0], |size| [6, size as u8]);
    let info = fields(&[b"plombe custody rsa rejection v1", key.as_bytes(), &version_and_size, ciphertext]);
    let mut bytes = Zeroizing::new([0; 1 + LARGEST_SESSION_KEY]);
    Hkdf::<Sha256>::new(None, d).expand(&info, &mut *bytes).expect("33 bytes are less than HKDF's limit");
    let layout = layouts[usize::from(bytes[0]) % layouts.len()];
    let mut key = Zeroizing::new([0; LARGEST_SESSION_KEY]);
    key.copy_from_slice(&bytes[1..]);
    Candidate { cipher: layout.cipher.unwrap_or(0), size: layout.size as u8, key }
}

/// OpenPGP has u = p⁻¹ mod q, OpenSSL wants q⁻¹ mod p: the two primes change places. OpenSSL checks the result of the
/// Chinese remainder theorem, so that a fault, or a wrong u, does not give away a factor.
fn private_key(
    n: &[u8],
    e: &[u8],
    d: &[u8],
    p: &[u8],
    q: &[u8],
    u: &[u8],
) -> Result<Rsa<Private>, ErrorStack> {
    let mut context = BigNumContext::new_secure()?;
    let d = secret(d)?;
    let mut less_one = |prime: &[u8]| -> Result<BigNum, ErrorStack> {
        let mut order = secret(prime)?;
        order.sub_word(1)?;
        let mut exponent = BigNum::new_secure()?;
        exponent.set_const_time();
        exponent.checked_rem(&d, &order, &mut context)?;
        Ok(exponent)
    };
    let (exponent_p, exponent_q) = (less_one(p)?, less_one(q)?);
    Rsa::from_private_components(
        BigNum::from_slice(n)?,
        BigNum::from_slice(e)?,
        d,
        secret(q)?,
        secret(p)?,
        exponent_q,
        exponent_p,
        secret(u)?,
    )
}

/// Wiped when it is freed, and used in constant time.
fn secret(value: &[u8]) -> Result<BigNum, ErrorStack> {
    let mut number = BigNum::new_secure()?;
    number.copy_from_slice(value)?;
    number.set_const_time();
    Ok(number)
}
