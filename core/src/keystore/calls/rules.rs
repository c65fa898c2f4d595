// SPDX-License-Identifier: LGPL-2.0-or-later
//! An organisation's own rules: see and change them.

use serde::{Deserialize, Serialize};

use super::{approvals::Approval, calls};
use crate::keystore::access_rules::AccessRules;

/// Shows the rules that are in force. For administrators and auditors.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ShowRules {}

/// The rules that are in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RulesInForce {
    /// Counts their changes; 0 when there never were any.
    pub version: u64,
    /// The rules.
    pub rules: AccessRules,
}

/// Puts rules in force. One administrator alone may do that when every rule that is in force stays; otherwise another one has agreed to
/// exactly these, and the delay is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRules {
    /// The version that they replace.
    pub replaces: u64,
    /// All of them.
    pub rules: AccessRules,
}

/// Asks other administrators for their consent to rules that are looser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestRules {
    /// All of them.
    pub rules: AccessRules,
    /// Why.
    pub reason: String,
}

calls! {
    ShowRules => "/v1/rules/show", RulesInForce;
    SetRules => "/v1/rules/set", RulesInForce;
    RequestRules => "/v1/rules/request", Approval;
}
