// SPDX-License-Identifier: LGPL-2.0-or-later
//! The organisation's own access rules, on top of the built-in ones.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::ApprovalId;

/// Reads the rules.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRules {}

/// The rules, as they are in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Their text.
    pub text: String,
    /// Counts changes.
    pub version: u64,
    /// A change that waits for consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<ApprovalId>,
}

/// Replaces the rules. Looser ones wait for consent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutRules {
    /// All of the text.
    pub text: String,
    /// The version that this one replaces.
    pub replaces: u64,
}

/// Tells what rules would have decided about past entries, without applying them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DryRunRules {
    /// All of the text.
    pub text: String,
    /// So many of the newest entries.
    pub entries: u32,
}

/// What would have been decided differently.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DryRun {
    /// So many entries were looked at.
    pub looked_at: u64,
    /// These would have ended otherwise.
    pub differences: Vec<Difference>,
}

/// One past decision that the rules would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Position in the log.
    pub position: u64,
    /// Was it allowed?
    pub was_allowed: bool,
    /// Would it be allowed?
    pub would_be_allowed: bool,
    /// Which rule, and why, for people.
    pub explanation: String,
}

calls! {
    FetchRules => "/v1/rules/fetch", Rules;
    PutRules => "/v1/rules/put", Rules;
    DryRunRules => "/v1/rules/dry-run", DryRun;
}
