// SPDX-License-Identifier: LGPL-2.0-or-later
//! An organisation.

use plombe_core::keystore::TenantId;
use serde::{Deserialize, Serialize};

/// An organisation: its own key, its own issuers, its own people. Nothing of one tenant is seen from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// For people.
    pub name: String,
    /// Mail domains, in lower case and A-labels. No domain belongs to two tenants.
    pub domains: Vec<String>,
    /// Seconds since 1970.
    pub created: u64,
}

impl Tenant {
    /// Is `address` one of this organisation's?
    pub fn has_address(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    }
}
