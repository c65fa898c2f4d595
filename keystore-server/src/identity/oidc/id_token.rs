// SPDX-License-Identifier: LGPL-2.0-or-later
//! An ID token before its signature is checked (RFC 7515, with the advice of RFC 8725).

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::{IssuerConfig, Reason, strict_json};

/// Providers that put every group of a user into the token reach a few kilobytes.
const MAX_BYTES: usize = 16 * 1024;
const MAX_KEY_ID_BYTES: usize = 256;

/// For what a token is taken. The same key signs both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The end of a log-in.
    IdToken,
    /// The end of the provider's session.
    LogoutToken,
}

/// Header read, nothing believed: only good for finding the key and [`Self::verify`].
pub(super) struct UnverifiedIdToken<'a> {
    /// Header and payload as they were signed.
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: String,
}

/// The claims of a token that a key of the issuer signed; each of them is still to be checked.
pub(super) struct SignedClaims(pub(super) Map<String, Value>);

impl<'a> UnverifiedIdToken<'a> {
    pub(super) fn parse(token: &'a str, kind: Kind, config: &IssuerConfig) -> Result<Self, Reason> {
        if token.len() > MAX_BYTES {
            return Err(Reason::IdTokenTooLarge);
        }
        let parts: Vec<&str> = token.split('.').collect();
        let (header, payload, signature) = match parts[..] {
            [header, payload, signature] => (header, payload, signature),
            [_, _, _, _, _] => return Err(Reason::IdTokenEncrypted),
            _ => return Err(Reason::IdTokenMalformed),
        };
        decode(signature)?;
        let header = strict_json::object(&decode(header)?, Reason::IdTokenMalformed)?;
        let (algorithm, key_id) = check_header(&header, kind, config)?;
        let signed = &token[..token.len() - signature.len() - 1];
        Ok(Self { signed, payload, signature, algorithm, key_id })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A word to look up in the issuer's key set; never a path, an address or a query.
    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(super) fn verify(self, key: &DecodingKey) -> Result<SignedClaims, Reason> {
        let verified =
            jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm);
        if !verified.is_ok_and(|is_good| is_good) {
            return Err(Reason::SignatureWrong);
        }
        strict_json::object(&decode(self.payload)?, Reason::IdTokenMalformed).map(SignedClaims)
    }
}

fn check_header(
    header: &Map<String, Value>,
    kind: Kind,
    config: &IssuerConfig,
) -> Result<(Algorithm, String), Reason> {
    if header.contains_key("enc") {
        return Err(Reason::IdTokenEncrypted);
    }
    let named = header.get("alg").and_then(Value::as_str).ok_or(Reason::AlgorithmNotAllowed)?;
    let algorithm = Algorithm::from_str(named).map_err(|_| Reason::AlgorithmNotAllowed)?;
    if !config.allows(algorithm) {
        return Err(Reason::AlgorithmNotAllowed);
    }
    if header.contains_key("crit") {
        return Err(Reason::CriticalHeader);
    }
    if ["jwk", "jku", "x5c", "x5u"].iter().any(|name| header.contains_key(*name)) {
        return Err(Reason::KeyInHeader);
    }
    // An access token (at+jwt) or a logout token is signed by the same key.
    match header.get("typ") {
        None => {}
        Some(Value::String(named)) if named.eq_ignore_ascii_case("JWT") => {}
        Some(Value::String(named))
            if kind == Kind::LogoutToken && named.eq_ignore_ascii_case("logout+jwt") => {}
        Some(_) => return Err(Reason::TypeWrong),
    }
    match header.get("kid") {
        None => Err(Reason::KeyIdMissing),
        Some(Value::String(id)) if id.len() <= MAX_KEY_ID_BYTES => Ok((algorithm, id.clone())),
        Some(_) => Err(Reason::IdTokenMalformed),
    }
}

/// Without padding, and only in the one spelling that an encoder makes.
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::IdTokenMalformed)
}
