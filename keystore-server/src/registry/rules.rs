// SPDX-License-Identifier: LGPL-2.0-or-later
//! An organisation's own rules, as they are in force.

use plombe_core::keystore::{PrincipalId, TenantId, access_rules::AccessRules};
use serde::{Deserialize, Serialize};

/// The rules of a tenant. There is one record for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Whose.
    pub tenant: TenantId,
    /// Counts their changes, from 1.
    pub version: u64,
    /// The rules.
    pub rules: AccessRules,
    /// Who put them in force.
    pub by: PrincipalId,
    /// Seconds since 1970.
    pub since: u64,
}
