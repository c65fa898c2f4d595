// SPDX-License-Identifier: LGPL-2.0-or-later
//! Identity providers that a tenant trusts. For admins.

use serde::{Deserialize, Serialize};

use super::{calls, revoke::Ended};
use crate::keystore::{ApprovalId, IssuerId, SecretBytes};

/// Adds an identity provider. Waits for the consent of others when there are two admins or more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddIssuer {
    /// Name to show.
    pub name: String,
    /// Issuer URL, as its discovery document spells it.
    pub issuer: String,
    /// What the keystore is called there; the audience of its tokens.
    pub client_id: String,
    /// For confidential clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretBytes>,
    /// Addresses outside of these domains are refused.
    pub domains: Vec<String>,
}

/// Lists the tenant's identity providers.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListIssuers {}

/// Removes an identity provider and ends the sessions that began there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveIssuer {
    /// Which.
    pub issuer: IssuerId,
}

/// Identity providers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Issuers {
    /// By name.
    pub issuers: Vec<Issuer>,
}

/// One identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Its name in the API.
    pub id: IssuerId,
    /// Name to show.
    pub name: String,
    /// Issuer URL.
    pub issuer: String,
    /// What the keystore is called there.
    pub client_id: String,
    /// Addresses outside of these domains are refused.
    pub domains: Vec<String>,
    /// Not in use until this is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<ApprovalId>,
}

calls! {
    AddIssuer => "/v1/issuers/add", Issuer;
    ListIssuers => "/v1/issuers/list", Issuers;
    RemoveIssuer => "/v1/issuers/remove", Ended;
}
