// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates (public) and TSKs (with secret keys): generate, import, lock, unlock, merge, rotate, revoke.
//!
//! A state is a type: [`LockedTsk`] → [`Tsk`]. A [`Certificate`] never holds secret key material.

mod index;

use std::time::{Duration, SystemTime};

use sequoia_openpgp as openpgp;

use crate::{Fingerprint, KeyHandle, crypto_policy::CryptoPolicy, secret::Passphrase};

/// A transferable public key, with everything that is said about it.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) cert: openpgp::Cert,
}

/// A TSK as it lies on disk: some or all of its secret keys may be under a passphrase.
#[derive(Clone)]
pub struct LockedTsk {
    pub(crate) cert: openpgp::Cert,
}

/// A TSK whose secret keys can be used, and whose public part was recomputed from them.
#[derive(Clone)]
pub struct Tsk {
    pub(crate) cert: openpgp::Cert,
}

/// What kind of certificate to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// v4, Ed25519 + Curve25519, SEIPDv1 announced: everybody reads it. The default.
    Rfc4880,
    /// v6, Ed25519 + X25519, SEIPDv2.
    Rfc9580,
    /// v6, ML-DSA-65+Ed25519 and ML-KEM-768+X25519 (RFC 9980), where the backend has them.
    Pqc,
}

/// What comes out of generating: the TSK and, kept apart, what revokes it when it is lost.
pub struct Generated {
    /// Ready for use; lock it before it is written anywhere.
    pub tsk: Tsk,
    /// Armored revocation certificate. Whoever has it can end the certificate, and do nothing else.
    pub revocation: String,
}

impl Certificate {
    /// Reads every certificate in `bytes`, armored or binary; secret parts are dropped.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, CertError> {
        todo!()
    }

    /// Identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// Addresses of the user IDs that are valid at `now`, lower-cased domain, in the certificate's order.
    pub fn addresses(&self, policy: &CryptoPolicy, now: SystemTime) -> Vec<String> {
        todo!()
    }

    /// Does any key of this certificate answer to `handle`?
    pub fn matches(&self, handle: &KeyHandle) -> bool {
        todo!()
    }

    /// ASCII armor, ending in a newline.
    pub fn to_armored(&self) -> String {
        todo!()
    }

    /// Binary transferable public key.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Both must have the same primary key; what `other` knows more is taken over.
    pub fn merge(self, other: Self) -> Result<Self, CertError> {
        todo!()
    }

    /// Primary key, one user ID, newest self-signatures, one encryption subkey: for Autocrypt and WKD.
    pub fn minimise(&self, address: &str, policy: &CryptoPolicy, now: SystemTime) -> Result<Self, CertError> {
        todo!()
    }
}

impl LockedTsk {
    /// Reads every TSK in `bytes`, armored or binary.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, CertError> {
        todo!()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate { cert: self.cert.clone().strip_secret_key_material() }
    }

    /// False when every secret key can be used without a passphrase.
    pub fn is_locked(&self) -> bool {
        todo!()
    }

    /// Decrypts the secret keys and compares each with its public part (key overwriting attacks).
    /// `None` is for TSKs without a passphrase.
    pub fn unlock(self, passphrase: Option<&Passphrase>) -> Result<Tsk, UnlockError> {
        todo!()
    }

    /// Armored, for `key export --secret` and for the disk.
    pub fn to_armored(&self) -> String {
        todo!()
    }
}

impl Tsk {
    /// Generates a TSK for `user_ids`. `ttl` is the time until it expires; `None` never does.
    pub fn generate(
        profile: Profile,
        user_ids: &[String],
        ttl: Option<Duration>,
        now: SystemTime,
    ) -> Result<Generated, CertError> {
        todo!()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate { cert: self.cert.clone().strip_secret_key_material() }
    }

    /// Puts every secret key under `passphrase`; `None` leaves them open.
    pub fn lock(self, passphrase: Option<&Passphrase>) -> Result<LockedTsk, CertError> {
        todo!()
    }
}

/// Why a certificate or TSK cannot be read, made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertError {
    /// Not OpenPGP, or not a certificate.
    #[error("this is not an OpenPGP certificate")]
    Malformed,
}

/// Why a TSK stays locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The passphrase does not fit.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// It needs one.
    #[error("this key is locked by a passphrase")]
    PassphraseNeeded,
    /// A secret key does not belong to the public key beside it: somebody changed the file.
    #[error("secret and public key do not belong together; the key file was tampered with")]
    KeyMismatch,
}

/// Why a certificate cannot be used for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its owner, or their revocation certificate, ended it.
    #[error("it was revoked")]
    Revoked,
    /// No subkey with that capability.
    #[error("it has no key for this")]
    NoKey,
    /// Algorithms or sizes that our crypto policy refuses.
    #[error("it relies on algorithms that are no longer safe")]
    Weak,
}
