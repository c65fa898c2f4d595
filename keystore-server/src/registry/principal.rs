// SPDX-License-Identifier: LGPL-2.0-or-later
//! A person or a program that may ask for something, and the code that lets them in.

use std::collections::BTreeSet;

use plombe_core::keystore::{
    CodeId, PrincipalId, TenantId,
    calls::{login::Role, principals::PrincipalState},
};
use serde::{Deserialize, Serialize};

/// Who may ask for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Identity.
    pub id: PrincipalId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// For people.
    pub name: String,
    /// Mail addresses, as [`plombe_core::recipients::Address`] spells them. Nobody else has them.
    pub addresses: Vec<String>,
    /// What they may be.
    pub roles: BTreeSet<Role>,
    /// Since when they are an administrator, if they are; seconds since 1970.
    pub admin_since: Option<u64>,
    /// Whether they may do anything now.
    pub state: PrincipalState,
    /// Hash of the recovery code from onboarding; it confirms a pending device when all others are lost.
    pub recovery: Option<[u8; 32]>,
    /// Issuer and subject that an identity provider knows them by, once they logged in with it.
    pub subject: Option<(String, String)>,
    /// Seconds since 1970.
    pub created: u64,
}

/// Lets one device of one principal in, once, soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Identity.
    pub id: CodeId,
    /// SHA-256 of the code's secret, which is not stored.
    pub hash: [u8; 32],
    /// Whose organisation.
    pub tenant: TenantId,
    /// Whom it lets in.
    pub principal: PrincipalId,
    /// Seconds since 1970.
    pub expires: u64,
}
