// SPDX-License-Identifier: LGPL-2.0-or-later
//! The recovery code: confirms a device when no other is left.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use plombe_core::keystore::{
    ProblemCode, RecoveryCode,
    calls::{
        Done,
        login::DeviceState,
        recovery::{Recover, SetRecoveryCode},
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Actor, Refusal, refusal},
    app::App,
    ledger::{Act, Effects, Scene},
    registry::{Device, Principal, Record},
};

impl Serve for SetRecoveryCode {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        let hash = self.hash.0.try_into();
        let hash = hash.map_err(|_| Failure::new(ProblemCode::Malformed, "the hash has 32 bytes"))?;
        Ok(app.ledger.ask(caller.ask(Set(hash))).await?.answer)
    }
}

impl Serve for Recover {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        // A code has 128 bits; this is about the peace of the log.
        if !app.limits.log_in(caller.from) {
            return Err(Failure::new(ProblemCode::RateLimited, "too many requests")
                .hint("wait a minute")
                .counted("rate-limited"));
        }
        let hash = RecoveryCode::hash(self.secret.expose());
        Ok(app.ledger.ask(caller.ask(Use(hash))).await?.answer)
    }
}

struct Set([u8; 32]);

impl Act for Set {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::SetRecoveryCode
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let (_, principal) = own(scene)?;
        let principal = Principal { recovery: Some(self.0), ..principal.clone() };
        Ok(Effects { put: vec![Record::Principal(principal)], ..Effects::none(Done {}) })
    }
}

struct Use([u8; 32]);

impl Act for Use {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::Recover
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let (device, principal) = own(scene)?;
        if device.state != DeviceState::Pending {
            return Err(refusal::NOT_PENDING.into());
        }
        let right = principal.recovery.is_some_and(|hash| verify_slices_are_equal(&hash, &self.0).is_ok());
        if !right {
            return Err(refusal::RECOVERY_WRONG.into());
        }
        let confirmed = Device { state: DeviceState::Confirmed, ..device.clone() };
        // It works once: whoever saw it being typed has nothing.
        let principal = Principal { recovery: None, ..principal.clone() };
        let put = vec![Record::Device(confirmed), Record::Principal(principal)];
        Ok(Effects { put, ..Effects::none(Done {}) })
    }
}

fn own<'a>(scene: &Scene<'a>) -> Result<(&'a Device, &'a Principal), Refusal> {
    let Actor::Device(claimed) = scene.actor else { return Err(refusal::NOT_LOGGED_IN.into()) };
    let session = scene.registry.session(claimed.session).ok_or(refusal::NOT_LOGGED_IN)?;
    let device = scene.registry.device(session.device).ok_or(refusal::NOT_LOGGED_IN)?;
    let principal = scene.registry.principal(device.principal).ok_or(refusal::NOT_LOGGED_IN)?;
    Ok((device, principal))
}
