// SPDX-License-Identifier: LGPL-2.0-or-later
//! What administrators may do. Nothing of it decrypts or signs.

use plombe_core::keystore::{
    PrincipalId,
    calls::{login::Role, principals::PrincipalState, revoke::Target},
};

use super::{Action, Decision, Identified, Permitted, consent, refusal};
use crate::registry::{Principal, Registry, Wanted};

/// Alone, an admin may make one other. Whoever holds one admin's device could otherwise make as many as any rule asks for.
const ADMINS_WITHOUT_CONSENT: usize = 2;

pub(super) fn may_audit(who: &Identified<'_>) -> Decision {
    if who.principal.roles.contains(&Role::Auditor) {
        Ok(Permitted::by("auditor"))
    } else {
        Err(refusal::AUDITORS_ONLY.into())
    }
}

/// People of one's own tenant: make, suspend, change, let in.
pub(super) fn decide(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    if !who.principal.roles.contains(&Role::Admin) {
        return Err(refusal::ADMINS_ONLY.into());
    }
    match action {
        Action::CreatePrincipal { addresses, roles } => {
            let tenant = registry.tenant(who.principal.tenant).ok_or(refusal::NOT_FOUND)?;
            let fit = |address: &String| {
                tenant.has_address(address) && registry.principal_of_address(address).is_none()
            };
            if addresses.is_empty() || !addresses.iter().all(fit) {
                return Err(refusal::ADDRESS_UNFIT.into());
            }
            if roles.contains(&Role::Admin) {
                consent_is_not_needed(registry, who)?;
            }
        }
        Action::SetRoles { principal, roles } => {
            let other = other(registry, who, *principal)?;
            if roles.contains(&Role::Admin) && !other.roles.contains(&Role::Admin) {
                let wanted = Wanted::Admin { principal: *principal, roles: roles.clone() };
                if consent::to_roles(registry, who, &wanted, now).is_some() {
                    return Ok(Permitted::by("two-admins"));
                }
                consent_is_not_needed(registry, who)?;
            }
        }
        Action::SetPrincipalState { principal, .. } => {
            other(registry, who, *principal)?;
        }
        Action::CreateCode { principal } => {
            of_tenant(registry, who, *principal)?;
        }
        _ => return Err(refusal::NOT_FOR_DEVICES.into()),
    }
    Ok(Permitted::by("admin"))
}

/// One's own, or as an admin of the same tenant.
pub(super) fn decide_revoke(registry: &Registry, who: &Identified<'_>, target: &Target) -> Decision {
    let owner = match target {
        Target::Principal(principal) => Some(*principal),
        Target::Device(device) => registry.device(*device).map(|device| device.principal),
        Target::Session(session) => {
            let device = registry.session(*session).and_then(|session| registry.device(session.device));
            device.map(|device| device.principal)
        }
    };
    let owner = owner.ok_or(refusal::NOT_FOUND)?;
    if owner == who.principal.id && !matches!(target, Target::Principal(_)) {
        return Ok(Permitted::by("own"));
    }
    if !who.principal.roles.contains(&Role::Admin) {
        return Err(refusal::NOT_FOUND.into());
    }
    match target {
        Target::Principal(principal) => other(registry, who, *principal)?,
        _ => of_tenant(registry, who, owner)?,
    };
    Ok(Permitted::by("admin"))
}

fn of_tenant<'a>(
    registry: &'a Registry,
    who: &Identified<'_>,
    principal: PrincipalId,
) -> Result<&'a Principal, super::Refusal> {
    let principal = registry.principal(principal).ok_or(refusal::NOT_FOUND)?;
    if principal.tenant != who.principal.tenant {
        return Err(refusal::NOT_FOUND.into());
    }
    if principal.state == PrincipalState::Ended {
        return Err(refusal::ALREADY_ENDED.into());
    }
    Ok(principal)
}

fn other<'a>(
    registry: &'a Registry,
    who: &Identified<'_>,
    principal: PrincipalId,
) -> Result<&'a Principal, super::Refusal> {
    let principal = of_tenant(registry, who, principal)?;
    if principal.id == who.principal.id { Err(refusal::NOT_ONESELF.into()) } else { Ok(principal) }
}

fn consent_is_not_needed(registry: &Registry, who: &Identified<'_>) -> Result<(), super::Refusal> {
    let admins = registry
        .principals(who.principal.tenant)
        .filter(|p| p.roles.contains(&Role::Admin) && p.state != PrincipalState::Ended)
        .count();
    if admins < ADMINS_WITHOUT_CONSENT { Ok(()) } else { Err(refusal::ADMINS_NEED_CONSENT.into()) }
}
