// SPDX-License-Identifier: LGPL-2.0-or-later
//! From wrapped session keys and local secrets to the session key.

use sequoia_openpgp::{
    self as openpgp,
    crypto::{
        self, Decryptor, KeyPair, S2K,
        mpi::Ciphertext,
        symmetric::{self, BlockCipherMode, UnpaddingMode},
    },
    packet::{
        Key, PKESK, SKESK,
        key::{PublicParts, UnspecifiedRole},
    },
    parse::buffered_reader,
    types::{PublicKeyAlgorithm, SymmetricAlgorithm},
};

use super::open::{Container, UnwrapError, WrappedSessionKey};
use crate::{cert::Tsk, secret::Passphrase, session_key::SessionKey};

/// Argon2 may use 2 GiB, which RFC 9580 recommends at most.
const MOST_ARGON2_MEMORY_EXPONENT: u8 = 21;

/// Work on all passwords of a message together, in Argon2's passes times KiB: about ten seconds of one core. Some forty
/// passwords fit in as RFC 9106's second choice has them, four as the first.
const MOST_WORK: u64 = 4 << 21;

/// Hashing a KiB with what iterates (SHA-1, mostly) takes as long as so many KiB of Argon2.
const ITERATED_KIB: u64 = 3;

pub(super) fn with_tsks(
    wrapped: &[WrappedSessionKey],
    tsks: &[Tsk],
    container: &Container,
) -> Result<SessionKey, UnwrapError> {
    let keys: Vec<KeyPair> = tsks.iter().flat_map(Tsk::decryption_keys).collect();
    let mut implicit_rejection = None;
    for WrappedSessionKey { packet } in wrapped {
        for key in keys.iter().filter(|key| may_be_for(packet, key.public())) {
            if let Some(session_key) = unwrap(packet, key.clone(), container) {
                return Ok(session_key);
            }
            // Whoever learns that PKCS #1 padding was wrong can decrypt by asking again (Bleichenbacher). With a random
            // session key in its place, wrong padding fails where a wrong session key fails: at the first tag. That holds
            // for hidden recipients too, so give all TSKs at once: with a single one, no other is tried afterwards.
            if is_rsa(packet.pk_algo()) {
                implicit_rejection = Some(container.random_session_key());
            }
        }
    }
    implicit_rejection.ok_or_else(|| UnwrapError::NoMatchingKey {
        wanted: wrapped.iter().filter_map(WrappedSessionKey::recipient).collect(),
    })
}

/// Same algorithm, and the same key or a hidden recipient.
pub(crate) fn may_be_for(packet: &PKESK, key: &Key<PublicParts, UnspecifiedRole>) -> bool {
    packet.pk_algo() == key.pk_algo()
        && packet.recipient().is_none_or(|recipient| recipient.aliases(key.key_handle()))
}

fn unwrap(packet: &PKESK, key: KeyPair, container: &Container) -> Option<SessionKey> {
    let (cipher, key) = packet.decrypt(&mut Guarded(key), container.cipher())?;
    container.accepts(cipher, key)
}

#[expect(deprecated, reason = "old mail uses them")]
fn is_rsa(algorithm: PublicKeyAlgorithm) -> bool {
    matches!(algorithm, PublicKeyAlgorithm::RSAEncryptSign | PublicKeyAlgorithm::RSAEncrypt)
}

impl Container {
    /// What SEIPDv2 says itself.
    fn cipher(&self) -> Option<SymmetricAlgorithm> {
        match self {
            Self::V1 => None,
            Self::V2(header) => Some(header.cipher),
        }
    }

    pub(super) fn accepts(
        &self,
        cipher: Option<SymmetricAlgorithm>,
        key: crypto::SessionKey,
    ) -> Option<SessionKey> {
        match self {
            Self::V1 => cipher
                .filter(|c| c.key_size().is_ok_and(|size| size == key.len()))
                .map(|c| SessionKey { cipher: Some(c), key }),
            Self::V2(header) => {
                (key.len() == header.key_size()).then_some(SessionKey { cipher: Some(header.cipher), key })
            }
        }
    }

    fn random_session_key(&self) -> SessionKey {
        let (cipher, size) = match self {
            Self::V1 => (Some(SymmetricAlgorithm::AES256), 32),
            Self::V2(header) => (Some(header.cipher), header.key_size()),
        };
        // Without randomness a key of zeros is as wrong as any.
        let key = crypto::SessionKey::new(size).unwrap_or_else(|_| vec![0; size].into());
        SessionKey { cipher, key }
    }
}

/// Refuses unwrapped session keys that are too short to be one.
///
/// Sequoia 2.4.2 indexes into the result before it looks at its length: a wrapped empty key, 116 bytes of mail,
/// panics in `PKESK::decrypt` otherwise.
pub(crate) struct Guarded(pub(crate) KeyPair);

/// A cipher octet and a checksum.
const LEAST_UNWRAPPED: usize = 3;

impl Decryptor for Guarded {
    fn public(&self) -> &Key<PublicParts, UnspecifiedRole> {
        self.0.public()
    }

    fn decrypt(
        &mut self,
        ciphertext: &Ciphertext,
        plaintext_len: Option<usize>,
    ) -> openpgp::Result<crypto::SessionKey> {
        let plain = self.0.decrypt(ciphertext, plaintext_len)?;
        if plain.len() < LEAST_UNWRAPPED {
            return Err(openpgp::Error::MalformedPacket("session key too short".into()).into());
        }
        Ok(plain)
    }
}

pub(super) fn with_passwords(
    packets: &[SKESK],
    passwords: &[Passphrase],
    container: &Container,
    beginning: &[u8],
) -> Result<SessionKey, UnwrapError> {
    let affordable: Vec<_> = packets
        .iter()
        .filter_map(|packet| Some((packet, work(packet)?)))
        .filter(|(_, w)| *w <= MOST_WORK)
        .collect();
    let all = affordable.iter().map(|(_, work)| work).sum::<u64>();
    if all > MOST_WORK || (affordable.is_empty() && !packets.is_empty()) {
        return Err(UnwrapError::TooExpensive);
    }
    for (packet, _) in affordable {
        for password in passwords {
            let Ok((cipher, key)) = packet.decrypt(&password.expose().into()) else { continue };
            let Some(session_key) = container.accepts(cipher, key) else { continue };
            if matches!(container, Container::V2(_)) || begins_well(&session_key, beginning) {
                return Ok(session_key);
            }
        }
    }
    Err(UnwrapError::WrongPassword)
}

/// What trying one password on `packet` costs; `None` when it asks for too much memory, or for nothing known here.
fn work(packet: &SKESK) -> Option<u64> {
    let s2k = match packet {
        SKESK::V4(p) => p.s2k(),
        SKESK::V6(p) => p.s2k(),
        _ => return None,
    };
    match *s2k {
        S2K::Argon2 { m, .. } if m > MOST_ARGON2_MEMORY_EXPONENT => None,
        S2K::Argon2 { t, m, .. } => Some(u64::from(t) << m),
        S2K::Iterated { hash_bytes, .. } => Some(u64::from(hash_bytes / 1024) * ITERATED_KIB),
        _ => Some(0),
    }
}

/// SKESK version 4 cannot tell a wrong password. SEIPDv1 repeats two bytes for that, and a packet follows. A sender
/// who could ask this often would learn plaintext (Mister and Zuccherato), so it is asked for typed passwords only.
fn begins_well(session_key: &SessionKey, beginning: &[u8]) -> bool {
    let Some(cipher) = session_key.cipher else { return false };
    let Ok(block) = cipher.block_size() else { return false };
    let source = buffered_reader::Memory::with_cookie(beginning, Default::default());
    let reader = symmetric::Decryptor::new(
        cipher,
        BlockCipherMode::CFB,
        UnpaddingMode::None,
        &session_key.key,
        None,
        source,
    );
    let mut plain = vec![0; block + 3];
    let read = reader.and_then(|mut reader| Ok(std::io::Read::read_exact(&mut reader, &mut plain)?));
    read.is_ok() && plain[block - 2..block] == plain[block..block + 2] && plain[block + 2] & 0x80 != 0
}
