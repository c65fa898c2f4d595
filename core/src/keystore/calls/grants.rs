// SPDX-License-Identifier: LGPL-2.0-or-later
//! Grants: an owner lets somebody else use a key, for a time and for named uses.

use serde::{Deserialize, Serialize};

use super::{calls, revoke::Ended};
use crate::keystore::{GrantId, KeyFingerprint, PrincipalId};

/// What can be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// Unwrap session keys.
    Unwrap,
    /// Sign digests.
    Sign,
    /// Named operations with the key that certifies. The owner's alone, never granted.
    Certify,
    /// Raw decryption for unmodified programs, by the owner's own device. Off unless the owner allows it there; never granted.
    Raw,
}

/// Lists the grants that the caller gave or holds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListGrants {}

/// Grants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Grants {
    /// Newest first.
    pub grants: Vec<Grant>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Grant {
    /// Its name in the API.
    pub id: GrantId,
    /// Which key.
    pub key: KeyFingerprint,
    /// Who gave it.
    pub owner: PrincipalId,
    /// Who holds it.
    pub to: PrincipalId,
    /// For what.
    pub uses: Vec<KeyUse>,
    /// When it was given.
    pub given_at: u64,
    /// Not after this.
    pub expires_at: u64,
    /// First address of who gave it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_address: Option<String>,
    /// First address of who holds it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_address: Option<String>,
}

/// Gives somebody the use of one's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveGrant {
    /// Which key.
    pub key: KeyFingerprint,
    /// To whom.
    pub to: PrincipalId,
    /// For what.
    pub uses: Vec<KeyUse>,
    /// Not after this.
    pub expires_at: u64,
}

/// Ends a grant; its owner or its holder may.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndGrant {
    /// Which.
    pub grant: GrantId,
}

calls! {
    ListGrants => "/v1/grants/list", Grants;
    GiveGrant => "/v1/grants/give", Grant;
    EndGrant => "/v1/grants/end", Ended;
}
