// SPDX-License-Identifier: LGPL-2.0-or-later
//! Principals, and the codes that enrol them. For admins.

use serde::{Deserialize, Serialize};

use super::{calls, login::Role};
use crate::keystore::{CodeId, PrincipalId, SecretBytes};

/// Creates a principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreatePrincipal {
    /// Name, for people.
    pub name: String,
    /// Mail addresses, in the tenant's domains.
    pub addresses: Vec<String>,
    /// Roles. After the first two, a further admin needs the consent of others.
    pub roles: Vec<Role>,
}

/// Lists principals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListPrincipals {
    /// After this one; `None` from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PrincipalId>,
    /// Only who has this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A page of principals.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Principals {
    /// By id.
    pub principals: Vec<Principal>,
    /// Is there more after the last one?
    pub more: bool,
}

/// One principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Principal {
    /// Its name in the API.
    pub id: PrincipalId,
    /// Name, for people.
    pub name: String,
    /// Mail addresses.
    pub addresses: Vec<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// May it do anything?
    pub state: PrincipalState,
    /// When it was created.
    pub created_at: u64,
}

/// May a principal do anything?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalState {
    /// Yes.
    Active,
    /// Not until it is active again.
    Suspended,
    /// Never again.
    Ended,
}

/// Suspends a principal, or lets it go on. To end one is [`super::revoke::Revoke`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetPrincipalState {
    /// Who.
    pub principal: PrincipalId,
    /// `Active` or `Suspended`.
    pub state: PrincipalState,
}

/// Sets a principal's roles. After the first two, a further admin needs the consent of others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRoles {
    /// Who.
    pub principal: PrincipalId,
    /// All roles from now on.
    pub roles: Vec<Role>,
}

/// A principal after the change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrincipalChange {
    /// As it is now.
    pub principal: Principal,
}

/// Makes an enrolment code for a principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateCode {
    /// For whom.
    pub principal: PrincipalId,
    /// `None` for the keystore's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_seconds: Option<u64>,
}

/// A new enrolment code. With the keystore's identity it makes an [`EnrolmentCode`](crate::keystore::EnrolmentCode).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewCode {
    /// Its name in the log.
    pub id: CodeId,
    /// 16 bytes.
    pub secret: SecretBytes,
    /// Not after this.
    pub expires_at: u64,
}

calls! {
    CreatePrincipal => "/v1/principals/create", PrincipalChange;
    ListPrincipals => "/v1/principals/list", Principals;
    SetPrincipalState => "/v1/principals/state", PrincipalChange;
    SetRoles => "/v1/principals/roles", PrincipalChange;
    CreateCode => "/v1/codes/create", NewCode;
}
