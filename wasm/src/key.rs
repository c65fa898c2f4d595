// SPDX-License-Identifier: LGPL-2.0-or-later
//! TSKs: locked, unlocked, generated. What is unlocked never leaves; what leaves is locked again.

use std::time::Duration;

use plombe_core::{
    cert::{self, DEFAULT_TTL, LockedTsk, Profile, Tsk},
    secret::Passphrase,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    Certificate,
    error::{Thrown, misuse, thrown},
    options::time,
};

/// A secret key as it lies on disk.
#[wasm_bindgen]
pub struct LockedKey(LockedTsk);

/// A secret key that can be used. Wiped when it is freed.
#[wasm_bindgen]
pub struct Key(pub(crate) Tsk);

/// Several keys: a person's own, or whoever signs.
#[wasm_bindgen]
#[derive(Default)]
pub struct Keys(pub(crate) Vec<Tsk>);

/// A new key, and what revokes it when it is lost.
#[wasm_bindgen]
pub struct GeneratedKey {
    key: Tsk,
    revocation: String,
}

#[wasm_bindgen]
impl LockedKey {
    /// Every secret key in `bytes`, armored or binary.
    #[wasm_bindgen(js_name = parseAll)]
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<LockedKey>, Thrown> {
        let all = LockedTsk::parse_all(bytes).map_err(thrown)?;
        Ok(all.into_iter().map(Self).collect())
    }

    /// Identity, upper-case hex.
    #[wasm_bindgen(getter)]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint().to_hex()
    }

    /// Does it take a passphrase?
    #[wasm_bindgen(getter, js_name = isLocked)]
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate(self.0.certificate())
    }

    /// Checks secret against public part, too.
    pub fn unlock(&self, passphrase: Option<String>) -> Result<Key, Thrown> {
        let passphrase = passphrase.map(Passphrase::new);
        self.0.clone().unlock(passphrase.as_ref()).map(Key).map_err(thrown)
    }

    /// ASCII armor, for keeping. Contains the secret, under its passphrase if it has one.
    #[wasm_bindgen(js_name = toArmored)]
    pub fn to_armored(&self) -> String {
        self.0.to_armored()
    }
}

#[wasm_bindgen]
impl Key {
    /// Identity, upper-case hex.
    #[wasm_bindgen(getter)]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint().to_hex()
    }

    /// The public part.
    pub fn certificate(&self) -> Certificate {
        Certificate(self.0.certificate())
    }

    /// Under a passphrase, for keeping. There is no way out without one.
    pub fn lock(&self, passphrase: String) -> Result<LockedKey, Thrown> {
        if passphrase.is_empty() {
            return Err(misuse("the passphrase is empty"));
        }
        self.0.clone().lock(Some(&Passphrase::new(passphrase))).map(LockedKey).map_err(thrown)
    }
}

#[wasm_bindgen]
impl Keys {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn add(&mut self, key: &Key) {
        self.0.push(key.0.clone());
    }

    /// How many.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }
}

#[wasm_bindgen]
impl GeneratedKey {
    /// Lock it before it is kept anywhere.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> Key {
        Key(self.key.clone())
    }

    /// Armored revocation certificate. Whoever has it can end the certificate, and do nothing else.
    #[wasm_bindgen(getter)]
    pub fn revocation(&self) -> String {
        self.revocation.clone()
    }
}

/// Generates a key for one address. `profile`: `rfc4880` (everybody reads it), `rfc9580` or `pqc`. It expires after
/// `ttlSeconds`, or three years.
#[wasm_bindgen(js_name = generateKey)]
pub fn generate_key(
    profile: &str,
    name: Option<String>,
    address: &str,
    #[wasm_bindgen(js_name = ttlSeconds)] ttl_seconds: Option<f64>,
    now: f64,
) -> Result<GeneratedKey, Thrown> {
    let profile: Profile = profile.parse().map_err(|_| misuse("no such profile"))?;
    let user_id = cert::user_id(name.as_deref(), address).map_err(thrown)?;
    let ttl = match ttl_seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| misuse("no such time"))?,
        None => DEFAULT_TTL,
    };
    let generated = Tsk::generate(profile, &[user_id], Some(ttl), time(now)).map_err(thrown)?;
    Ok(GeneratedKey { key: generated.tsk, revocation: generated.revocation })
}
