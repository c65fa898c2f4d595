// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a tenant still does while history is lost: what leads out of it, and what makes nobody stronger.
//!
//! Revocations may be among what is lost, so whoever asks may be somebody who was cut off. Keys are not used, nobody is let in,
//! nothing is given. Administrators log in, look, acknowledge the loss (two of them), and take away again what had been taken away.

use plombe_core::keystore::calls::{
    Call, audit::ProveConsistency, history::LostHistory, login::Role, principals::PrincipalState,
    session::WhoAmI,
};

use super::{Action, Identified, Refusal, refusal};
use crate::registry::{Principal, Registry};

/// Refuses what does not lead out, where the tenant is stopped.
pub(super) fn decide(registry: &Registry, who: &Identified<'_>, action: &Action) -> Result<(), Refusal> {
    if registry.stops(who.principal.tenant).is_none() || leads_out(registry, who.principal, action) {
        Ok(())
    } else {
        Err(refusal::HISTORY_LOST.into())
    }
}

fn leads_out(registry: &Registry, who: &Principal, action: &Action) -> bool {
    match action {
        // Less for somebody; whether who asks may do so is decided like always.
        Action::LogOut
        | Action::Revoke { .. }
        | Action::EndGrant { .. }
        | Action::ForbidRaw { .. }
        | Action::AnswerConsent { yes: false, .. }
        | Action::SetPrincipalState { state: PrincipalState::Suspended, .. } => true,
        Action::SetRoles { principal, roles } => {
            registry.principal(*principal).is_some_and(|other| roles.is_subset(&other.roles))
        }
        Action::ReadLog | Action::AcknowledgeLoss { .. } => true,
        Action::RenewSession
        | Action::ConfirmDevice { .. }
        | Action::ConfirmByPasskey
        | Action::StepUp { .. }
        | Action::RemovePasskey { by_recovery: true, .. }
        | Action::Recover => is_admin(who),
        _ => false,
    }
}

/// Logs in while the tenant is stopped: an administrator. Whom nobody knows is refused by the log-in itself.
pub(super) fn decide_log_in(registry: &Registry, action: &Action) -> Result<(), Refusal> {
    let who = match action {
        Action::LogInWithCode { hash } => {
            registry.code_of_hash(hash).and_then(|code| registry.principal(code.principal))
        }
        Action::LogInWithIdentity { issuer, subject, address } => {
            registry.principal_of_subject(issuer, subject).or_else(|| registry.principal_of_address(address))
        }
        _ => None,
    };
    match who {
        Some(who) if registry.stops(who.tenant).is_some() && !is_admin(who) => {
            Err(refusal::HISTORY_LOST.into())
        }
        _ => Ok(()),
    }
}

/// Reads that are no acts. Administrators look at everything that they may look at; others see why nothing is served.
pub fn decide_read(registry: &Registry, who: &Principal, path: &str) -> Result<(), Refusal> {
    let everybodys = [WhoAmI::PATH, ProveConsistency::PATH, LostHistory::PATH];
    if registry.stops(who.tenant).is_none() || is_admin(who) || everybodys.contains(&path) {
        Ok(())
    } else {
        Err(refusal::HISTORY_LOST.into())
    }
}

fn is_admin(who: &Principal) -> bool {
    who.roles.contains(&Role::Admin)
}
