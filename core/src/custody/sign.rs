// SPDX-License-Identifier: LGPL-2.0-or-later
//! One signature over one digest.

use std::time::SystemTime;

use openpgp::{
    crypto::Signer as _,
    serialize::MarshalInto,
    types::{HashAlgorithm, PublicKeyAlgorithm},
};
use sequoia_openpgp as openpgp;

use super::{
    CustodyError,
    keys::{Capability, is_rsa, key_for},
};
use crate::{Fingerprint, cert::Tsk, crypto_policy::CryptoPolicy, message::DigestSignature};

/// Signs `digest` with `subkey`, which must be valid at `now` and must never have been meant for anything but signing.
///
/// A digest does not show what was hashed. With a key that certifies, it could be the binding of a stranger's subkey, or
/// the certificate's own revocation; with a subkey that only signs, such a signature is worth nothing to anybody.
/// `hash` is the octet of RFC 9580 section 9.5.
pub fn sign_digest(
    tsk: &Tsk,
    subkey: &Fingerprint,
    hash: u8,
    digest: &[u8],
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Result<DigestSignature, CustodyError> {
    let mut key = key_for(tsk, subkey, Capability::Sign)?;
    tsk.certificate().signing_key_among(std::slice::from_ref(subkey), policy, now)?;
    let hash = HashAlgorithm::from(hash);
    if !is_strong(hash) {
        return Err(CustodyError::Hash);
    }
    if hash.digest_size().ok() != Some(digest.len()) {
        return Err(CustodyError::DigestLength);
    }
    if is_rsa(key.public().pk_algo()) && !cfg!(feature = "crypto-openssl") {
        return Err(CustodyError::VariableTime);
    }
    let signature = key.sign(hash, digest).map_err(|_| CustodyError::Refused)?;
    signature.to_vec().map(DigestSignature).map_err(|_| CustodyError::Refused)
}

/// Is this subkey on an elliptic curve, and so done in a tenth of a millisecond? RSA and hash-based signatures take many times that.
pub fn signs_with_curve(tsk: &Tsk, subkey: &Fingerprint) -> bool {
    use PublicKeyAlgorithm::{ECDSA, Ed448, Ed25519, EdDSA};
    key_for(tsk, subkey, Capability::Sign)
        .is_ok_and(|key| matches!(key.public().pk_algo(), ECDSA | EdDSA | Ed25519 | Ed448))
}

fn is_strong(hash: HashAlgorithm) -> bool {
    use HashAlgorithm::{SHA3_256, SHA3_512, SHA256, SHA384, SHA512};
    matches!(hash, SHA256 | SHA384 | SHA512 | SHA3_256 | SHA3_512)
}
