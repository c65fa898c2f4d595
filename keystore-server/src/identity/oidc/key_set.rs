// SPDX-License-Identifier: LGPL-2.0-or-later
//! The public keys of one issuer (RFC 7517).

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

use super::{Reason, strict_json};

/// No provider that we know publishes more than a dozen.
const MAX_KEYS: usize = 64;

/// Keys that sign, by their id. Others (for encryption, symmetric, without id) are not in it.
pub(super) struct KeySet(Vec<(String, Jwk)>);

impl KeySet {
    pub(super) fn parse(document: &[u8]) -> Result<Self, Reason> {
        let members = strict_json::object(document, Reason::ProviderAnswerMalformed)?;
        let keys = members.get("keys").and_then(Value::as_array).ok_or(Reason::ProviderAnswerMalformed)?;
        if keys.len() > MAX_KEYS {
            return Err(Reason::ProviderAnswerMalformed);
        }
        // A key that we cannot read does not make the others worthless (RFC 7517 section 5).
        let readable = keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Ok(Self(
            readable.filter(signs).filter_map(|mut key| Some((key.common.key_id.take()?, key))).collect(),
        ))
    }

    pub(super) fn has(&self, key_id: &str) -> bool {
        self.0.iter().any(|(id, _)| id == key_id)
    }

    /// The key of that id for that algorithm. The header's word on the algorithm counts only as far as the key agrees:
    /// an RSA key never verifies anything else, whatever a token says.
    pub(super) fn find(&self, key_id: &str, algorithm: Algorithm) -> Result<DecodingKey, Reason> {
        if !self.has(key_id) {
            return Err(Reason::KeyUnknown);
        }
        let fit = self.0.iter().find(|(id, key)| id == key_id && fits(key, algorithm));
        let (_, key) = fit.ok_or(Reason::KeyUnfit)?;
        DecodingKey::from_jwk(key).map_err(|_| Reason::KeyUnfit)
    }
}

fn signs(key: &Jwk) -> bool {
    let is_pair = matches!(
        key.algorithm,
        AlgorithmParameters::RSA(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::OctetKeyPair(_)
    );
    let common = &key.common;
    is_pair
        && common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|list| list.contains(&KeyOperations::Verify))
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let by_type = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::PS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    by_type && key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
}
