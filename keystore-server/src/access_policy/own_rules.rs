// SPDX-License-Identifier: LGPL-2.0-or-later
//! The organisation's own rules, and who may change them. They are asked about what the built-in rules have permitted, and can only
//! take it back.

use std::borrow::Cow;

use plombe_core::keystore::{
    ProblemCode,
    access_rules::{AccessRules, Demand, Request},
    calls::login::Role,
};

use super::{Action, Decision, Identified, Permitted, Refusal, consent, refusal, step_up};
use crate::registry::{Purpose, Registry, Wanted};

/// Does a rule take it back?
pub(super) fn decide(
    registry: &Registry,
    who: &Identified<'_>,
    action: &Action,
    now: u64,
) -> Result<(), Refusal> {
    let Some(own) = registry.rules(who.principal.tenant) else { return Ok(()) };
    let request = Request {
        action: action.code(),
        principal: who.principal.id,
        roles: &who.principal.roles,
        key: action.key(),
        now,
    };
    let Some(rule) = own.rules.applying(&request) else { return Ok(()) };
    let purpose = step_up::purpose(registry, who, action).unwrap_or(Purpose::KeyUse);
    let (problem, message, hint) = match rule.demand {
        Demand::Passkey if who.session.has_stepped_up(purpose, now) => return Ok(()),
        Demand::Passkey if registry.passkeys_of(who.principal.id).next().is_some() => {
            (ProblemCode::StepUpNeeded, "demands a passkey for this", "show your passkey")
        }
        Demand::Passkey => {
            (ProblemCode::Denied, "demands a passkey for this", "add one: `plombe passkey add`")
        }
        Demand::Forbid => (ProblemCode::Denied, "forbids this", "ask an administrator"),
    };
    Err(Refusal {
        rule: Cow::Owned(format!("rule:{}", rule.id)),
        problem,
        message: Cow::Owned(format!("your organisation's rule {} {message}: {}", rule.id, rule.why)),
        hint: Some(Cow::Borrowed(hint)),
    })
}

/// Stricter rules are one administrator's; for others somebody has agreed to exactly these.
pub(super) fn decide_set(
    registry: &Registry,
    who: &Identified<'_>,
    replaces: u64,
    rules: &AccessRules,
    now: u64,
) -> Decision {
    if !who.principal.roles.contains(&Role::Admin) {
        return Err(refusal::ADMINS_ONLY.into());
    }
    let old = registry.rules(who.principal.tenant);
    if old.map_or(0, |old| old.version) != replaces {
        return Err(refusal::RULES_CHANGED_MEANWHILE.into());
    }
    let nothing = AccessRules::default();
    if rules.is_stricter_than(old.map_or(&nothing, |old| &old.rules)) {
        return Ok(Permitted::by("admin"));
    }
    match consent::to_roles(registry, who, &Wanted::Rules { rules: rules.clone() }, now) {
        Some(_) => Ok(Permitted::by("two-admins")),
        None => Err(refusal::RULES_NEED_CONSENT.into()),
    }
}
