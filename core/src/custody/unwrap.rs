// SPDX-License-Identifier: LGPL-2.0-or-later
//! From one wrapped session key to the session key.

use openpgp::{packet::PKESK, parse::Parse, types::SymmetricAlgorithm};
use sequoia_openpgp as openpgp;

use super::{
    CustodyError,
    keys::{Capability, is_rsa, key_for},
};
use crate::{
    Fingerprint,
    cert::Tsk,
    message::{
        Guarded,
        framing::{Body, Header, Length, tag},
        may_be_for,
    },
    session_key::SessionKey,
};

/// A post-quantum session key packet has some 1,700 bytes, one for RSA 16384 has 2,100.
const LARGEST_PACKET: usize = 1 << 13;

/// Unwraps the session key in `pkesk_packet` with `subkey`, whether or not that is still valid: old mail stays readable.
///
/// `pkesk_packet` is what [`WrappedSessionKey::to_bytes`](crate::message::WrappedSessionKey::to_bytes) gives: exactly one
/// packet of version 3 or 6, to this key or to a hidden recipient. Version 3 says inside which cipher the session key is
/// for, and the result says so, too. Version 6 does not, and `session_key_size` bytes are unwrapped.
///
/// # Errors
/// `Refused` for everything that depends on the secret key. With RSA wrong padding is no error at all: the result is a
/// session key that is random, but for one packet always the same, so that asking again tells nothing (see `rsa`).
pub fn unwrap_session_key(
    tsk: &Tsk,
    subkey: &Fingerprint,
    pkesk_packet: &[u8],
    session_key_size: Option<usize>,
) -> Result<SessionKey, CustodyError> {
    let packet = one_packet(pkesk_packet).ok_or(CustodyError::NotOneWrappedKey)?;
    let size = match (packet.version(), session_key_size) {
        (3, _) => None,
        (6, Some(size @ (16 | 24 | 32))) => Some(size),
        (6, _) => return Err(CustodyError::SessionKeySize),
        _ => return Err(CustodyError::NotOneWrappedKey),
    };
    let key = key_for(tsk, subkey, Capability::Unwrap)?;
    if !may_be_for(&packet, key.public()) {
        return Err(CustodyError::OtherKey);
    }
    if is_rsa(packet.pk_algo()) {
        #[cfg(feature = "crypto-openssl")]
        return super::rsa::unwrap_session_key(&key, packet.esk(), size);
        #[cfg(not(feature = "crypto-openssl"))]
        return Err(CustodyError::VariableTime);
    }
    let (cipher, key) =
        packet.decrypt(&mut Guarded(key), size.map(aes_of_size)).ok_or(CustodyError::Refused)?;
    let fits = match (size, cipher) {
        (Some(size), _) => key.len() == size,
        (None, Some(cipher)) => is_aes(cipher) && cipher.key_size().is_ok_and(|size| size == key.len()),
        (None, None) => false,
    };
    // The container names the cipher of a version 6 packet; what Sequoia gives is our own guess from the size.
    let cipher = if size.is_some() { None } else { cipher };
    if fits { Ok(SessionKey { cipher, key }) } else { Err(CustodyError::Refused) }
}

/// The subkeys of `tsk` that `pkesk_packet` may be wrapped to: the one that it names, or for a hidden recipient all of its
/// algorithm, which are to be tried one after the other.
pub fn subkeys_for(tsk: &Tsk, pkesk_packet: &[u8]) -> Result<Vec<Fingerprint>, CustodyError> {
    let packet = one_packet(pkesk_packet).ok_or(CustodyError::NotOneWrappedKey)?;
    let able = tsk.cert.keys().subkeys().map(|key| key.key().fingerprint()).filter(|subkey| {
        key_for(tsk, subkey, Capability::Unwrap).is_ok_and(|key| may_be_for(&packet, key.public()))
    });
    let able: Vec<_> = able.collect();
    if able.is_empty() { Err(CustodyError::OtherKey) } else { Ok(able) }
}

/// Is this a session key that is wrapped to an RSA key? For rate limits, before anything is decided.
pub fn is_rsa_wrapped(pkesk_packet: &[u8]) -> bool {
    one_packet(pkesk_packet).is_some_and(|packet| is_rsa(packet.pk_algo()))
}

/// The packet, if nothing surrounds it. Sequoia refuses what is left over inside.
fn one_packet(bytes: &[u8]) -> Option<PKESK> {
    if bytes.len() > LARGEST_PACKET {
        return None;
    }
    let mut rest = bytes;
    let header = Header::read(&mut rest).ok()??;
    if header.tag != tag::PKESK || !matches!(header.length, Length::Definite(_)) {
        return None;
    }
    let mut body = Body::new(&mut rest, header.length);
    let body = body.read_rest(LARGEST_PACKET).ok()?;
    let packet = PKESK::from_bytes(&body).ok()?;
    (rest.is_empty()).then_some(packet)
}

fn aes_of_size(size: usize) -> SymmetricAlgorithm {
    match size {
        16 => SymmetricAlgorithm::AES128,
        24 => SymmetricAlgorithm::AES192,
        _ => SymmetricAlgorithm::AES256,
    }
}

fn is_aes(cipher: SymmetricAlgorithm) -> bool {
    use SymmetricAlgorithm::{AES128, AES192, AES256};
    matches!(cipher, AES128 | AES192 | AES256)
}
