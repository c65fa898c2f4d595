// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates, one and many.

use js_sys::Uint8Array;
use plombe_core::{cert, crypto_policy::CryptoPolicy, recipients::Address};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{
    error::{Thrown, thrown, typed},
    options::time,
};

/// A certificate: what others need to seal for somebody and to check their signatures.
#[wasm_bindgen]
pub struct Certificate(pub(crate) cert::Certificate);

/// What there is to know about a certificate at one moment.
#[derive(Serialize, Tsify)]
pub(crate) struct CertificateDescription {
    fingerprint: String,
    version: u8,
    /// Milliseconds.
    created: f64,
    /// Milliseconds; `null` is never.
    expires: Option<f64>,
    /// Why it is good for nothing, in words; `null` when it is good.
    trouble: Option<String>,
    /// Can be sealed for; or why not.
    cannot_encrypt: Option<String>,
    /// Can sign; or why not.
    cannot_sign: Option<String>,
    reads_seipdv2: bool,
    user_ids: Vec<UserIdDescription>,
    keys: Vec<KeyDescription>,
}

/// One user ID.
#[derive(Serialize, Tsify)]
pub(crate) struct UserIdDescription {
    /// As it stands there; anybody may have written it.
    text: String,
    address: Option<String>,
    trouble: Option<String>,
}

/// The primary key or a subkey.
#[derive(Serialize, Tsify)]
pub(crate) struct KeyDescription {
    fingerprint: String,
    algorithm: String,
    created: f64,
    expires: Option<f64>,
    certifies: bool,
    signs: bool,
    encrypts: bool,
    trouble: Option<String>,
}

#[wasm_bindgen]
impl Certificate {
    /// Reads the one certificate in `bytes`, armored or binary; secret parts are dropped.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Self, Thrown> {
        cert::Certificate::parse(bytes).map(Self).map_err(thrown)
    }

    /// Identity, upper-case hex.
    #[wasm_bindgen(getter)]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint().to_hex()
    }

    /// Addresses of the user IDs that are valid at `now`.
    pub fn addresses(&self, now: f64) -> Vec<String> {
        self.0.addresses(&CryptoPolicy::standard(), time(now))
    }

    /// Everything there is to tell about it at `now`.
    #[wasm_bindgen(unchecked_return_type = "CertificateDescription")]
    pub fn describe(&self, now: f64) -> Result<JsValue, Thrown> {
        typed(&describe(&self.0, now))
    }

    /// Binary.
    #[wasm_bindgen(js_name = toBytes)]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(&self.0.to_bytes()[..])
    }

    /// ASCII armor.
    #[wasm_bindgen(js_name = toArmored)]
    pub fn to_armored(&self) -> String {
        self.0.to_armored()
    }
}

fn describe(certificate: &cert::Certificate, now: f64) -> CertificateDescription {
    let policy = CryptoPolicy::standard();
    let description = certificate.describe(&policy, time(now));
    let trouble = |state: Result<(), cert::Unusable>| state.err().map(|why| why.to_string());
    CertificateDescription {
        fingerprint: description.fingerprint.to_hex(),
        version: description.version,
        created: millis(description.created),
        expires: description.expires.map(millis),
        trouble: trouble(description.state),
        cannot_encrypt: trouble(certificate.can_encrypt(&policy, time(now))),
        cannot_sign: trouble(certificate.can_sign(&policy, time(now))),
        reads_seipdv2: description.reads_seipdv2,
        user_ids: description
            .user_ids
            .into_iter()
            .map(|one| UserIdDescription {
                text: one.text,
                address: one.address.as_ref().map(Address::to_string),
                trouble: trouble(one.state),
            })
            .collect(),
        keys: description
            .keys
            .into_iter()
            .map(|key| KeyDescription {
                fingerprint: key.fingerprint.to_hex(),
                algorithm: key.algorithm,
                created: millis(key.created),
                expires: key.expires.map(millis),
                certifies: key.capabilities.certify,
                signs: key.capabilities.sign,
                encrypts: key.capabilities.encrypt,
                trouble: trouble(key.state),
            })
            .collect(),
    }
}

fn millis(time: std::time::SystemTime) -> f64 {
    time.duration_since(std::time::UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}

/// Several certificates: recipients, or whoever may have signed.
#[wasm_bindgen]
#[derive(Default)]
pub struct Certificates(pub(crate) Vec<cert::Certificate>);

#[wasm_bindgen]
impl Certificates {
    /// Every certificate in `bytes`, armored (one or several blocks) or binary; none if left out.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Option<Vec<u8>>) -> Result<Self, Thrown> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        cert::Certificate::parse_all(&bytes).map(Self).map_err(thrown)
    }

    /// One more.
    pub fn add(&mut self, certificate: &Certificate) {
        self.0.push(certificate.0.clone());
    }

    /// How many.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// One of them.
    pub fn at(&self, index: usize) -> Option<Certificate> {
        self.0.get(index).cloned().map(Certificate)
    }
}
