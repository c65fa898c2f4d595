// SPDX-License-Identifier: LGPL-2.0-or-later
//! One's devices: see them, and say which new one is one's own.

use plombe_core::keystore::calls::{
    Done, devices,
    devices::{ConfirmDevice, Devices, ListDevices},
    login::{DeviceState, Role},
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal},
    app::App,
    ledger::{Act, Effects, Scene},
    registry::{Device, Record},
};

impl Serve for ListDevices {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Devices, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let whose = self.principal.unwrap_or(who.principal.id);
        let other = registry.principal(whose).filter(|other| other.tenant == who.principal.tenant);
        let may = whose == who.principal.id || who.principal.roles.contains(&Role::Admin);
        if other.is_none() || !may {
            return Err(Refusal::from(refusal::NOT_FOUND).into());
        }
        let mut devices: Vec<_> = registry.devices_of(whose).map(describe).collect();
        devices.reverse();
        Ok(Devices { devices })
    }
}

fn describe(device: &Device) -> devices::Device {
    devices::Device {
        id: device.id,
        principal: device.principal,
        name: device.name.clone(),
        thumbprint: device.thumbprint,
        state: device.state,
        enrolled_by: device.enrolled_by.clone(),
        enrolled_at: device.enrolled,
    }
}

impl Serve for ConfirmDevice {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        Ok(app.ledger.ask(caller.ask(Confirm(self))).await?.answer)
    }
}

struct Confirm(ConfirmDevice);

impl Act for Confirm {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::ConfirmDevice { device: self.0.device }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let device = scene.registry.device(self.0.device).ok_or(refusal::NOT_FOUND)?;
        // What a person compared was a key, and exactly that one is confirmed.
        if device.thumbprint != self.0.thumbprint {
            return Err(refusal::OTHER_THUMBPRINT.into());
        }
        let confirmed = Device { state: DeviceState::Confirmed, ..device.clone() };
        Ok(Effects { put: vec![Record::Device(confirmed)], ..Effects::none(Done {}) })
    }
}
