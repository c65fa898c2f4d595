// SPDX-License-Identifier: LGPL-2.0-or-later
//! What needs a passkey. Whoever has one shows it for what a stolen device must not be able to do alone.

use plombe_core::keystore::calls::{
    Call, approvals, audit, backup, certificates, custody,
    devices::ConfirmDevice,
    directory::PublishCertificate,
    grants::GiveGrant,
    history::AcknowledgeLoss,
    keys::{self, ImportKey},
    passkeys, principals,
    raw::{AllowRaw, SharePoint},
    recovery::SetRecoveryCode,
    revoke::{Revoke, Target},
    rules,
};

use super::{Action, Identified, Refusal, refusal};
use crate::registry::{Purpose, Registry};

/// Was it shown, where it has to be?
pub(super) fn decide(
    registry: &Registry,
    who: &Identified<'_>,
    action: &Action,
    admins_need_passkeys: bool,
    now: u64,
) -> Result<(), Refusal> {
    let Some(purpose) = purpose(registry, who, action) else { return Ok(()) };
    let has_one = registry.passkeys_of(who.principal.id).next().is_some();
    match purpose {
        Purpose::ThisDevice if !has_one => Err(refusal::PASSKEY_MISSING.into()),
        Purpose::Administration if !has_one && admins_need_passkeys => Err(refusal::PASSKEY_REQUIRED.into()),
        _ if has_one && !who.session.has_stepped_up(purpose, now) => Err(refusal::STEP_UP_NEEDED.into()),
        _ => Ok(()),
    }
}

pub(super) fn purpose(registry: &Registry, who: &Identified<'_>, action: &Action) -> Option<Purpose> {
    match action {
        Action::ConfirmByPasskey => Some(Purpose::ThisDevice),
        Action::ConfirmDevice { .. }
        | Action::SetRecoveryCode
        | Action::AddPasskey
        | Action::RemovePasskey { by_recovery: false, .. } => Some(Purpose::Devices),
        Action::ImportKey { .. } => Some(Purpose::Import),
        Action::GiveGrant { .. } | Action::AllowRaw { .. } => Some(Purpose::Delegation),
        Action::ChangeKey { .. } | Action::PublishCertificate { .. } => Some(Purpose::Certification),
        // The one before is gone, and with it what was in it.
        Action::PutBackup { key } if registry.backup(who.principal.id, key).is_some() => {
            Some(Purpose::KeyUse)
        }
        // To cut off one's own lost device must be easy.
        Action::Revoke { target, .. } if !is_own(registry, who, target) => Some(Purpose::Administration),
        Action::CreatePrincipal { .. }
        | Action::SetPrincipalState { .. }
        | Action::SetRoles { .. }
        | Action::CreateCode { .. }
        | Action::AskConsent { .. }
        | Action::AcknowledgeLoss { .. }
        | Action::AnswerConsent { yes: true, .. }
        | Action::SetRules { .. }
        | Action::BreakGlass { .. } => Some(Purpose::Administration),
        _ => None,
    }
}

fn is_own(registry: &Registry, who: &Identified<'_>, target: &Target) -> bool {
    let device = match target {
        Target::Principal(_) => None,
        Target::Device(device) => Some(*device),
        Target::Session(session) => registry.session(*session).map(|session| session.device),
    };
    device
        .and_then(|device| registry.device(device))
        .is_some_and(|device| device.principal == who.principal.id)
}

/// What a passkey would be shown for, by the path of the call that was refused.
pub fn purpose_of(path: &str) -> Option<Purpose> {
    const PATHS: &[(&str, Purpose)] = &[
        (passkeys::ConfirmByPasskey::PATH, Purpose::ThisDevice),
        (ConfirmDevice::PATH, Purpose::Devices),
        (SetRecoveryCode::PATH, Purpose::Devices),
        (passkeys::AddPasskey::PATH, Purpose::Devices),
        (passkeys::StartPasskey::PATH, Purpose::Devices),
        (passkeys::RemovePasskey::PATH, Purpose::Devices),
        (ImportKey::PATH, Purpose::Import),
        (GiveGrant::PATH, Purpose::Delegation),
        (AllowRaw::PATH, Purpose::Delegation),
        (certificates::CertifyUserIds::PATH, Purpose::Certification),
        (certificates::RotateSubkeys::PATH, Purpose::Certification),
        (certificates::SetExpiry::PATH, Purpose::Certification),
        (certificates::RevokeKey::PATH, Purpose::Certification),
        (certificates::AddUserId::PATH, Purpose::Certification),
        (PublishCertificate::PATH, Purpose::Certification),
        (Revoke::PATH, Purpose::Administration),
        (principals::CreatePrincipal::PATH, Purpose::Administration),
        (principals::SetPrincipalState::PATH, Purpose::Administration),
        (principals::SetRoles::PATH, Purpose::Administration),
        (principals::CreateCode::PATH, Purpose::Administration),
        (approvals::RequestAdmin::PATH, Purpose::Administration),
        (approvals::RequestBreakGlass::PATH, Purpose::Administration),
        (approvals::Approve::PATH, Purpose::Administration),
        (approvals::BreakGlassUnwrap::PATH, Purpose::Administration),
        (AcknowledgeLoss::PATH, Purpose::Administration),
        (rules::SetRules::PATH, Purpose::Administration),
        (rules::RequestRules::PATH, Purpose::Administration),
        (custody::Unwrap::PATH, Purpose::KeyUse),
        (custody::SignDigest::PATH, Purpose::KeyUse),
        (SharePoint::PATH, Purpose::KeyUse),
        (keys::GenerateKey::PATH, Purpose::KeyUse),
        (backup::PutBackup::PATH, Purpose::KeyUse),
        (backup::FetchBackup::PATH, Purpose::KeyUse),
        (audit::ListEntries::PATH, Purpose::KeyUse),
    ];
    PATHS.iter().find(|(known, _)| *known == path).map(|(_, purpose)| *purpose)
}
