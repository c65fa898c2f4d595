// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mints tokens, honest and other, straight on the primitives: what is under test has no part in it.

use std::time::SystemTime;

use aws_lc_rs::{
    digest, rand,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaPublicKeyComponents,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::seconds;

pub(crate) const ACCESS_TOKEN: &str = "an access token that nobody uses";

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Half of the hash of `access_token`, for `at_hash`.
pub(crate) fn half_hash(algorithm: &'static digest::Algorithm, access_token: &str) -> String {
    let whole = digest::digest(algorithm, access_token.as_bytes());
    encode(&whole.as_ref()[..whole.as_ref().len() / 2])
}

/// One key of each kind that a provider may have.
pub(crate) struct Keys {
    prefix: &'static str,
    rsa: RsaKeyPair,
    p256: Vec<u8>,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    /// Generates keys whose ids begin with `prefix`.
    pub(crate) fn generate(prefix: &'static str) -> Self {
        let random = rand::SystemRandom::new();
        Self {
            prefix,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            p256: EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .unwrap()
                .as_ref()
                .to_vec(),
            ed25519: Ed25519KeyPair::generate().unwrap(),
        }
    }

    pub(crate) fn id(&self, kind: &str) -> String {
        format!("{}-{kind}", self.prefix)
    }

    /// The public halves.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.rsa_jwk(), self.p256_jwk(), self.ed25519_jwk()] })
    }

    pub(crate) fn rsa_jwk(&self) -> Value {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public_key());
        json!({ "kty": "RSA", "kid": self.id("rsa"), "use": "sig", "n": encode(public.n), "e": encode(public.e) })
    }

    pub(crate) fn rsa_public_der(&self) -> Vec<u8> {
        self.rsa.public_key().as_ref().to_vec()
    }

    fn p256_jwk(&self) -> Value {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.p256).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "kid": self.id("p256"), "alg": "ES256", "x": encode(x), "y": encode(y) })
    }

    fn ed25519_jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.id("ed25519"), "x": encode(self.ed25519.public_key()) })
    }

    fn sign(&self, how: Signing, message: &[u8]) -> Vec<u8> {
        let random = rand::SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &random, message, &mut signature).unwrap();
            signature
        };
        let p256 = |algorithm| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, &self.p256).unwrap();
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        };
        match how {
            Signing::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Signing::Rs512 => rsa(&RSA_PKCS1_SHA512),
            Signing::Ps256 => rsa(&RSA_PSS_SHA256),
            Signing::Es256 => p256(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Signing::Es256AsDer => p256(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Signing::EdDsa => self.ed25519.sign(message).as_ref().to_vec(),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Signing {
    Rs256,
    Rs512,
    Ps256,
    Es256,
    Es256AsDer,
    EdDsa,
}

/// A token that is being made. Begins as what an honest provider sends.
pub(crate) struct Token<'a> {
    pub(crate) keys: &'a Keys,
    /// Keys of an issuer that serves another tenant, and its identifier.
    pub(crate) other: (&'a Keys, &'a str),
    /// Seconds since 1970.
    pub(crate) now: u64,
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

impl<'a> Token<'a> {
    pub(crate) fn honest(
        keys: &'a Keys,
        issuer: &str,
        other: (&'a Keys, &'a str),
        nonce: &str,
        now: SystemTime,
    ) -> Self {
        let now = seconds(now);
        let Value::Object(header) = json!({ "alg": "RS256", "typ": "JWT", "kid": keys.id("rsa") }) else {
            unreachable!("written as an object")
        };
        let Value::Object(claims) = json!({
            "iss": issuer,
            "sub": "248289761001",
            "aud": "plombe",
            "exp": now + 300,
            "iat": now,
            "auth_time": now - 5,
            "nonce": nonce,
            "email": "alice@example.org",
            "email_verified": true,
            "at_hash": half_hash(&digest::SHA256, ACCESS_TOKEN),
        }) else {
            unreachable!("written as an object")
        };
        Self { keys, other, now, header, claims }
    }

    /// The logout token that an honest provider sends for a user and one of its sessions.
    pub(crate) fn log_out(
        keys: &'a Keys,
        issuer: &str,
        other: (&'a Keys, &'a str),
        (subject, session, name): (&str, &str, &str),
        now: SystemTime,
    ) -> Self {
        let mut token = Self::honest(keys, issuer, other, "", now).header("typ", "logout+jwt");
        for claim in ["nonce", "auth_time", "email", "email_verified", "at_hash"] {
            token = token.without(claim);
        }
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        token.claim("sub", subject).claim("sid", session).claim("jti", name).claim("events", event)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name).or_else(|| self.header.remove(name)).expect("it was there");
        self
    }

    /// Signed as an honest token is.
    pub(crate) fn sign(self) -> String {
        let keys = self.keys;
        self.sign_with(keys, Signing::Rs256)
    }

    pub(crate) fn sign_with(self, keys: &Keys, how: Signing) -> String {
        let (header, claims) = self.texts();
        sign_texts(&header, &claims, keys, how)
    }

    /// Header and claims as JSON.
    pub(crate) fn texts(&self) -> (String, String) {
        (Value::from(self.header.clone()).to_string(), Value::from(self.claims.clone()).to_string())
    }

    /// Header and claims as they are signed.
    pub(crate) fn unsigned(&self) -> String {
        let (header, claims) = self.texts();
        format!("{}.{}", encode(header), encode(claims))
    }
}

/// Signs any text as header and claims.
pub(crate) fn sign_texts(header: &str, claims: &str, keys: &Keys, how: Signing) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(keys.sign(how, signed.as_bytes()));
    format!("{signed}.{signature}")
}
