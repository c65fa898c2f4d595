// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who may use which key, and who may let others.

use plombe_core::keystore::calls::{grants::KeyUse, login::Role, principals::PrincipalState};

use super::{Action, Decision, Identified, KeyChange, Permitted, refusal};
use crate::{
    directory::own_addresses,
    registry::{Grant, Key, KeyState, Registry},
};

/// Longest time of a grant: what is never looked at again should end by itself.
const LONGEST_GRANT: u64 = 366 * 24 * 3600;

/// Own keys are for users, and only for addresses that are theirs.
pub(super) fn may_own_keys(registry: &Registry, who: &Identified<'_>, action: &Action) -> Decision {
    if !who.principal.roles.contains(&Role::User) {
        return Err(refusal::NO_KEYS_FOR_ROLE.into());
    }
    let (Action::GenerateKey { addresses } | Action::ImportKey { addresses, .. }) = action else {
        return Err(refusal::NOT_FOR_DEVICES.into());
    };
    let own = |address: &String| who.principal.addresses.contains(address);
    if !addresses.is_empty() && addresses.iter().all(own) {
        return Ok(Permitted::by("own-address"));
    }
    // An admin could as well make somebody up who has it. Nobody's mail is nobody's secret; the address is theirs from then on.
    let is_admin = who.principal.roles.contains(&Role::Admin);
    let nobodys = |address: &String| {
        let tenant = registry.tenant(who.principal.tenant);
        tenant.is_some_and(|tenant| tenant.has_address(address))
            && registry.principal_of_address(address).is_none()
    };
    if is_admin && !addresses.is_empty() && addresses.iter().all(|address| own(address) || nobodys(address)) {
        return Ok(Permitted::by("admin-takes-free-address"));
    }
    Err(refusal::ADDRESS_NOT_YOURS.into())
}

/// Backups of one's own keys are for users; whose a backup is stands in its name.
pub(super) fn may_keep_backups(who: &Identified<'_>) -> Decision {
    match who.principal.roles.contains(&Role::User) {
        true => Ok(Permitted::by("own-backup")),
        false => Err(refusal::NO_KEYS_FOR_ROLE.into()),
    }
}

/// Only the owner of an address says which certificate the directory shows for it, and nothing is put in another's place.
pub(super) fn decide_certificate(registry: &Registry, who: &Identified<'_>, action: &Action) -> Decision {
    if !who.principal.roles.contains(&Role::User) {
        return Err(refusal::NO_KEYS_FOR_ROLE.into());
    }
    match action {
        Action::PublishCertificate { key, addresses } => {
            let own = own_addresses(registry, who.principal);
            let is_own = |address: &String| own.iter().any(|own| own.matches(address));
            if addresses.is_empty() || !addresses.iter().all(is_own) {
                return Err(refusal::ADDRESS_NOT_YOURS.into());
            }
            if registry.key(key).is_some() || registry.key_of_subkey(key).is_some() {
                return Err(refusal::IN_CUSTODY.into());
            }
            match registry.certificate(key) {
                Some(other) if other.owner != who.principal.id => Err(refusal::CERTIFICATE_OF_ANOTHER.into()),
                _ => Ok(Permitted::by("own-address")),
            }
        }
        Action::WithdrawCertificate { key } => match registry.certificate(key) {
            // An older copy without the revocation could be published in its place.
            Some(own) if own.owner == who.principal.id && own.revoked => Err(refusal::KEY_REVOKED.into()),
            Some(own) if own.owner == who.principal.id => Ok(Permitted::by("owner")),
            _ => Err(refusal::NOT_FOUND.into()),
        },
        _ => Err(refusal::NOT_FOR_DEVICES.into()),
    }
}

/// Unwrap, sign, or use the key that certifies.
pub(super) fn decide(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    let Some(key) = action.key().and_then(|key| registry.key(key)) else {
        return Err(refusal::NOT_FOUND.into());
    };
    if key.tenant != who.principal.tenant {
        return Err(refusal::NOT_FOUND.into());
    }
    let wanted = match action {
        Action::Unwrap { .. } => KeyUse::Unwrap,
        Action::Sign { .. } => KeyUse::Sign,
        _ => KeyUse::Certify,
    };
    let rule = may_use(registry, who, key, wanted, now)?;
    match action {
        // Binary and text.
        Action::Sign { claim, .. } if claim.signature_type > 1 => Err(refusal::SIGNATURE_TYPE.into()),
        Action::Sign { .. } if key.state == KeyState::Revoked => Err(refusal::KEY_REVOKED.into()),
        Action::Sign { subkey, .. } if !key.signing.contains(subkey) => Err(refusal::SUBKEY_UNFIT.into()),
        Action::Unwrap { .. } if key.unwrapping.is_empty() => Err(refusal::SUBKEY_UNFIT.into()),
        // Revoking what is revoked may make it worse: retired becomes compromised.
        Action::ChangeKey { how, .. } | Action::KeepChangedKey { how, .. }
            if key.state == KeyState::Revoked && *how != KeyChange::Revoke =>
        {
            Err(refusal::KEY_REVOKED.into())
        }
        _ => Ok(Permitted::by(rule)),
    }
}

/// By which rule, if any. Being an admin is none.
fn may_use(
    registry: &Registry,
    who: &Identified<'_>,
    key: &Key,
    wanted: KeyUse,
    now: u64,
) -> Result<&'static str, super::Refusal> {
    if key.owner == who.principal.id {
        return Ok("owner");
    }
    let mut held = registry.grants_on(&key.id).filter(|grant| grant.to == who.principal.id).peekable();
    if held.peek().is_none() {
        return Err(refusal::KEY_NOT_YOURS.into());
    }
    let covers = |grant: &Grant| {
        // Certifying is the owner's alone, whatever a grant says.
        wanted != KeyUse::Certify && grant.uses.contains(&wanted) && grant.given <= now && now < grant.expires
    };
    // Whose owner has left lends nothing any more.
    let owner_active =
        registry.principal(key.owner).is_some_and(|owner| owner.state == PrincipalState::Active);
    if owner_active && held.any(covers) { Ok("grant") } else { Err(refusal::GRANT_DOES_NOT_COVER.into()) }
}

/// Give a grant, or end one.
pub(super) fn decide_grant(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    match action {
        Action::GiveGrant { key, to, uses, expires } => {
            let key = registry.key(key).ok_or(refusal::NOT_FOUND)?;
            // Only the owner, and decide() has seen that it is from a confirmed device of theirs.
            if key.owner != who.principal.id {
                return Err(refusal::KEY_NOT_YOURS.into());
            }
            let to = registry.principal(*to).ok_or(refusal::NOT_FOUND)?;
            if to.tenant != key.tenant || to.state == PrincipalState::Ended {
                return Err(refusal::NOT_FOUND.into());
            }
            let bounded = *expires > now && *expires - now <= LONGEST_GRANT;
            let lent = [KeyUse::Certify, KeyUse::Raw].iter().all(|own| !uses.contains(own));
            if uses.is_empty() || !lent || !bounded || to.id == key.owner {
                return Err(refusal::GRANT_UNBOUNDED.into());
            }
            Ok(Permitted::by("owner"))
        }
        Action::EndGrant { grant } => {
            let grant = registry.grant(*grant).ok_or(refusal::NOT_FOUND)?;
            if grant.owner == who.principal.id {
                Ok(Permitted::by("owner"))
            } else if grant.to == who.principal.id {
                Ok(Permitted::by("holder"))
            } else {
                Err(refusal::NOT_FOUND.into())
            }
        }
        _ => Err(refusal::NOT_FOR_DEVICES.into()),
    }
}
