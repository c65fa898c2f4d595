// SPDX-License-Identifier: LGPL-2.0-or-later
//! What one request costs in cryptography alone: proof, envelope, and the use of the key.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use plombe_core::{
    cert::{Profile, Tsk},
    crypto_policy::CryptoPolicy,
    custody,
    keystore::{
        DevicePublicKey, HpkePublicKey, KeystoreIdentity, SessionHash,
        dpop::{Expectation, ProofRequest, UnverifiedProof},
        envelope::{Reply, RequestBinding, derive_hpke_public, open_request, seal_request},
    },
    message::{Seal, SealedMessage},
};
use plombe_keystore::identity::verify_es256;
use sha2::{Digest as _, Sha256};

use crate::{load::Kind, processor};

const ROUNDS: u32 = if cfg!(debug_assertions) { 5 } else { 1_000 };
const PATH: &str = "/v1/keys/unwrap";
const URL: &str = "https://keys.example.org/v1/keys/unwrap";
const SESSION: SessionHash = SessionHash([7; 32]);

/// Time of one core.
pub(crate) struct Bare {
    pub(crate) proof: Duration,
    pub(crate) envelope: Duration,
    pub(crate) unwrap: Duration,
    pub(crate) sign: Duration,
}

impl Bare {
    /// All of it that an operation needs.
    pub(crate) fn of(&self, kind: Kind) -> Duration {
        let act = match kind {
            Kind::Unwrap => self.unwrap,
            Kind::Sign => self.sign,
        };
        self.proof + self.envelope + act
    }
}

pub(crate) fn measure() -> Result<Bare> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
    let device = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())?;
    let public = DevicePublicKey::from_sec1(device.public_key().as_ref()).context("a point of P-256")?;
    let secret = [9; 32];
    let identity = KeystoreIdentity {
        origin: "https://keys.example.org".parse()?,
        hpke_public: HpkePublicKey(derive_hpke_public(&secret)?),
        log_verifier: "keys.example.org+00000000+AA".into(),
    };
    let binding =
        RequestBinding { method: "POST", path: PATH, device: public.thumbprint(), session: Some(SESSION) };
    let mut random = |bytes: &mut [u8]| aws_lc_rs::rand::fill(bytes).expect("the system is random");
    let (body, _) = seal_request(&identity, &binding, &[b'x'; 600], &mut random)?;

    let now = SystemTime::now();
    let request = ProofRequest {
        method: "POST",
        url: URL,
        body: &body,
        session: Some(SESSION),
        nonce: Some("nonce"),
        now,
        id: [1; 16],
    };
    let input = request.signing_input(&public);
    let signature = device.sign(&SystemRandom::new(), input.as_bytes())?;
    let proof = ProofRequest::assemble(&input, signature.as_ref().try_into()?);
    let checked = || {
        let body_hash = Sha256::digest(&body).into();
        let nonces = ["nonce"];
        let leeway = Duration::from_secs(60);
        let expected = Expectation {
            method: "POST",
            url: URL,
            body_hash,
            session: Some(SESSION),
            nonces: &nonces,
            now,
            leeway,
        };
        let proof = UnverifiedProof::parse(&proof).and_then(|proof| proof.verify(verify_es256));
        proof.and_then(|proof| proof.check(&expected)).expect("it is sound");
    };

    let reply = Reply {
        status: 200,
        body: serde_json::json!({"cipher": 9, "session_key": "A".repeat(43), "position": 1_000_000}),
        checkpoint: Some("x".repeat(250)),
    };
    let fingerprint = identity.fingerprint();
    let opened = || {
        let (_, key) = open_request(&secret, &fingerprint, &binding, &body).expect("it is sound");
        let _ = key.seal(&reply, &mut random).expect("it fits");
    };

    let policy = CryptoPolicy::standard();
    let tsk = Tsk::generate(Profile::Rfc4880, &["alice@example.org".into()], None, now)?.tsk;
    let mut sealed = Vec::new();
    Seal::new(vec![&tsk.certificate()], &policy, now).seal(&mut &b"hello"[..], &mut sealed)?;
    let pkesk = SealedMessage::parse(&sealed[..])?.wrapped_session_keys()[0].to_bytes();
    let unwrapping = custody::subkeys_for(&tsk, &pkesk)?.remove(0);
    let signing = custody::keys(&tsk, &policy, now)
        .into_iter()
        .find(|key| key.capability == custody::Capability::Sign)
        .context("it signs")?;
    let unwrapped = || {
        custody::unwrap_session_key(&tsk, &unwrapping, &pkesk, None).expect("it is sound");
    };
    let signed = || {
        custody::sign_digest(&tsk, &signing.fingerprint, 10, &[1; 64], &policy, now).expect("it may");
    };
    Ok(Bare {
        proof: processor::each(ROUNDS, checked),
        envelope: processor::each(ROUNDS, opened),
        unwrap: processor::each(ROUNDS, unwrapped),
        sign: processor::each(ROUNDS, signed),
    })
}
