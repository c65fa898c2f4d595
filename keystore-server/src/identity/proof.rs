// SPDX-License-Identifier: LGPL-2.0-or-later
//! The signature of a device proof.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// ECDSA on P-256 with SHA-256, as [`plombe_core::keystore::dpop::UnverifiedProof::verify`] wants it. Points that are
/// not on the curve are refused by the library.
pub fn verify_es256(point: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
}
