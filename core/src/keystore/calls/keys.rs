// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys in custody: made or imported, listed, never exported.

use serde::{Deserialize, Serialize};

use super::{calls, grants::KeyUse};
use crate::keystore::{Bytes, GrantId, KeyFingerprint, PrincipalId, SecretBytes};

/// Makes a key in the keystore.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerateKey {
    /// User IDs, the primary one first: `Alice <alice@example.org>`.
    pub user_ids: Vec<String>,
    /// Which format and algorithms.
    pub profile: Profile,
    /// Expires that long after it was made; `None` for the keystore's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u64>,
}

/// Format and algorithms of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Version 4: Ed25519 and Curve25519.
    Rfc4880,
    /// Version 6.
    Rfc9580,
    /// RFC 9980: post-quantum and classic together.
    Pqc,
}

/// Puts a key that was made elsewhere into the keystore.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportKey {
    /// The TSK, unlocked, in binary form. It is sealed to the keystore like all of the request.
    pub tsk: SecretBytes,
}

/// A key that now is in custody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyInCustody {
    /// What is public of it.
    pub key: KeyInfo,
    /// Revocation certificate, made with the key, for safe keeping elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Bytes>,
}

/// Lists the keys that the caller owns or was granted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListKeys {}

/// Keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Keys {
    /// By fingerprint.
    pub keys: Vec<KeyInfo>,
}

/// What is public of a key in custody, and what the caller may do with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyInfo {
    /// Of the certificate.
    pub fingerprint: KeyFingerprint,
    /// The certificate, binary.
    pub certificate: Bytes,
    /// Whose key.
    pub owner: PrincipalId,
    /// When it came into custody.
    pub since: u64,
    /// Can it be used? `None` when it can; otherwise why not, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Its keys that sign digests.
    pub signing: Vec<KeyFingerprint>,
    /// What the caller may do with it.
    pub uses: Vec<KeyUse>,
    /// By which grant; `None` for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
}

calls! {
    GenerateKey => "/v1/keys/generate", KeyInCustody;
    ImportKey => "/v1/keys/import", KeyInCustody;
    ListKeys => "/v1/keys/list", Keys;
}
