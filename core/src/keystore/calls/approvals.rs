// SPDX-License-Identifier: LGPL-2.0-or-later
//! Acts that need several people, break-glass among them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    calls,
    custody::{Context, Unwrapped},
    grants::KeyUse,
    login::Role,
};
use crate::keystore::{ApprovalId, Bytes, KeyFingerprint, PrincipalId};

/// Lists what waits for consent and what was decided lately.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListApprovals {}

/// Approvals.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Approvals {
    /// Newest first.
    pub approvals: Vec<Approval>,
}

/// Something that needs other people's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Approval {
    /// Its name in the API.
    pub id: ApprovalId,
    /// What is to be done, for people: all that matters is in it.
    pub summary: String,
    /// Who asked.
    pub requested_by: PrincipalId,
    /// When.
    pub requested_at: u64,
    /// Why.
    pub reason: String,
    /// Who agreed so far.
    pub approved_by: Vec<PrincipalId>,
    /// How many have to.
    pub needed: u32,
    /// Does nothing before this, even when all agreed.
    pub not_before: u64,
    /// Is forgotten after this.
    pub expires_at: u64,
    /// How far it is.
    pub state: ApprovalState,
    /// First address of each who asked or agreed, for people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<PrincipalId, String>,
}

/// How far an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// Waits for consent.
    Waiting,
    /// Waits for `not_before`.
    Delayed,
    /// Took effect.
    Effective,
    /// Somebody said no.
    Refused,
    /// Too late, or ended by a revocation.
    Ended,
}

/// Says yes or no to something that waits. No is also for whose key it is, and also after a yes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// To what.
    pub approval: ApprovalId,
    /// Yes?
    pub consent: bool,
}

/// Asks for one more administrator after the first two. Once another one agreed and the delay is over, who asked sets exactly these
/// roles with [`SetRoles`](super::principals::SetRoles).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestAdmin {
    /// Who.
    pub principal: PrincipalId,
    /// All their roles from then on.
    pub roles: Vec<Role>,
    /// Why.
    pub reason: String,
}

/// Asks for the use of somebody's key without them. The owner sees it in their log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestBreakGlass {
    /// Which key.
    pub key: KeyFingerprint,
    /// For what: unwrapping; nothing else is given this way.
    pub uses: Vec<KeyUse>,
    /// Why.
    pub reason: String,
    /// How long it may be used once it is effective.
    pub valid_for_seconds: u64,
}

/// Unwraps under a break-glass approval that the caller asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BreakGlassUnwrap {
    /// Which approval.
    pub approval: ApprovalId,
    /// Exactly one PKESK packet.
    pub pkesk: Bytes,
    /// Length of the session key, as in [`Unwrap`](super::custody::Unwrap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key_size: Option<u8>,
    /// For the log.
    pub context: Context,
}

calls! {
    ListApprovals => "/v1/approvals/list", Approvals;
    Approve => "/v1/approvals/decide", Approval;
    RequestAdmin => "/v1/approvals/request-admin", Approval;
    RequestBreakGlass => "/v1/break-glass/request", Approval;
    BreakGlassUnwrap => "/v1/break-glass/unwrap", Unwrapped;
}
