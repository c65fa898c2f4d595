// SPDX-License-Identifier: LGPL-2.0-or-later
//! Reading a proof: shape, then signature, then whether it fits the request.

use std::time::{Duration, SystemTime};

use super::{
    super::{Origin, SessionHash, bytes::from_base64url, bytes::to_base64url},
    DevicePublicKey, DeviceThumbprint, ProofClaims,
    claims::{ALG, Header, TYP, seconds, without_query},
};

/// Longer proofs are not read.
pub const MAX_PROOF_BYTES: usize = 4096;

/// A proof whose signature nobody has looked at.
#[derive(Debug)]
pub struct UnverifiedProof {
    signing_input: String,
    signature: [u8; 64],
    key: DevicePublicKey,
    claims: ProofClaims,
}

/// A proof whose signature is right. Whether it fits the request, [`Proof::check`] says.
#[derive(Debug)]
pub struct Proof {
    key: DevicePublicKey,
    claims: ProofClaims,
}

/// What the proof of this request must say.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// The URL under which the keystore is known, this request's path included.
    pub url: &'a str,
    /// SHA-256 of the HTTP body.
    pub body_hash: [u8; 32],
    /// The session of the `Authorization` header. `None`: there is none, and the proof must not name one.
    pub session: Option<SessionHash>,
    /// Nonces that are good at the moment; empty when none is asked for.
    pub nonces: &'a [&'a str],
    /// The keystore's clock.
    pub now: SystemTime,
    /// How far the proof's time may lie from `now`, in either direction.
    pub leeway: Duration,
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Longer than [`MAX_PROOF_BYTES`].
    #[error("the device proof is too large")]
    TooLarge,
    /// Not a JWT with exactly the members that it must have, each once.
    #[error("the device proof is malformed")]
    Malformed,
    /// Another `typ` or `alg`.
    #[error("the device proof is of a type or algorithm that is not accepted")]
    Algorithm,
    /// Not made by the key in it.
    #[error("the device proof's signature is wrong")]
    Signature,
    /// For another method.
    #[error("the device proof is for another method")]
    Method,
    /// For another URL.
    #[error("the device proof is for another address")]
    Url,
    /// For another body.
    #[error("the device proof is for another body")]
    Body,
    /// For another session, for none, or for one when there is none.
    #[error("the device proof is for another session")]
    Session,
    /// Made too long ago, or too far in the future.
    #[error("the device proof's time is wrong; check the clock")]
    Time,
    /// Without the keystore's nonce, or with an old one.
    #[error("the device proof lacks the keystore's nonce")]
    Nonce,
}

impl UnverifiedProof {
    /// Reads the value of a `DPoP` header.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(ProofError::TooLarge);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(ProofError::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(ProofError::Malformed)?;
        let decode = |part| from_base64url(part).ok_or(ProofError::Malformed);
        let header = decode(header)?;
        // Told apart from a malformed one, because `none` or `HS256` is an attack and belongs in the log as such.
        if let Ok(header) = serde_json::from_slice::<Kind>(&header)
            && (header.typ != TYP || header.alg != ALG)
        {
            return Err(ProofError::Algorithm);
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| ProofError::Malformed)?;
        let claims: ProofClaims =
            serde_json::from_slice(&decode(claims)?).map_err(|_| ProofError::Malformed)?;
        if !(16..=64).contains(&claims.jti.len()) {
            return Err(ProofError::Malformed);
        }
        let signature = decode(signature)?.try_into().map_err(|_| ProofError::Malformed)?;
        Ok(Self { signing_input: signing_input.to_owned(), signature, key: header.jwk, claims })
    }

    /// Verifies the signature with `es256(point, message, signature)`: ECDSA on P-256 with SHA-256, the point uncompressed,
    /// the signature `r ‖ s`. It must refuse points that are not on the curve.
    pub fn verify(
        self,
        es256: impl FnOnce(&[u8; 65], &[u8], &[u8; 64]) -> bool,
    ) -> Result<Proof, ProofError> {
        if !es256(&self.key.to_sec1(), self.signing_input.as_bytes(), &self.signature) {
            return Err(ProofError::Signature);
        }
        Ok(Proof { key: self.key, claims: self.claims })
    }
}

impl Proof {
    /// Does this proof belong to this request? Replays are for the caller to find: see [`Proof::id`].
    pub fn check(&self, expected: &Expectation<'_>) -> Result<(), ProofError> {
        let claims = &self.claims;
        if claims.htm != expected.method {
            return Err(ProofError::Method);
        }
        if !is_same_url(&claims.htu, expected.url) {
            return Err(ProofError::Url);
        }
        if claims.bh != to_base64url(&expected.body_hash) {
            return Err(ProofError::Body);
        }
        if claims.ath != expected.session.map(|session| to_base64url(&session.0)) {
            return Err(ProofError::Session);
        }
        if seconds(expected.now).abs_diff(claims.iat) > expected.leeway.as_secs() {
            return Err(ProofError::Time);
        }
        let nonce = claims.nonce.as_deref();
        if !expected.nonces.is_empty() && !nonce.is_some_and(|nonce| expected.nonces.contains(&nonce)) {
            return Err(ProofError::Nonce);
        }
        Ok(())
    }

    /// The device's key.
    pub fn key(&self) -> &DevicePublicKey {
        &self.key
    }

    /// Thumbprint of the device's key.
    pub fn thumbprint(&self) -> DeviceThumbprint {
        self.key.thumbprint()
    }

    /// The proof's own name. The keystore keeps it, with the thumbprint, as long as the proof's time is acceptable,
    /// and takes it once.
    pub fn id(&self) -> &str {
        &self.claims.jti
    }

    /// The server's nonce that the proof holds, if any.
    pub fn nonce(&self) -> Option<&str> {
        self.claims.nonce.as_deref()
    }
}

impl ProofError {
    /// Stable name for the log.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "proof-too-large",
            Self::Malformed => "proof-malformed",
            Self::Algorithm => "proof-algorithm",
            Self::Signature => "proof-signature",
            Self::Method => "proof-method",
            Self::Url => "proof-url",
            Self::Body => "proof-body",
            Self::Session => "proof-session",
            Self::Time => "proof-time",
            Self::Nonce => "proof-nonce",
        }
    }
}

/// The two members that say what a header is.
#[derive(serde::Deserialize)]
struct Kind {
    typ: String,
    alg: String,
}

/// The same path at the same place, however a client spells this machine.
fn is_same_url(claimed: &str, expected: &str) -> bool {
    let (Some((claimed, path)), Some((expected, other))) = (normalised(claimed), normalised(expected)) else {
        return false;
    };
    claimed.is_same_place(&expected) && path == other
}

/// Origin in one spelling, and the path byte for byte. Query and fragment do not count (RFC 9449 section 4.3).
fn normalised(url: &str) -> Option<(Origin, &str)> {
    let url = without_query(url);
    let authority = url.find("://")? + 3;
    let path = url[authority..].find('/').map_or(url.len(), |slash| authority + slash);
    Some((url[..path].parse().ok()?, if path == url.len() { "/" } else { &url[path..] }))
}
