// SPDX-License-Identifier: LGPL-2.0-or-later
//! Options of calls: plain objects, of which everything but `now` may be left out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    message::{self, Limits, OpenContext},
};
use serde::{Deserialize, de::DeserializeOwned};
use tsify::Tsify;
use wasm_bindgen::JsValue;

use crate::error::{Thrown, misuse};

/// How to seal.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SealOptions {
    /// Milliseconds: signature time, and when certificates must be valid.
    pub(crate) now: f64,
    /// ASCII armor around it.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) armor: bool,
    /// The content is UTF-8 text.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) text: bool,
    /// Instead of the best that every recipient reads.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) container: Option<Container>,
    /// Hide the length (SEIPDv2 only).
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) pad: bool,
    /// Passwords, each of which opens the message by itself.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) passwords: Vec<String>,
}

/// What surrounds the ciphertext.
#[derive(Clone, Copy, Deserialize, serde::Serialize, Tsify)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Container {
    /// CFB with MDC: everybody reads it.
    Seipdv1,
    /// AEAD.
    Seipdv2,
}

/// How to open or verify.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenOptions {
    /// Milliseconds: the time that signatures and certificates are judged at.
    pub(crate) now: f64,
    /// Hash the content, so that the verdict says exactly what it covers.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) hash_content: bool,
    /// Passwords to try.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) passwords: Vec<String>,
    /// MIME path of one errant layer of a mail, which is opened instead of the mail.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) errant: Option<String>,
}

/// How to sign.
#[derive(Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignOptions {
    /// Milliseconds: signature time.
    pub(crate) now: f64,
    /// ASCII armor around it.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) armor: bool,
    /// Ignore how lines end.
    #[serde(default)]
    #[tsify(optional)]
    pub(crate) text: bool,
}

/// A plain object as options.
pub(crate) fn read<T: DeserializeOwned>(value: JsValue) -> Result<T, Thrown> {
    serde_wasm_bindgen::from_value(value).map_err(|error| misuse(&error.to_string()))
}

/// Milliseconds as JavaScript counts them.
pub(crate) fn time(now: f64) -> SystemTime {
    // Not a number becomes 1970, when nothing is valid.
    UNIX_EPOCH + Duration::from_millis(now as u64)
}

impl From<Container> for message::Container {
    fn from(container: Container) -> Self {
        match container {
            Container::Seipdv1 => Self::Seipdv1,
            Container::Seipdv2 => Self::Seipdv2,
        }
    }
}

impl From<message::Container> for Container {
    fn from(container: message::Container) -> Self {
        match container {
            message::Container::Seipdv1 => Self::Seipdv1,
            message::Container::Seipdv2 => Self::Seipdv2,
        }
    }
}

/// Everything that core's [`OpenContext`] borrows.
pub(crate) struct Reading {
    pub(crate) signers: Vec<Certificate>,
    pub(crate) readers: Vec<Fingerprint>,
    pub(crate) policy: CryptoPolicy,
    pub(crate) now: SystemTime,
    pub(crate) hash_content: bool,
}

impl Reading {
    pub(crate) fn new(keys: &[Tsk], signers: &[Certificate], options: &OpenOptions) -> Self {
        Self {
            signers: signers.to_vec(),
            readers: keys.iter().map(Tsk::fingerprint).collect(),
            policy: CryptoPolicy::standard(),
            now: time(options.now),
            hash_content: options.hash_content,
        }
    }

    pub(crate) fn context(&self) -> OpenContext<'_> {
        OpenContext {
            signers: &self.signers,
            readers: &self.readers,
            policy: &self.policy,
            now: self.now,
            limits: Limits::default(),
            hash_content: self.hash_content,
        }
    }
}
