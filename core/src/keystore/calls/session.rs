// SPDX-License-Identifier: LGPL-2.0-or-later
//! The session itself.

use serde::{Deserialize, Serialize};

use super::{
    Access, Call, Done, calls,
    login::{Identity, SessionGrant},
};

/// Gives this session a new token. The old one lasts to its own end and no longer, so that two programs of one device do
/// not throw each other out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewSession {}

/// Ends this session.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogOut {}

/// Asks who this session speaks for.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WhoAmI {}

impl Call for RenewSession {
    const PATH: &'static str = "/v1/session/renew";
    const ACCESS: Access = Access::Renewal;
    type Answer = SessionGrant;
}

calls! {
    LogOut => "/v1/session/logout", Done;
    WhoAmI => "/v1/whoami", Identity;
}
