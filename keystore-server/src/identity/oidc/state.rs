// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a log-in needs at its end, sealed into the `state` that travels through browser and client.
//!
//! Wire format: base64url of id (16) ‖ ciphertext ‖ tag (16). AES-256-GCM; the key of each state is derived by HKDF-SHA-256
//! from the [`StateKey`] with the id as salt, so the nonce is always zero and never used twice with one key.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use plombe_core::keystore::fields;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::Reason;

/// From opening the browser to handing in the code.
const LIFETIME: Duration = Duration::from_secs(600);
const ID_BYTES: usize = 16;
const MAX_STATE_BYTES: usize = 4096;

/// Key under which states are sealed; the same on all servers of one keystore.
///
/// Who has it reads the PKCE verifiers of log-ins that are under way and makes states of their own. A name is not won
/// by that: it still takes a code and an ID token from the issuer.
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// Takes a key that was derived for this purpose and no other.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    fn of_state(&self, id: FlowId) -> LessSafeKey {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(&id.0), &*self.0)
            .expand(&fields(&[b"plombe oidc state key v1"]), &mut *key)
            .expect("32 bytes are not too many for HKDF-SHA-256");
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("32 bytes are a key of AES-256"))
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(..)")
    }
}

/// Names one log-in from start to end. Random, not secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowId([u8; ID_BYTES]);

impl FlowId {
    /// For the record of used states.
    pub fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

/// A log-in under way.
#[derive(Serialize, Deserialize)]
pub(super) struct LoginState {
    /// Name of the issuer that was asked.
    pub(super) issuer: String,
    pub(super) nonce: String,
    /// PKCE (RFC 7636).
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    /// Thumbprint of the device key (RFC 9449).
    pub(super) device_jkt: String,
    /// Seconds since 1970.
    started: u64,
}

impl Drop for LoginState {
    fn drop(&mut self) {
        self.verifier.zeroize();
    }
}

impl LoginState {
    /// Generates nonce and verifier.
    pub(super) fn generate(issuer: &str, redirect_uri: &str, device_jkt: &str, now: SystemTime) -> Self {
        Self {
            issuer: issuer.to_owned(),
            nonce: URL_SAFE_NO_PAD.encode(generate_bytes::<16>()),
            verifier: URL_SAFE_NO_PAD.encode(*Zeroizing::new(generate_bytes::<32>())),
            redirect_uri: redirect_uri.to_owned(),
            device_jkt: device_jkt.to_owned(),
            started: now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
        }
    }

    pub(super) fn started(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.started)
    }

    pub(super) fn expires(&self) -> SystemTime {
        self.started() + LIFETIME
    }

    pub(super) fn seal(&self, key: &StateKey) -> (FlowId, String) {
        let id = FlowId(generate_bytes());
        let mut sealed = serde_json::to_vec(self).expect("strings and a number are JSON");
        key.of_state(id)
            .seal_in_place_append_tag(zero_nonce(), Aad::empty(), &mut sealed)
            .expect("a state is shorter than the bounds of AES-GCM");
        (id, URL_SAFE_NO_PAD.encode([id.0.as_slice(), &sealed].concat()))
    }

    /// Opens a state for the device that began the log-in.
    pub(super) fn open(
        text: &str,
        device_jkt: &str,
        key: &StateKey,
        now: SystemTime,
    ) -> Result<(FlowId, Self), Reason> {
        if text.len() > MAX_STATE_BYTES {
            return Err(Reason::StateInvalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Reason::StateInvalid)?;
        let (id, sealed) = bytes.split_first_chunk::<ID_BYTES>().ok_or(Reason::StateInvalid)?;
        let id = FlowId(*id);
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let opened = key
            .of_state(id)
            .open_in_place(zero_nonce(), Aad::empty(), &mut sealed)
            .map_err(|_| Reason::StateInvalid)?;
        let state: Self = serde_json::from_slice(opened).map_err(|_| Reason::StateInvalid)?;
        // A state from the future is from before the clock was set back; it would live too long.
        if !now.duration_since(state.started()).is_ok_and(|age| age < LIFETIME) {
            return Err(Reason::StateExpired);
        }
        if state.device_jkt != device_jkt {
            return Err(Reason::StateOfOtherDevice);
        }
        Ok((id, state))
    }
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn generate_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}
