// SPDX-License-Identifier: LGPL-2.0-or-later
//! The secret side: a TSK as it lies on disk, and a TSK that can be used.

use openpgp::{Packet, crypto::KeyPair, serialize::SerializeInto};
use sequoia_openpgp as openpgp;

use super::{CertError, Certificate, parse};
use crate::Fingerprint;

/// A TSK as it lies on disk: some or all of its secret keys may be under a passphrase.
#[derive(Clone)]
pub struct LockedTsk {
    pub(crate) cert: openpgp::Cert,
}

/// A TSK whose secret keys can be used, and whose public part was recomputed from them.
#[derive(Clone)]
pub struct Tsk {
    pub(crate) cert: openpgp::Cert,
    /// Key packets whose secret part is of no use here (stubs, algorithms without code). They come back on locking,
    /// so that changing a TSK never loses a secret.
    pub(super) set_aside: Vec<Packet>,
}

impl LockedTsk {
    /// Reads every TSK in `bytes`, armored or binary; certificates without secret keys among them are skipped.
    ///
    /// # Errors
    /// `NoSecretKey` when there are certificates, but none with a secret key.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, CertError> {
        let tsks: Vec<Self> = parse::certs(bytes)?
            .into_iter()
            .filter(openpgp::Cert::is_tsk)
            .map(|cert| Self { cert })
            .collect();
        if tsks.is_empty() { Err(CertError::NoSecretKey) } else { Ok(tsks) }
    }

    /// Identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate::from_cert(self.cert.clone())
    }

    /// False when every secret key can be used without a passphrase. Stubs (offline primary, card) do not count.
    pub fn is_locked(&self) -> bool {
        self.cert.keys().secret().any(|key| super::lock::is_locked(key.key().secret()))
    }

    /// Armored, for `key export --secret` and for the disk. Contains secrets, locked or not.
    pub fn to_armored(&self) -> String {
        // Stubs tell gpg that the primary key's secret is elsewhere; without them it rejects the file.
        let armored = self.cert.as_tsk().emit_secret_key_stubs(true).armored().to_vec();
        String::from_utf8(armored.expect("a TSK in memory serialises into a Vec")).expect("armor is ASCII")
    }
}

impl Tsk {
    /// Identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.cert.fingerprint()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate::from_cert(self.cert.clone())
    }

    /// Signs everything that is said about the certificate itself.
    pub(super) fn primary_signer(&self) -> Result<KeyPair, CertError> {
        let primary = self.cert.primary_key().key().clone().parts_into_secret();
        primary
            .map_err(|_| CertError::PrimarySecretMissing)?
            .into_keypair()
            .map_err(|_| CertError::PrimarySecretMissing)
    }

    /// With more packets (new signatures, user IDs, subkeys).
    pub(super) fn with_packets(
        self,
        packets: impl IntoIterator<Item: Into<Packet>>,
    ) -> Result<Self, CertError> {
        let (cert, _) = self.cert.insert_packets(packets).map_err(|_| CertError::Backend)?;
        Ok(Self { cert, ..self })
    }
}
