// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whom an entry concerns: in whose lists it stands, and whose key seals it.

use plombe_core::keystore::{PrincipalId, TenantId, calls::revoke::Target};

use crate::{
    access_policy::{Action, Actor},
    registry::{INSTANCE, Registry},
};

pub(super) fn actor_principal(registry: &Registry, actor: &Actor) -> Option<PrincipalId> {
    let Actor::Device(claimed) = actor else { return None };
    let session = registry.session(claimed.session)?;
    registry.device(session.device).map(|device| device.principal)
}

/// Whom an act is aimed at, be it refused or not: it stands in their list.
pub(super) fn meant(registry: &Registry, action: &Action) -> Option<PrincipalId> {
    match action {
        Action::LogInWithCode { hash } => registry.code_of_hash(hash).map(|code| code.principal),
        Action::LogInWithIdentity { issuer, subject, address } => registry
            .principal_of_subject(issuer, subject)
            .or_else(|| registry.principal_of_address(address))
            .map(|principal| principal.id),
        Action::Revoke { target: Target::Device(device), .. } | Action::ConfirmDevice { device } => {
            registry.device(*device).map(|device| device.principal)
        }
        Action::Revoke { target: Target::Session(session), .. } => registry
            .session(*session)
            .and_then(|session| registry.device(session.device))
            .map(|device| device.principal),
        _ => action.about().principal.filter(|principal| registry.principal(*principal).is_some()),
    }
}

/// Who has the addresses and the certificate that somebody would publish or withdraw, be it refused or not.
pub(super) fn claimed(registry: &Registry, action: &Action) -> impl Iterator<Item = PrincipalId> {
    let (key, addresses) = match action {
        Action::PublishCertificate { key, addresses } => (Some(key), &addresses[..]),
        Action::WithdrawCertificate { key } => (Some(key), &[][..]),
        _ => (None, &[][..]),
    };
    let in_custody = key.and_then(|key| registry.key(key)).map(|key| key.owner);
    let published = key.and_then(|key| registry.certificate(key)).map(|certificate| certificate.owner);
    let named = addresses.iter().filter_map(|address| registry.owner_of_address(&address.parse().ok()?));
    in_custody.into_iter().chain(published).chain(named.map(|principal| principal.id))
}

/// Whose an entry is: of who acts, of whom it is aimed at, or of what is changed. The keystore's own is only what is nobody's: of
/// several organisations on one keystore, none reads the names of another's people in it.
pub(super) fn whose(
    registry: &Registry,
    actor: &Actor,
    action: &Action,
    concerns: &[PrincipalId],
    changed: Option<TenantId>,
) -> TenantId {
    let acting = tenant_of(registry, actor);
    if acting != INSTANCE {
        return acting;
    }
    let aimed_at = meant(registry, action).or_else(|| concerns.first().copied());
    let tenant = aimed_at.and_then(|id| registry.principal(id)).map(|principal| principal.tenant);
    let named = || match action {
        Action::CreatePrincipal { addresses, .. } => {
            addresses.iter().find_map(|address| registry.tenant_of_address(address)).map(|tenant| tenant.id)
        }
        _ => None,
    };
    tenant.or(changed).or_else(named).unwrap_or(INSTANCE)
}

pub(super) fn tenant_of(registry: &Registry, actor: &Actor) -> TenantId {
    match actor {
        Actor::Device(claimed) => {
            registry.session(claimed.session).map_or(INSTANCE, |session| session.tenant)
        }
        _ => INSTANCE,
    }
}
