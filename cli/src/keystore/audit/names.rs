// SPDX-License-Identifier: LGPL-2.0-or-later
//! Addresses of other people whose ids stand in the log. The log has none: an address may change, and who acted does not.

use std::collections::HashMap;

use plombe_client::Session;
use plombe_core::keystore::{
    PrincipalId,
    calls::{Call, approvals::ListApprovals, grants::ListGrants, login::Role, principals::ListPrincipals},
};

/// Who is known by which address, by what the keystore tells this person anyway. It says so now, and not under the log's seal.
#[derive(Default)]
pub(super) struct Names(HashMap<PrincipalId, String>);

impl Names {
    /// Those with whom keys are shared, who asked for consent or gave it, and for administrators everybody.
    pub(super) fn ask(session: &mut Session) -> Self {
        let mut names = HashMap::new();
        if let Some(known) = told(session, &ListGrants {}) {
            for grant in known.grants {
                names.extend(grant.owner_address.map(|address| (grant.owner, address)));
                names.extend(grant.to_address.map(|address| (grant.to, address)));
            }
        }
        if let Some(known) = told(session, &ListApprovals {}) {
            names.extend(known.approvals.into_iter().flat_map(|approval| approval.addresses));
        }
        let mut after = None;
        while session.identity().roles.contains(&Role::Admin) {
            let Some(page) = told(session, &ListPrincipals { after, address: None }) else { break };
            after = page.principals.last().map(|last| last.id);
            let first =
                |mut addresses: Vec<String>| (!addresses.is_empty()).then(|| addresses.swap_remove(0));
            names.extend(page.principals.into_iter().filter_map(|one| Some((one.id, first(one.addresses)?))));
            if !page.more || after.is_none() {
                break;
            }
        }
        Self(names)
    }

    /// The address, with the id that the log has; the id alone when there is none.
    pub(super) fn shown(&self, principal: PrincipalId) -> String {
        match self.0.get(&principal) {
            Some(address) => format!("{address} ({principal})"),
            None => format!("somebody else ({principal})"),
        }
    }
}

/// What is not told leaves ids as they are; the entries themselves are there already.
fn told<C: Call>(session: &mut Session, call: &C) -> Option<C::Answer> {
    session.call(call).ok()
}
