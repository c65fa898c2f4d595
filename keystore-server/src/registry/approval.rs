// SPDX-License-Identifier: LGPL-2.0-or-later
//! Something that one person alone must not do.

use std::collections::BTreeSet;

use plombe_core::{
    keystore::{
        ApprovalId, KeyFingerprint, PrincipalId, TenantId, access_rules::AccessRules, calls::login::Role,
    },
    log::NodeHash,
};
use serde::{Deserialize, Serialize};

/// Asked for by one, agreed to by another, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Identity.
    pub id: ApprovalId,
    /// Whose organisation.
    pub tenant: TenantId,
    /// What is to be done.
    pub wanted: Wanted,
    /// Who asked, and the only one who may do it then.
    pub asker: PrincipalId,
    /// Why, in their words.
    pub reason: String,
    /// Seconds since 1970.
    pub asked: u64,
    /// Who agreed.
    pub agreed: Option<PrincipalId>,
    /// How long somebody must have been an administrator to count, in seconds.
    pub seniority: u64,
    /// Nothing is done before this.
    pub not_before: u64,
    /// Nothing is done from this on.
    pub expires: u64,
    /// Whether it still counts.
    pub state: Standing,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// One more administrator.
    Admin {
        /// Who.
        principal: PrincipalId,
        /// All their roles from then on.
        roles: BTreeSet<Role>,
    },
    /// Unwrapping with somebody's key, without them.
    BreakGlass {
        /// Which key.
        key: KeyFingerprint,
        /// For so many seconds from the consent on.
        seconds: u64,
    },
    /// Other rules, looser than those in force.
    Rules {
        /// All of them.
        rules: AccessRules,
    },
    /// Going on without history that was lost.
    Restored {
        /// Entries of the lost log.
        size: u64,
        /// Its root.
        root: NodeHash,
    },
}

/// Whether it still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Yes.
    Open,
    /// It was done.
    Done,
    /// Somebody said no.
    Refused,
    /// Somebody without whom it does not stand was revoked.
    Ended,
}
