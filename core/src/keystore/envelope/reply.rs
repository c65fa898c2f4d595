// SPDX-License-Identifier: LGPL-2.0-or-later
//! The way back: one reply under a key that only this request yields.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, Tag, aead::AeadInOut as _};
use hkdf::Hkdf;
use hpke::HpkeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    super::{ApiProblem, Bytes, fields, padding},
    EnvelopeError, MAX_REPLY_BYTES, RandomSource,
};

const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 32;

/// What a keystore says, before it is sealed. HTTP's own status is 200 whenever a reply is sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The real status, by HTTP's numbers.
    pub status: u16,
    /// The call's answer, or an [`ApiProblem`] when the status is 400 or more.
    pub body: Value,
    /// The log's newest checkpoint (a C2SP signed note). Clients keep the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// Seals or opens exactly one reply.
pub struct ReplyKey {
    secret: Zeroizing<[u8; 32]>,
    request_hash: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyEnvelope {
    v: u8,
    nonce: Bytes,
    ct: Bytes,
}

impl Reply {
    /// A refusal.
    pub fn problem(problem: &ApiProblem, checkpoint: Option<String>) -> Self {
        let body = serde_json::to_value(problem).expect("three strings have a JSON form");
        Self { status: problem.code.status(), body, checkpoint }
    }
}

impl ReplyKey {
    pub(super) fn new(
        request: &[u8],
        export: impl FnOnce(&[u8], &mut [u8]) -> Result<(), HpkeError>,
    ) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        export(&fields(&[b"plombe keystore reply v1"]), secret.as_mut_slice())
            .expect("32 bytes are not too many");
        Self { secret, request_hash: Sha256::digest(request).into() }
    }

    /// Seals the reply; returns the HTTP body.
    pub fn seal(self, reply: &Reply, random: &mut RandomSource<'_>) -> Result<Vec<u8>, EnvelopeError> {
        let json = Zeroizing::new(serde_json::to_vec(reply).map_err(|_| EnvelopeError::Malformed)?);
        let mut buffer = padding::pad(&json).ok_or(EnvelopeError::TooLarge)?;
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce);
        let tag = self
            .cipher(&nonce)
            .encrypt_inout_detached(&Nonce::default(), &self.request_hash, buffer.as_mut_slice().into())
            .map_err(|_| EnvelopeError::TooLarge)?;
        let mut ct = buffer.to_vec();
        ct.extend_from_slice(&tag);
        let envelope = ReplyEnvelope { v: 1, nonce: nonce.as_slice().into(), ct: ct.into() };
        let body = serde_json::to_vec(&envelope).expect("two byte strings and a number have a JSON form");
        if body.len() > MAX_REPLY_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        Ok(body)
    }

    /// Opens the HTTP body of the reply.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Unopened`] when it does not answer this request, or was changed.
    pub fn open(self, body: &[u8]) -> Result<Reply, EnvelopeError> {
        if body.len() > MAX_REPLY_BYTES {
            return Err(EnvelopeError::TooLarge);
        }
        let envelope: ReplyEnvelope = serde_json::from_slice(body).map_err(|_| EnvelopeError::Malformed)?;
        let nonce: [u8; NONCE_BYTES] = envelope.nonce.0.try_into().map_err(|_| EnvelopeError::Malformed)?;
        if envelope.v != 1 {
            return Err(EnvelopeError::Malformed);
        }
        let mut ct = envelope.ct.0;
        let length = ct.len().checked_sub(TAG_BYTES).ok_or(EnvelopeError::Malformed)?;
        let tag: [u8; TAG_BYTES] = ct[length..].try_into().expect("the rest is as long as a tag");
        ct.truncate(length);
        let mut buffer = Zeroizing::new(ct);
        self.cipher(&nonce)
            .decrypt_inout_detached(
                &Nonce::default(),
                &self.request_hash,
                buffer.as_mut_slice().into(),
                &Tag::from(tag),
            )
            .map_err(|_| EnvelopeError::Unopened)?;
        let json = padding::unpad(&buffer).ok_or(EnvelopeError::Unopened)?;
        serde_json::from_slice(&json).map_err(|_| EnvelopeError::Malformed)
    }

    /// Each nonce makes a key of its own, which encrypts once.
    fn cipher(&self, nonce: &[u8; NONCE_BYTES]) -> Aes256Gcm {
        let mut key = Zeroizing::new([0; 32]);
        let info = fields(&[b"plombe keystore reply key v1", &self.request_hash]);
        Hkdf::<Sha256>::new(Some(nonce), self.secret.as_slice())
            .expand(&info, key.as_mut_slice())
            .expect("32 bytes are not too many");
        Aes256Gcm::new(&(*key).into())
    }
}

impl fmt::Debug for ReplyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyKey(..)")
    }
}
