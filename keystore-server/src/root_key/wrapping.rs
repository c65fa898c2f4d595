// SPDX-License-Identifier: LGPL-2.0-or-later
//! A key under a key, in software.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use plombe_core::{keystore::fields, secret::ResidentKey};
use zeroize::Zeroizing;

use super::RootKeyError;
use crate::fresh;

const VERSION: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Wire format: version (1) = 1 ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16). AES-256-GCM, AAD = fields(…, purpose).
/// A root key wraps a few keys in its life, so random nonces do not meet.
pub(super) fn wrap(root: &ResidentKey, purpose: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let nonce = fresh::random::<NONCE_LEN>();
    let mut wrapped = Vec::with_capacity(1 + NONCE_LEN + key.len() + TAG_LEN);
    wrapped.push(VERSION);
    wrapped.extend_from_slice(nonce.as_slice());
    wrapped.extend_from_slice(key);
    let tag = cipher(root)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(aad(purpose)),
            &mut wrapped[1 + NONCE_LEN..],
        )
        .expect("32 bytes are not too many");
    wrapped.extend_from_slice(tag.as_ref());
    wrapped
}

pub(super) fn unwrap(
    root: &ResidentKey,
    purpose: &[u8],
    wrapped: &[u8],
) -> Result<ResidentKey, RootKeyError> {
    let [VERSION, rest @ ..] = wrapped else { return Err(RootKeyError::Unwrap) };
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(RootKeyError::Unwrap)?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let key = cipher(root)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad(purpose)), sealed.as_mut_slice())
        .map_err(|_| RootKeyError::Unwrap)?;
    let key: &[u8; 32] = (&*key).try_into().map_err(|_| RootKeyError::Unwrap)?;
    Ok(ResidentKey::from_slice(key))
}

fn aad(purpose: &[u8]) -> Vec<u8> {
    fields(&[b"plombe keystore root wrapping v1", purpose])
}

fn cipher(root: &ResidentKey) -> LessSafeKey {
    root.with(|key| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_unwraps_for_its_purpose_and_its_root_only() {
        let (root, other) = (ResidentKey::generate(), ResidentKey::generate());
        let wrapped = wrap(&root, b"one", &[7; 32]);
        assert!(unwrap(&root, b"one", &wrapped).unwrap().with(|key| *key == [7; 32]));
        assert!(unwrap(&root, b"two", &wrapped).is_err());
        assert!(unwrap(&other, b"one", &wrapped).is_err());
        for i in 0..wrapped.len() {
            let mut damaged = wrapped.clone();
            damaged[i] ^= 1;
            assert!(unwrap(&root, b"one", &damaged).is_err(), "byte {i}");
            assert!(unwrap(&root, b"one", &wrapped[..i]).is_err(), "{i} bytes");
        }
    }
}
