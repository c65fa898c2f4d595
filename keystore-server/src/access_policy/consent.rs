// SPDX-License-Identifier: LGPL-2.0-or-later
//! What two administrators may do together. Whoever holds one administrator's device must not make up the second:
//! only who has been one for a while counts.

use plombe_core::keystore::{
    ApprovalId, TenantId,
    calls::{grants::KeyUse, login::Role, principals::PrincipalState},
};

use super::{Action, Decision, Identified, Permitted, Refusal, refusal};
use crate::registry::{Approval, Loss, Principal, Registry, Standing, Wanted};

/// Longest time that one consent opens a key for.
const LONGEST_BREAK_GLASS: u64 = 24 * 3600;

/// Ask for consent.
pub(super) fn decide_ask(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    let Action::AskConsent { wanted, uses, seniority, .. } = action else {
        return Err(refusal::NOT_FOR_DEVICES.into());
    };
    counts(who.principal, *seniority, now)?;
    match wanted {
        Wanted::Admin { principal, roles } => {
            let other = registry.principal(*principal).ok_or(refusal::NOT_FOUND)?;
            if other.tenant != who.principal.tenant {
                return Err(refusal::NOT_FOUND.into());
            }
            if other.id == who.principal.id || !roles.contains(&Role::Admin) {
                return Err(refusal::NOT_ONESELF.into());
            }
        }
        Wanted::BreakGlass { key, seconds } => {
            let key = registry.key(key).ok_or(refusal::NOT_FOUND)?;
            if key.tenant != who.principal.tenant {
                return Err(refusal::NOT_FOUND.into());
            }
            if !uses.iter().eq([&KeyUse::Unwrap]) {
                return Err(refusal::BREAK_GLASS_ONLY_UNWRAPS.into());
            }
            if !(1..=LONGEST_BREAK_GLASS).contains(seconds) {
                return Err(refusal::BREAK_GLASS_UNBOUNDED.into());
            }
        }
        Wanted::Rules { .. } => {}
        Wanted::Restored { .. } => return Err(refusal::ACKNOWLEDGE_ONESELF.into()),
    }
    Ok(Permitted::by("admin"))
}

/// Say yes, or no: no is for whoever it concerns, also after a yes.
pub(super) fn decide_answer(
    registry: &Registry,
    who: &Identified<'_>,
    approval: ApprovalId,
    yes: bool,
    now: u64,
) -> Decision {
    let approval = visible(registry, who, approval)?;
    if approval.state != Standing::Open || now >= approval.expires {
        return Err(refusal::ALREADY_ENDED.into());
    }
    if !yes {
        return Ok(Permitted::by("whom-it-concerns"));
    }
    if approval.asker == who.principal.id {
        return Err(refusal::NOT_ONESELF.into());
    }
    if matches!(approval.wanted, Wanted::Restored { .. }) {
        return Err(refusal::ACKNOWLEDGE_ONESELF.into());
    }
    counts(who.principal, approval.seniority, now)?;
    if approval.agreed.is_some() {
        return Err(refusal::EXISTS.into());
    }
    Ok(Permitted::by("second-admin"))
}

/// Use a key that was opened by two.
pub(super) fn decide_use(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    let Action::BreakGlass { approval, key } = action else {
        return Err(refusal::NOT_FOR_DEVICES.into());
    };
    let approval = visible(registry, who, *approval)?;
    match &approval.wanted {
        Wanted::BreakGlass { key: opened, .. } if opened == key => {}
        _ => return Err(refusal::NOT_FOUND.into()),
    }
    stands(registry, who, approval, now)?;
    Ok(Permitted::by("break-glass"))
}

/// Go on without lost history: the first of two, or the second.
pub(super) fn decide_acknowledge(
    registry: &Registry,
    who: &Identified<'_>,
    action: &Action,
    now: u64,
) -> Decision {
    let Action::AcknowledgeLoss { lost, shown_at, seniority, .. } = action else {
        return Err(refusal::NOT_FOR_DEVICES.into());
    };
    if !who.principal.roles.contains(&Role::Admin) {
        return Err(refusal::ADMINS_ONLY.into());
    }
    let tenant = who.principal.tenant;
    let is_it = |loss: &&Loss| loss.size == lost.size && loss.root == lost.root && loss.shown == *shown_at;
    let loss = registry.losses().find(is_it).ok_or(refusal::NOT_FOUND)?;
    if loss.acknowledgement(tenant).is_some() {
        return Err(refusal::ALREADY_ENDED.into());
    }
    if loss.time.is_some_and(|signed| now < signed) {
        return Err(refusal::LOSS_IN_FUTURE.into());
    }
    let wanted = Wanted::Restored { size: lost.size, root: lost.root };
    match first_acknowledgement(registry, tenant, &wanted, now) {
        Some(first) if first.asker == who.principal.id => Err(refusal::CONSENT_MISSING.into()),
        Some(first) => {
            counts(who.principal, first.seniority.max(*seniority), now)?;
            Ok(Permitted::by("second-admin"))
        }
        None => {
            counts(who.principal, *seniority, now)?;
            Ok(Permitted::by("admin"))
        }
    }
}

/// The first yes to going on, if it still counts.
pub fn first_acknowledgement<'a>(
    registry: &'a Registry,
    tenant: TenantId,
    wanted: &Wanted,
    now: u64,
) -> Option<&'a Approval> {
    registry.approvals(tenant).find(|approval| {
        let asker = registry.principal(approval.asker);
        approval.wanted == *wanted
            && approval.state == Standing::Open
            && now < approval.expires
            && asker.is_some_and(|asker| counts(asker, approval.seniority, now).is_ok())
    })
}

/// The consent to exactly these roles or rules, if `who` holds it.
pub(super) fn to_roles(
    registry: &Registry,
    who: &Identified<'_>,
    wanted: &Wanted,
    now: u64,
) -> Option<ApprovalId> {
    let mut approvals = registry.approvals(who.principal.tenant);
    let approval = approvals.find(|a| a.wanted == *wanted && stands(registry, who, a, now).is_ok())?;
    Some(approval.id)
}

/// May they know of it? Administrators of the tenant, and whose key it is.
pub fn concerns(registry: &Registry, principal: &Principal, approval: &Approval) -> bool {
    let is_owner = match &approval.wanted {
        Wanted::BreakGlass { key, .. } => registry.key(key).is_some_and(|key| key.owner == principal.id),
        Wanted::Admin { .. } | Wanted::Rules { .. } | Wanted::Restored { .. } => false,
    };
    approval.tenant == principal.tenant && (is_owner || principal.roles.contains(&Role::Admin))
}

fn visible<'a>(
    registry: &'a Registry,
    who: &Identified<'_>,
    id: ApprovalId,
) -> Result<&'a Approval, Refusal> {
    let approval = registry.approval(id).filter(|approval| concerns(registry, who.principal, approval));
    approval.ok_or_else(|| refusal::NOT_FOUND.into())
}

/// Two who count, one of whom asks, at the right time.
fn stands(registry: &Registry, who: &Identified<'_>, approval: &Approval, now: u64) -> Result<(), Refusal> {
    if approval.asker != who.principal.id {
        return Err(refusal::CONSENT_OF_ANOTHER.into());
    }
    if approval.state != Standing::Open || now >= approval.expires {
        return Err(refusal::ALREADY_ENDED.into());
    }
    let second = approval.agreed.and_then(|second| registry.principal(second));
    let second = second.ok_or(refusal::CONSENT_MISSING)?;
    if now < approval.not_before {
        return Err(refusal::CONSENT_MISSING.into());
    }
    // Who left since, or is no administrator any more, has not agreed.
    counts(who.principal, approval.seniority, now)?;
    counts(second, approval.seniority, now).map_err(|_| refusal::CONSENT_MISSING.into())
}

fn counts(principal: &Principal, seniority: u64, now: u64) -> Result<(), Refusal> {
    if !principal.roles.contains(&Role::Admin) || principal.state != PrincipalState::Active {
        return Err(refusal::ADMINS_ONLY.into());
    }
    match principal.admin_since {
        Some(since) if since.saturating_add(seniority) <= now => Ok(()),
        _ => Err(refusal::ADMIN_TOO_NEW.into()),
    }
}
