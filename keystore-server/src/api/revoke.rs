// SPDX-License-Identifier: LGPL-2.0-or-later
//! One call ends something and everything derived from it.

use plombe_core::keystore::{
    DeviceId, PrincipalId,
    calls::{
        login::DeviceState,
        principals::PrincipalState,
        revoke::{Ended, Revoke, Target},
    },
};

use super::{
    Caller, Failure, Serve,
    approvals::{remark, whom},
};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    ledger::{Act, Effects, Scene},
    registry::{Approval, Device, Principal, Record, Registry, Standing, Wanted},
};

impl Serve for Revoke {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Ended, Failure> {
        let end = End { target: self.target, reason: remark(&self.reason)? };
        Ok(app.ledger.ask(caller.ask(end)).await?.answer)
    }
}

struct End {
    target: Target,
    reason: String,
}

impl Act for End {
    type Answer = Ended;

    fn action(&self) -> Action {
        Action::Revoke { target: self.target, reason: self.reason.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Ended>, Refusal> {
        let registry = scene.registry;
        // What was decided before this entry stands before it; nothing after it is served.
        let mut effects = Effects::none(Ended { position: scene.position, ..Ended::default() });
        match self.target {
            Target::Session(id) => {
                let session = registry.session(id).ok_or(refusal::NOT_FOUND)?;
                effects.concerns.extend(registry.device(session.device).map(|device| device.principal));
                effects.ended.push(Record::Session(session.clone()).key());
                effects.answer.sessions.push(id);
            }
            Target::Device(id) => {
                let device = registry.device(id).ok_or(refusal::NOT_FOUND)?;
                effects.concerns.push(device.principal);
                end_device(registry, id, &mut effects);
            }
            Target::Principal(id) => end_principal(registry, id, seconds(scene.now), &mut effects)?,
        }
        Ok(effects)
    }
}

/// The device stays on record, so that its key never speaks for anybody again.
fn end_device(registry: &Registry, id: DeviceId, effects: &mut Effects<Ended>) {
    let Some(device) = registry.device(id) else { return };
    if device.state != DeviceState::Revoked {
        effects.put.push(Record::Device(Device { state: DeviceState::Revoked, ..device.clone() }));
        effects.answer.devices.push(id);
    }
    for session in registry.sessions_of(id) {
        effects.ended.push(Record::Session(session.clone()).key());
        effects.answer.sessions.push(session.id);
    }
}

/// Devices, sessions, codes, every grant that they hold or gave, and what waits for others or was agreed with them. Their keys stay, so that what was sent to them is not lost to
/// the organisation, and open to nobody without break-glass.
fn end_principal(
    registry: &Registry,
    id: PrincipalId,
    now: u64,
    effects: &mut Effects<Ended>,
) -> Result<(), Refusal> {
    let principal = registry.principal(id).ok_or(refusal::NOT_FOUND)?;
    effects.concerns.push(id);
    effects.put.push(Record::Principal(Principal {
        state: PrincipalState::Ended,
        recovery: None,
        ..principal.clone()
    }));
    for device in registry.devices_of(id) {
        end_device(registry, device.id, effects);
    }
    for code in registry.codes().filter(|code| code.principal == id) {
        effects.ended.push(Record::Code(code.clone()).key());
        effects.answer.codes.push(code.id);
    }
    let given = registry.keys_of(id).flat_map(|key| registry.grants_on(&key.id));
    for grant in registry.grants_to(id).chain(given) {
        effects.concerns.extend([grant.owner, grant.to]);
        effects.ended.push(Record::Grant(grant.clone()).key());
        effects.answer.grants.push(grant.id);
    }
    let stands = |approval: &&Approval| approval.state == Standing::Open && now < approval.expires;
    let leans = |approval: &&Approval| {
        let is_about = matches!(&approval.wanted, Wanted::Admin { principal, .. } if *principal == id);
        approval.asker == id || approval.agreed == Some(id) || is_about
    };
    for approval in registry.approvals(principal.tenant).filter(stands).filter(leans) {
        effects.concerns.extend(whom(registry, approval));
        effects.put.push(Record::Approval(Approval { state: Standing::Ended, ..approval.clone() }));
        effects.answer.approvals.push(approval.id);
    }
    Ok(())
}
