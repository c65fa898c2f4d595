// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who may do what with which key: a pure function of (who, action, registry, now). Refuses by default, and says why.
//!
//! [`decide`] is called by the ledger under the log's lock, so a decision is made on the state that its
//! log entry stands on, and a revocation is before it or after it.

mod action;
mod actor;
mod admin;
mod consent;
mod decision;
mod halt;
mod key_use;
mod own_rules;
mod raw;
mod step_up;

use std::time::{SystemTime, UNIX_EPOCH};

use plombe_core::keystore::calls::login::DeviceState;

pub use action::{Action, KeyChange};
pub use actor::{Actor, Claimed, Identified};
pub use consent::{concerns, first_acknowledgement};
pub use decision::{Decision, Permitted, Refusal, refusal};
pub use halt::decide_read;
pub use step_up::purpose_of;

use crate::registry::Registry;

/// May `actor` do this now?
///
/// The order is the order of what may be known: who asks, whether their device may, whether the thing exists for them, and only then
/// whether they may do this with it.
pub fn decide(registry: &Registry, actor: &Actor, action: &Action, now: SystemTime) -> Decision {
    match actor {
        Actor::Server => Ok(Permitted::by("keystore-itself")),
        Actor::Newcomer { .. } => match action {
            Action::LogInWithCode { .. } | Action::LogInWithIdentity { .. } => {
                halt::decide_log_in(registry, action)?;
                Ok(Permitted::by("log-in"))
            }
            _ => Err(refusal::NOT_LOGGED_IN.into()),
        },
        Actor::Device(claimed) => {
            let who = claimed.resolve(registry, action, seconds(now))?;
            if who.device.state == DeviceState::Pending && !action.is_for_pending_devices() {
                return Err(refusal::DEVICE_PENDING.into());
            }
            halt::decide(registry, &who, action)?;
            let permitted = may(registry, &who, action, seconds(now))?;
            step_up::decide(registry, &who, action, claimed.admins_need_passkeys, seconds(now))?;
            own_rules::decide(registry, &who, action, seconds(now))?;
            Ok(permitted)
        }
    }
}

/// May this device do that, a passkey apart?
fn may(registry: &Registry, who: &Identified<'_>, action: &Action, now: u64) -> Decision {
    match action {
        Action::RenewSession
        | Action::LogOut
        | Action::SetRecoveryCode
        | Action::Recover
        | Action::StepUp { .. }
        | Action::AddPasskey => Ok(Permitted::by("own-session")),
        Action::ConfirmByPasskey => match who.device.state {
            DeviceState::Pending => Ok(Permitted::by("own-passkey")),
            _ => Err(refusal::NOT_PENDING.into()),
        },
        Action::RemovePasskey { passkey, .. } => {
            let own = registry.passkey(*passkey).filter(|passkey| passkey.principal == who.principal.id);
            own.map(|_| Permitted::by("owner")).ok_or_else(|| refusal::NOT_FOUND.into())
        }
        Action::ConfirmDevice { device } => own_device(registry, who, *device),
        Action::GenerateKey { .. } | Action::ImportKey { .. } => key_use::may_own_keys(registry, who, action),
        Action::Unwrap { .. }
        | Action::Sign { .. }
        | Action::ChangeKey { .. }
        | Action::KeepChangedKey { .. } => key_use::decide(registry, who, action, now),
        Action::PutBackup { .. } | Action::FetchBackup { .. } => key_use::may_keep_backups(who),
        Action::PublishCertificate { .. } | Action::WithdrawCertificate { .. } => {
            key_use::decide_certificate(registry, who, action)
        }
        Action::AllowRaw { .. } | Action::ForbidRaw { .. } | Action::SharePoint { .. } => {
            raw::decide(registry, who, action, now)
        }
        Action::GiveGrant { .. } | Action::EndGrant { .. } => {
            key_use::decide_grant(registry, who, action, now)
        }
        Action::Revoke { target, .. } => admin::decide_revoke(registry, who, target),
        Action::CreatePrincipal { .. }
        | Action::SetPrincipalState { .. }
        | Action::SetRoles { .. }
        | Action::CreateCode { .. } => admin::decide(registry, who, action, now),
        Action::AskConsent { .. } => consent::decide_ask(registry, who, action, now),
        Action::AnswerConsent { approval, yes } => {
            consent::decide_answer(registry, who, *approval, *yes, now)
        }
        Action::BreakGlass { .. } => consent::decide_use(registry, who, action, now),
        Action::AcknowledgeLoss { .. } => consent::decide_acknowledge(registry, who, action, now),
        Action::SetRules { replaces, rules } => own_rules::decide_set(registry, who, *replaces, rules, now),
        Action::ReadLog => admin::may_audit(who),
        Action::LogInWithCode { .. }
        | Action::LogInWithIdentity { .. }
        | Action::LogOutByProvider { .. }
        | Action::AddTenant { .. }
        | Action::SendChallenge { .. }
        | Action::ChallengeFailed { .. }
        | Action::ConfirmAddress { .. }
        | Action::RevokeByUpload { .. }
        | Action::SetUp
        | Action::ShowLoss { .. }
        | Action::RenewSealing
        | Action::Heartbeat
        | Action::CountRefusals { .. } => Err(refusal::NOT_FOR_DEVICES.into()),
    }
}

/// Only a confirmed device of the same principal confirms another one.
fn own_device(
    registry: &Registry,
    who: &Identified<'_>,
    device: plombe_core::keystore::DeviceId,
) -> Decision {
    let other = registry.device(device).filter(|other| other.principal == who.principal.id);
    match other {
        Some(other) if other.state == DeviceState::Pending => Ok(Permitted::by("own-confirmed-device")),
        Some(_) => Err(refusal::NOT_PENDING.into()),
        None => Err(refusal::NOT_FOUND.into()),
    }
}

/// Whole seconds since 1970, as records count.
pub fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
