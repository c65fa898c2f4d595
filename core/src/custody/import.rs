// SPDX-License-Identifier: LGPL-2.0-or-later
//! What may come into custody, and what is done to it first.

use std::time::SystemTime;

use openpgp::{
    crypto::mpi::PublicKey,
    packet::{
        Key,
        key::{PublicParts, UnspecifiedRole},
    },
    types::{Curve, PublicKeyAlgorithm},
};
use sequoia_openpgp as openpgp;

use super::{
    Capability, keys,
    keys::{Uses, is_rsa},
};
use crate::{
    Fingerprint,
    cert::{CertError, LockedTsk, Tsk, UnlockError},
    crypto_policy::CryptoPolicy,
};

/// A TSK that is fit for custody.
pub struct Imported {
    /// What to store; its certificate is what to publish.
    pub tsk: Tsk,
    /// The signing subkey that it was given, because the key that signed so far also certifies.
    pub added: Option<Fingerprint>,
}

/// Why a TSK does not come into custody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportRefused {
    /// A keystore asks nobody for a passphrase.
    #[error("it is locked by a passphrase; unlock it on the device first")]
    Locked,
    /// No secret that can be used, or one that does not belong to its public part.
    #[error(transparent)]
    Unlock(UnlockError),
    /// RSA below 2048 bits, or curves that its version does not have.
    #[error("key {key} is too weak")]
    Weak {
        /// Which.
        key: Fingerprint,
    },
    /// Not RSA, X25519, Ed25519, a NIST curve or a post-quantum algorithm of this build.
    #[error("key {key} is of a kind that is not taken into custody ({algorithm})")]
    Algorithm {
        /// Which.
        key: Fingerprint,
        /// Its algorithm.
        algorithm: String,
    },
    /// One RSA key for two purposes.
    #[error(
        "RSA key {key} both decrypts and signs, and each operation could be abused against the other; \
         generate a new key with a subkey for each"
    )]
    DualUse {
        /// Which.
        key: Fingerprint,
    },
    /// RSA with a library that is not constant in time.
    #[error("this build does not use RSA keys in custody: its library is not constant in time")]
    VariableTime,
    /// Neither unwraps nor signs.
    #[error("it has no subkey that decrypts or signs")]
    NothingToHold,
    /// The signing subkey that it needs could not be added.
    #[error("it needs a subkey that only signs, which cannot be added: {0}")]
    Certificate(#[from] CertError),
}

/// Checks `tsk` for custody, and adds a signing subkey when the certificate signs with a key that also certifies.
/// Stubs of keys that are elsewhere are left as they are.
pub fn prepare_import(
    tsk: LockedTsk,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Result<Imported, ImportRefused> {
    if tsk.is_locked() {
        return Err(ImportRefused::Locked);
    }
    let mut secrets = 0;
    for key in tsk.cert.keys().unencrypted_secret() {
        let key = key.key().parts_as_public();
        check(key, policy)?;
        if Uses::of(&tsk.cert, key).is_dual_rsa {
            return Err(ImportRefused::DualUse { key: key.fingerprint() });
        }
        secrets += 1;
    }
    if secrets == 0 {
        return Err(ImportRefused::Unlock(UnlockError::NoUsableSecret));
    }
    let tsk = tsk.unlock(None).map_err(ImportRefused::Unlock)?;
    let signs = tsk.certificate().can_sign(policy, now).is_ok();
    let held = keys(&tsk, policy, now);
    let may_sign = held.iter().any(|key| key.capability == Capability::Sign && key.state.is_ok());
    if signs && !may_sign {
        let (tsk, added) = tsk.add_signing_subkey(policy, now)?;
        return Ok(Imported { tsk, added: Some(added) });
    }
    if held.is_empty() { Err(ImportRefused::NothingToHold) } else { Ok(Imported { tsk, added: None }) }
}

fn check(key: &Key<PublicParts, UnspecifiedRole>, policy: &CryptoPolicy) -> Result<(), ImportRefused> {
    if !is_taken(key) {
        let algorithm = key.pk_algo().to_string();
        return Err(ImportRefused::Algorithm { key: key.fingerprint(), algorithm });
    }
    if policy.refuses_key(key) {
        return Err(ImportRefused::Weak { key: key.fingerprint() });
    }
    if is_rsa(key.pk_algo()) && !cfg!(feature = "crypto-openssl") {
        return Err(ImportRefused::VariableTime);
    }
    Ok(())
}

fn is_taken(key: &Key<PublicParts, UnspecifiedRole>) -> bool {
    use PublicKeyAlgorithm::{
        Ed25519, MLDSA65_Ed25519, MLDSA87_Ed448, MLKEM768_X25519, MLKEM1024_X448, X25519,
    };
    let known = match key.mpis() {
        PublicKey::RSA { .. } => true,
        PublicKey::EdDSA { curve, .. } => *curve == Curve::Ed25519,
        PublicKey::ECDSA { curve, .. } => is_nist(curve),
        PublicKey::ECDH { curve, .. } => is_nist(curve) || *curve == Curve::Cv25519,
        _ => matches!(
            key.pk_algo(),
            X25519 | Ed25519 | MLKEM768_X25519 | MLKEM1024_X448 | MLDSA65_Ed25519 | MLDSA87_Ed448
        ),
    };
    known && key.pk_algo().is_supported()
}

fn is_nist(curve: &Curve) -> bool {
    matches!(curve, Curve::NistP256 | Curve::NistP384 | Curve::NistP521)
}
