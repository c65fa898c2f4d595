// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a proof says, and the text that is signed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    super::{SessionHash, bytes::to_base64url},
    DevicePublicKey,
};

pub(super) const TYP: &str = "dpop+jwt";
pub(super) const ALG: &str = "ES256";

/// What a proof is to say.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// The request's URL.
    pub url: &'a str,
    /// The HTTP body, as it is sent.
    pub body: &'a [u8],
    /// The session that the request uses, if any.
    pub session: Option<SessionHash>,
    /// The server's last `DPoP-Nonce`, if any.
    pub nonce: Option<&'a str>,
    /// Of the client's clock.
    pub now: SystemTime,
    /// Random: no two proofs are the same.
    pub id: [u8; 16],
}

/// The claims of a proof. RFC 9449's, and `bh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofClaims {
    /// The proof's own name; a second use is refused.
    pub jti: String,
    /// HTTP method.
    pub htm: String,
    /// The URL, without query and fragment.
    pub htu: String,
    /// When it was made.
    pub iat: u64,
    /// Hash of the session token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// The server's nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// SHA-256 of the HTTP body, base64url.
    pub bh: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) typ: String,
    pub(super) alg: String,
    pub(super) jwk: DevicePublicKey,
}

impl ProofRequest<'_> {
    /// The text that the device key signs with ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4).
    pub fn signing_input(&self, key: &DevicePublicKey) -> String {
        let header = Header { typ: TYP.into(), alg: ALG.into(), jwk: *key };
        let claims = ProofClaims {
            jti: to_base64url(&self.id),
            htm: self.method.into(),
            htu: without_query(self.url).into(),
            iat: seconds(self.now),
            ath: self.session.map(|session| to_base64url(&session.0)),
            nonce: self.nonce.map(Into::into),
            bh: to_base64url(&Sha256::digest(self.body)),
        };
        let header = serde_json::to_vec(&header).expect("strings have a JSON form");
        let claims = serde_json::to_vec(&claims).expect("strings and numbers have a JSON form");
        format!("{}.{}", to_base64url(&header), to_base64url(&claims))
    }

    /// The value of the `DPoP` header: what was signed, and its signature (`r ‖ s`, 64 bytes).
    pub fn assemble(signing_input: &str, signature: &[u8; 64]) -> String {
        format!("{signing_input}.{}", to_base64url(signature))
    }
}

pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
