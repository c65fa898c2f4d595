// SPDX-License-Identifier: LGPL-2.0-or-later
//! Revocation: one call ends what was derived, and says what that was.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{ApprovalId, CodeId, DeviceId, GrantId, PrincipalId, SessionId};

/// Ends something and everything derived from it, on all servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// What.
    pub target: Target,
    /// Why, for the log: 500 bytes at most, and it may be empty.
    #[serde(default)]
    pub reason: String,
}

/// What is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A principal, for good.
    Principal(PrincipalId),
    /// A device.
    Device(DeviceId),
    /// One log-in.
    Session(SessionId),
}

/// What has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ended {
    /// These sessions.
    pub sessions: Vec<SessionId>,
    /// These devices.
    pub devices: Vec<DeviceId>,
    /// These grants.
    pub grants: Vec<GrantId>,
    /// These approvals that somebody ended had asked for or agreed to, or that were about them.
    #[serde(default)]
    pub approvals: Vec<ApprovalId>,
    /// These enrolment codes that nobody had used.
    #[serde(default)]
    pub codes: Vec<CodeId>,
    /// Position in the log after which nothing of it is served.
    pub position: u64,
}

calls! {
    Revoke => "/v1/revoke", Ended;
}
