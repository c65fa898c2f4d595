// SPDX-License-Identifier: LGPL-2.0-or-later
//! Secret keys under a passphrase.
//!
//! v6: Argon2id and AES-256 in OCB mode (S2K usage 253), which also binds the secret to its public part. v4:
//! iterated and salted SHA-256 at the highest count, AES-256 in CFB mode with a SHA-1 check (S2K usage 254), the
//! strongest that gpg 2.2, RNP and Thunderbird read.

use openpgp::{
    Cert, Packet,
    crypto::{Password, S2K, mpi, random},
    packet::{
        Key,
        key::{
            Encrypted, KeyRole, PublicParts, SecretKeyMaterial, SecretParts, Unencrypted, UnspecifiedRole,
        },
    },
    types::{AEADAlgorithm, HashAlgorithm, SymmetricAlgorithm},
};
use sequoia_openpgp as openpgp;

use super::{CertError, LockedTsk, Tsk, UnlockError, describe, genuine};
use crate::{Fingerprint, secret::Passphrase};

/// RFC 9106 section 4, second choice: 3 passes over 64 MiB. The first choice (2 GiB) fails on small machines and in
/// browsers, and every secret key of a TSK is derived by itself.
const ARGON2_PASSES: u8 = 3;
const ARGON2_LANES: u8 = 4;
const ARGON2_MEMORY_EXPONENT: u8 = 16;

/// What a key file from elsewhere may ask for: RFC 9106's first choice (2 GiB, one pass) and four times its work.
const MAX_ARGON2_MEMORY_EXPONENT: u8 = 21;
const MAX_ARGON2_KIB_PASSES: u64 = 4 << 21;

/// The highest count that the format can say.
const ITERATED_HASH_BYTES: u32 = 0x3e0_0000;

impl LockedTsk {
    /// Decrypts the secret keys and compares each with its public part (key overwriting attacks).
    /// `None` is for TSKs without a passphrase.
    ///
    /// Stubs (offline primary, card) and keys of algorithms that this build does not use are set aside until the TSK
    /// is locked again. DSA and ElGamal are among them: their group parameters stand in the public part, where a
    /// changed group leaks the secret although it still fits, and hardly anybody has made such keys for a decade.
    ///
    /// # Errors
    /// `WrongPassphrase` also for damage, so that the two cannot be told apart.
    pub fn unlock(self, passphrase: Option<&Passphrase>) -> Result<Tsk, UnlockError> {
        self.unlock_with(passphrase.map_or(&[], std::slice::from_ref))
    }

    /// As [`unlock`](Self::unlock) for TSKs whose keys are under different passphrases: each key tries each.
    pub fn unlock_with(self, passphrases: &[Passphrase]) -> Result<Tsk, UnlockError> {
        let sorted = self.sort(passphrases)?;
        if !sorted.unlocked.iter().cloned().all(genuine::secret_fits_public) {
            return Err(UnlockError::KeyMismatch);
        }
        sorted.into_tsk()
    }

    /// As [`unlock`](Self::unlock) without a passphrase and without the check against key overwriting, for what went
    /// through it before and could not be changed since.
    pub(crate) fn unlock_checked_before(self) -> Result<Tsk, UnlockError> {
        self.sort(&[])?.into_tsk()
    }

    fn sort(self, passphrases: &[Passphrase]) -> Result<Sorted, UnlockError> {
        let mut sorted = Sorted::default();
        for packet in self.cert.into_tsk().into_packets() {
            let packet = match packet {
                Packet::SecretKey(key) => sorted.unlock(key, passphrases)?,
                Packet::SecretSubkey(key) => sorted.unlock(key, passphrases)?,
                other => other,
            };
            sorted.packets.push(packet);
        }
        if sorted.unlocked.is_empty() { Err(UnlockError::NoUsableSecret) } else { Ok(sorted) }
    }
}

/// A secret key that [`LockedTsk::unlock`] leaves alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Of the key or subkey.
    pub fingerprint: Fingerprint,
    /// `DSA 2048`, …
    pub algorithm: String,
    /// Why, for people.
    pub reason: &'static str,
}

impl LockedTsk {
    /// Secret keys that are kept and never used, whatever passphrase is given, because of their algorithm.
    pub fn never_used(&self) -> Vec<SetAside> {
        let secret = self.cert.keys().filter(|key| key.key().has_secret());
        let unusable = secret.filter(|key| !genuine::can_be_checked(key.key()));
        unusable
            .map(|key| SetAside {
                fingerprint: key.key().fingerprint(),
                algorithm: describe::algorithm(&key),
                reason: match key.key().mpis() {
                    mpi::PublicKey::DSA { .. } | mpi::PublicKey::ElGamal { .. } => {
                        "such keys cannot be checked for tampering, and are long out of use"
                    }
                    _ => "this build does not know the algorithm",
                },
            })
            .collect()
    }
}

impl Tsk {
    /// Puts every secret key under `passphrase`; `None` leaves them open. Changing a passphrase is
    /// [`LockedTsk::unlock`] with the old one and `lock` with the new one.
    pub fn lock(self, passphrase: Option<&Passphrase>) -> Result<LockedTsk, CertError> {
        let password = passphrase.map(|passphrase| Password::from(passphrase.expose()));
        let mut packets = Vec::new();
        for packet in self.cert.into_tsk().into_packets() {
            packets.push(match (packet, &password) {
                (Packet::SecretKey(key), Some(password)) => lock_key(key, password)?.into(),
                (Packet::SecretSubkey(key), Some(password)) => lock_key(key, password)?.into(),
                (other, _) => other,
            });
        }
        let cert =
            Cert::from_packets(packets.into_iter()).and_then(|cert| cert.insert_packets(self.set_aside));
        Ok(LockedTsk { cert: cert.map_err(|_| CertError::Backend)?.0 })
    }
}

/// Needs a passphrase, as opposed to a secret key in the open and to a stub that no passphrase brings back.
pub(super) fn is_locked(secret: &SecretKeyMaterial) -> bool {
    matches!(secret, SecretKeyMaterial::Encrypted(encrypted) if encrypted.s2k().is_supported())
}

/// The packets of a TSK on their way through unlocking.
#[derive(Default)]
struct Sorted {
    packets: Vec<Packet>,
    unlocked: Vec<Key<SecretParts, UnspecifiedRole>>,
    set_aside: Vec<Packet>,
}

impl Sorted {
    fn into_tsk(self) -> Result<Tsk, UnlockError> {
        let cert = Cert::from_packets(self.packets.into_iter()).map_err(|_| UnlockError::KeyMismatch)?;
        Ok(Tsk { cert, set_aside: self.set_aside })
    }

    /// The packet to go on with: a key with its open secret, or without one that is of no use here.
    fn unlock<R>(
        &mut self,
        key: Key<SecretParts, R>,
        passphrases: &[Passphrase],
    ) -> Result<Packet, UnlockError>
    where
        R: KeyRole,
        Packet: From<Key<SecretParts, R>> + From<Key<PublicParts, R>>,
    {
        let (public, secret) = key.clone().take_secret();
        let secret = match secret {
            SecretKeyMaterial::Encrypted(encrypted)
                if genuine::can_be_checked(&public) && encrypted.s2k().is_supported() =>
            {
                unlock_secret(&public, &encrypted, passphrases)?.into()
            }
            open @ SecretKeyMaterial::Unencrypted(_) if genuine::can_be_checked(&public) => open,
            _ => {
                self.set_aside.push(key.into());
                return Ok(public.into());
            }
        };
        let key = public.add_secret(secret).0;
        self.unlocked.push(key.clone().role_into_unspecified());
        Ok(key.into())
    }
}

fn unlock_secret<R: KeyRole>(
    public: &Key<PublicParts, R>,
    encrypted: &Encrypted,
    passphrases: &[Passphrase],
) -> Result<Unencrypted, UnlockError> {
    if passphrases.is_empty() {
        return Err(UnlockError::PassphraseNeeded);
    }
    if too_costly(encrypted.s2k()) {
        return Err(UnlockError::TooCostly);
    }
    let mut attempts = passphrases.iter().map(|passphrase| Password::from(passphrase.expose()));
    attempts
        .find_map(|password| encrypted.decrypt(public, &password).ok())
        .ok_or(UnlockError::WrongPassphrase)
}

fn too_costly(s2k: &S2K) -> bool {
    match s2k {
        S2K::Argon2 { t, m, .. } => {
            *m > MAX_ARGON2_MEMORY_EXPONENT || u64::from(*t) << *m > MAX_ARGON2_KIB_PASSES
        }
        // At most 62 MiB to hash, by its format.
        _ => false,
    }
}

fn lock_key<R: KeyRole>(
    key: Key<SecretParts, R>,
    password: &Password,
) -> Result<Key<SecretParts, R>, CertError> {
    let (public, mut secret) = key.take_secret();
    let (s2k, aead) = match public.version() {
        6 => (argon2()?, Some(AEADAlgorithm::OCB)),
        _ => (
            S2K::new_iterated(HashAlgorithm::SHA256, ITERATED_HASH_BYTES).map_err(|_| CertError::Backend)?,
            None,
        ),
    };
    secret
        .encrypt_in_place_with(&public, s2k, SymmetricAlgorithm::AES256, aead, password)
        .map_err(|_| CertError::Backend)?;
    Ok(public.add_secret(secret).0)
}

fn argon2() -> Result<S2K, CertError> {
    let mut salt = [0; 16];
    random(&mut salt).map_err(|_| CertError::Backend)?;
    Ok(S2K::Argon2 { salt, t: ARGON2_PASSES, p: ARGON2_LANES, m: ARGON2_MEMORY_EXPONENT })
}
