// SPDX-License-Identifier: LGPL-2.0-or-later
//! The key that makes this device this device: P-256, never leaves it.

use std::fmt;

use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use plombe_core::keystore::{DevicePublicKey, DeviceThumbprint, dpop::ProofRequest};
use zeroize::Zeroizing;

/// A device's key pair. Secret; whoever has it *and* a session is the device.
pub struct DeviceKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
    public: DevicePublicKey,
}

/// What is not a device key: not PKCS #8, or not of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a device key")]
pub struct BadDeviceKey;

impl DeviceKey {
    /// Makes a new one.
    ///
    /// # Panics
    ///
    /// When the system has no random bytes.
    pub fn generate() -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .expect("the system gives random bytes");
        Self::from_pkcs8(document.as_ref()).expect("what was just made is a P-256 key")
    }

    /// Reads what [`DeviceKey::to_pkcs8`] gave.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadDeviceKey> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| BadDeviceKey)?;
        let public = DevicePublicKey::from_sec1(pair.public_key().as_ref()).ok_or(BadDeviceKey)?;
        Ok(Self { pkcs8: Zeroizing::new(pkcs8.to_vec()), pair, public })
    }

    /// For the caller's own store, which keeps it from everybody else. Secret.
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// What the keystore knows this device by.
    pub fn thumbprint(&self) -> DeviceThumbprint {
        self.public.thumbprint()
    }

    /// The value of a `DPoP` header.
    pub(crate) fn prove(&self, request: &ProofRequest<'_>) -> String {
        let input = request.signing_input(&self.public);
        let signature =
            self.pair.sign(&SystemRandom::new(), input.as_bytes()).expect("the system gives random bytes");
        let signature = signature.as_ref().try_into().expect("a fixed P-256 signature has 64 bytes");
        ProofRequest::assemble(&input, signature)
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.thumbprint())
    }
}

/// Fills `bytes` from the system's random source.
pub(crate) fn random(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("the system gives random bytes");
}

/// So many random bytes.
pub(crate) fn random_array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use plombe_core::keystore::dpop::{Expectation, ProofError, ProofRequest, UnverifiedProof};
    use sha2::{Digest, Sha256};

    use super::{BadDeviceKey, DeviceKey};

    fn es256(point: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
    }

    fn request() -> ProofRequest<'static> {
        ProofRequest {
            method: "POST",
            url: "https://keys.example.org/v1/whoami",
            body: b"body",
            session: None,
            nonce: None,
            now: UNIX_EPOCH + Duration::from_secs(1_790_000_000),
            id: [1; 16],
        }
    }

    #[test]
    fn a_device_key_survives_its_store() {
        let key = DeviceKey::generate();
        assert_eq!(DeviceKey::from_pkcs8(key.to_pkcs8()).unwrap().thumbprint(), key.thumbprint());
        assert_ne!(DeviceKey::generate().thumbprint(), key.thumbprint());
        assert_eq!(DeviceKey::from_pkcs8(b"nonsense").unwrap_err(), BadDeviceKey);
    }

    #[test]
    fn a_proof_verifies_and_says_what_was_asked() {
        let key = DeviceKey::generate();
        let proof = UnverifiedProof::parse(&key.prove(&request())).unwrap().verify(es256).unwrap();
        assert_eq!(proof.thumbprint(), key.thumbprint());
        let expected = Expectation {
            method: "POST",
            url: request().url,
            body_hash: Sha256::digest(b"body").into(),
            session: None,
            nonces: &[],
            now: request().now,
            leeway: Duration::from_secs(1),
        };
        assert_eq!(proof.check(&expected), Ok(()));
    }

    #[test]
    fn a_proof_with_claims_of_another_is_refused() {
        let key = DeviceKey::generate();
        let (one, other) = (key.prove(&request()), key.prove(&ProofRequest { body: b"other", ..request() }));
        let part = |text: &str, index| text.split('.').nth(index).unwrap().to_owned();
        let mixed = [part(&one, 0), part(&other, 1), part(&one, 2)].join(".");
        assert_eq!(UnverifiedProof::parse(&mixed).unwrap().verify(es256).unwrap_err(), ProofError::Signature);
        let stranger =
            [part(&DeviceKey::generate().prove(&request()), 0), part(&one, 1), part(&one, 2)].join(".");
        assert_eq!(
            UnverifiedProof::parse(&stranger).unwrap().verify(es256).unwrap_err(),
            ProofError::Signature
        );
    }
}
