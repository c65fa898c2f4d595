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

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal},
    app::App,
    ledger::{Act, Effects, Scene},
    registry::{Device, Principal, Record, Registry},
};

impl Serve for Revoke {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Ended, Failure> {
        Ok(app.ledger.ask(caller.ask(End(self.target))).await?.answer)
    }
}

struct End(Target);

impl Act for End {
    type Answer = Ended;

    fn action(&self) -> Action {
        Action::Revoke { target: self.0 }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Ended>, Refusal> {
        let registry = scene.registry;
        // What was decided before this entry stands before it; nothing after it is served.
        let mut effects = Effects::none(Ended { position: scene.position, ..Ended::default() });
        match self.0 {
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
            Target::Principal(id) => end_principal(registry, id, &mut effects)?,
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

/// Devices, sessions, codes, and every grant that they hold or gave. Their keys stay, so that what was sent to them is not lost to
/// the organisation, and open to nobody without break-glass.
fn end_principal(registry: &Registry, id: PrincipalId, effects: &mut Effects<Ended>) -> Result<(), Refusal> {
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
    effects
        .ended
        .extend(registry.codes().filter(|code| code.principal == id).map(|c| Record::Code(c.clone()).key()));
    let given = registry.keys_of(id).flat_map(|key| registry.grants_on(&key.id));
    for grant in registry.grants_to(id).chain(given) {
        effects.concerns.extend([grant.owner, grant.to]);
        effects.ended.push(Record::Grant(grant.clone()).key());
        effects.answer.grants.push(grant.id);
    }
    Ok(())
}
