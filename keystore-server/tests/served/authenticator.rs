// SPDX-License-Identifier: LGPL-2.0-or-later
//! An authenticator in software, and a browser that reports to it: both as honest as a test wants them.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use plombe_core::keystore::{
    Bytes,
    calls::passkeys::{Assertion, Ceremony, Registration},
};
use serde_json::json;
use sha2::{Digest, Sha256};

/// User present, user verified.
const PRESENT_AND_VERIFIED: u8 = 0x05;
const WITH_CREDENTIAL: u8 = 0x40;

/// One passkey.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    counter: u32,
}

/// What is about to be said; begins as the truth.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) client_data: serde_json::Value,
    /// Replaces `client_data`, for what is no JSON.
    pub(crate) client_text: Option<String>,
    pub(crate) relying_party: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) credential: Vec<u8>,
    /// Behind what an assertion has.
    pub(crate) trailer: Vec<u8>,
    pub(crate) algorithm: i32,
}

/// Of an origin.
fn host(origin: &str) -> &str {
    origin.split(['/', ':']).find(|part| !part.is_empty() && !part.starts_with("http")).unwrap()
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = Sha256::digest(key.public_key().as_ref()).to_vec();
        Self { key, id, counter: 0 }
    }

    pub(crate) fn id(&self) -> &[u8] {
        &self.id
    }

    /// What an honest browser and an honest authenticator say.
    pub(crate) fn honest(&mut self, kind: &str, ceremony: &Ceremony) -> Answer {
        self.counter += 1;
        let challenge = ceremony.challenge().to_base64url();
        Answer {
            client_data: json!({
                "type": kind, "challenge": challenge, "origin": ceremony.origin, "crossOrigin": false,
            }),
            client_text: None,
            relying_party: host(&ceremony.origin).to_owned(),
            flags: PRESENT_AND_VERIFIED,
            counter: self.counter,
            credential: self.id.clone(),
            trailer: Vec::new(),
            algorithm: -7,
        }
    }

    pub(crate) fn assert(&mut self, ceremony: &Ceremony) -> Assertion {
        let answer = self.honest("webauthn.get", ceremony);
        self.sign(&answer)
    }

    pub(crate) fn register(&mut self, ceremony: &Ceremony) -> Registration {
        let answer = self.honest("webauthn.create", ceremony);
        self.registration(&answer)
    }

    /// Signs whatever it is.
    pub(crate) fn sign(&self, answer: &Answer) -> Assertion {
        let data = [answer.authenticator_data(answer.flags), answer.trailer.clone()].concat();
        let client_data = answer.client_data();
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        Assertion {
            credential: Bytes(answer.credential.clone()),
            client_data: Bytes(client_data),
            authenticator_data: Bytes(data),
            signature: Bytes(signature),
        }
    }

    pub(crate) fn registration(&self, answer: &Answer) -> Registration {
        let length = u16::try_from(answer.credential.len()).unwrap().to_be_bytes();
        let data = answer.authenticator_data(answer.flags | WITH_CREDENTIAL);
        let data = [&data[..], &[0; 16], &length, &answer.credential, b"a key in COSE"].concat();
        let info: PublicKeyX509Der<'_> = self.key.public_key().as_der().unwrap();
        Registration {
            client_data: Bytes(answer.client_data()),
            authenticator_data: Bytes(data),
            public_key: Bytes(info.as_ref().to_vec()),
            algorithm: answer.algorithm,
        }
    }
}

impl Answer {
    fn client_data(&self) -> Vec<u8> {
        self.client_text.clone().unwrap_or_else(|| self.client_data.to_string()).into_bytes()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        [&Sha256::digest(&self.relying_party)[..], &[flags], &self.counter.to_be_bytes()].concat()
    }
}
