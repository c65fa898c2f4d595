// SPDX-License-Identifier: LGPL-2.0-or-later
//! Raw use of a key by its owner's device: allowed, ended, done.

use plombe_core::keystore::{
    KeyFingerprint, SecretBytes,
    calls::{
        Done,
        raw::{AllowRaw, ForbidRaw, RawAllowed, SharePoint, SharedPoint},
    },
};

use super::{Caller, Failure, Serve, custody::not_too_often};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    custody::SharePointAct,
    ledger::{Act, Effects, Scene},
    registry::{RawUse, Record},
};

impl Serve for AllowRaw {
    async fn serve(self, app: &App, caller: &Caller) -> Result<RawAllowed, Failure> {
        Ok(app.ledger.ask(caller.ask(Allow(self))).await?.answer)
    }
}

impl Serve for ForbidRaw {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        Ok(app.ledger.ask(caller.ask(Forbid(self.key))).await?.answer)
    }
}

impl Serve for SharePoint {
    async fn serve(self, app: &App, caller: &Caller) -> Result<SharedPoint, Failure> {
        not_too_often(app, caller)?;
        let context = self.context.clone();
        let granted =
            app.ledger.ask(caller.ask_for(SharePointAct { call: self, key: None }, context)).await?;
        let position = granted.permit.position();
        let shared = app.vault.share_point(granted.permit).await?;
        Ok(SharedPoint { shared: SecretBytes::new(&shared[..]), position })
    }
}

struct Allow(AllowRaw);

impl Act for Allow {
    type Answer = RawAllowed;

    fn action(&self) -> Action {
        Action::AllowRaw { key: self.0.key.clone(), seconds: self.0.seconds }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<RawAllowed>, Refusal> {
        let who = scene.who()?;
        let given = seconds(scene.now);
        let allowed = RawUse {
            key: self.0.key.clone(),
            device: who.device.id,
            owner: who.principal.id,
            tenant: who.principal.tenant,
            given,
            expires: given.saturating_add(self.0.seconds),
        };
        let answer = RawAllowed { expires_at: allowed.expires, position: scene.position };
        Ok(Effects { put: vec![Record::RawUse(allowed)], ..Effects::none(answer) })
    }
}

struct Forbid(KeyFingerprint);

impl Act for Forbid {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::ForbidRaw { key: self.0.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let who = scene.who()?;
        let devices = scene.registry.devices_of(who.principal.id);
        let given = devices.filter_map(|device| scene.registry.raw_use(&self.0, device.id));
        let ended = given.map(|given| Record::RawUse(given.clone()).key()).collect();
        Ok(Effects { ended, ..Effects::none(Done {}) })
    }
}

impl Act for SharePointAct {
    type Answer = ();
    /// The answer is not the ledger's: the same request again is another use of the key, with its own entry.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::SharePoint { key: self.call.key.clone(), subkey: self.call.subkey.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.key = Some(scene.registry.key(&self.call.key).ok_or(refusal::NOT_FOUND)?.clone());
        Ok(Effects::none(()))
    }
}
