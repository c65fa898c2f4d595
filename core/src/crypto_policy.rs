// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which algorithms and keys are good enough. (Who may use a key is access policy, and not decided here.)

use std::time::{Duration, SystemTime};

use sequoia_openpgp::{
    crypto::mpi::PublicKey,
    packet::{Key, key},
    policy::{AsymmetricAlgorithm, Policy, StandardPolicy},
    types::{Curve, HashAlgorithm, PublicKeyAlgorithm, SymmetricAlgorithm},
};

/// The state of cryptanalysis that the policy stands for, 2026-11-01: Sequoia's list of cut-off dates is read as of
/// this day, never as of the clock, so that the same bytes give the same verdict everywhere.
const POLICY_DATE: Duration = Duration::from_secs(1_793_491_200);

/// Smallest RSA modulus.
const LEAST_RSA_BITS: usize = 2048;

/// Sequoia's standard policy with our refusals on top: no SHA-1 or MD5 in data signatures, no RSA below 2048 bits,
/// no DSA, no 64-bit block ciphers, no container without integrity.
#[derive(Clone, Debug)]
pub struct CryptoPolicy {
    standard: StandardPolicy<'static>,
}

impl CryptoPolicy {
    /// The only policy that mail from strangers is judged by.
    #[expect(deprecated, reason = "the deprecated ones are the ones to refuse")]
    pub fn standard() -> Self {
        let mut standard = StandardPolicy::at(SystemTime::UNIX_EPOCH + POLICY_DATE);
        for weak in [
            AsymmetricAlgorithm::RSA1024,
            AsymmetricAlgorithm::DSA1024,
            AsymmetricAlgorithm::DSA2048,
            AsymmetricAlgorithm::DSA3072,
            AsymmetricAlgorithm::DSA4096,
            AsymmetricAlgorithm::ElGamal1024,
        ] {
            standard.reject_asymmetric_algo(weak);
        }
        for weak in [
            SymmetricAlgorithm::IDEA,
            SymmetricAlgorithm::TripleDES,
            SymmetricAlgorithm::CAST5,
            SymmetricAlgorithm::Blowfish,
        ] {
            standard.reject_symmetric_algo(weak);
        }
        Self { standard }
    }

    pub(crate) fn sequoia(&self) -> &StandardPolicy<'static> {
        &self.standard
    }

    /// May a message in this cipher be opened?
    pub(crate) fn check_cipher(&self, cipher: SymmetricAlgorithm) -> Result<(), CryptoPolicyError> {
        let refused = |_| CryptoPolicyError::Cipher(cipher.to_string());
        self.standard.symmetric_algorithm(cipher).map_err(refused)
    }

    /// Is a signature over a document with this hash worthless?
    pub(crate) fn refuses_hash(&self, hash: HashAlgorithm) -> bool {
        matches!(
            hash,
            HashAlgorithm::MD5 | HashAlgorithm::SHA1 | HashAlgorithm::RipeMD | HashAlgorithm::Unknown(_)
        )
    }

    /// Is this key good for nothing, whatever its certificate says?
    #[expect(deprecated, reason = "the deprecated ones are the ones to refuse")]
    pub(crate) fn refuses_key<P: key::KeyParts, R: key::KeyRole>(&self, key: &Key<P, R>) -> bool {
        // RFC 9580 section 9.2: version 6 has its own form of these curves; the legacy one would be a second encoding.
        let legacy_curve = match key.mpis() {
            PublicKey::EdDSA { .. } => true,
            PublicKey::ECDH { curve, .. } => *curve == Curve::Cv25519,
            _ => false,
        };
        if key.version() == 6 && legacy_curve {
            return true;
        }
        match key.pk_algo() {
            PublicKeyAlgorithm::RSAEncryptSign | PublicKeyAlgorithm::RSASign => {
                key.mpis().bits().is_none_or(|bits| bits < LEAST_RSA_BITS)
            }
            PublicKeyAlgorithm::DSA => true,
            _ => false,
        }
    }

    /// Did something fail because this policy refuses it, rather than because it is broken?
    pub(crate) fn explains(&self, error: &sequoia_openpgp::anyhow::Error) -> bool {
        error
            .chain()
            .any(|cause| matches!(cause.downcast_ref(), Some(sequoia_openpgp::Error::PolicyViolation(..))))
    }
}

/// What our crypto policy refuses in a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoPolicyError {
    /// A cipher that is broken or has 64-bit blocks.
    #[error("it is encrypted with {0}, which is no longer safe; ask the sender to update their software")]
    Cipher(String),
}
