// SPDX-License-Identifier: LGPL-2.0-or-later
//! The session itself: renew it, end it, ask whose it is.

use plombe_core::keystore::{
    SessionToken,
    calls::{
        Done,
        login::{Identity, SessionGrant},
        session::{LogOut, RenewSession, WhoAmI},
    },
};

use super::{Caller, Failure, Serve, log_in::identity};
use crate::{
    access_policy::{Action, Actor, Refusal, refusal, seconds},
    app::{App, Times},
    fresh,
    ledger::{Act, Effects, Scene},
    registry::{Record, Session},
};

impl Serve for WhoAmI {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Identity, Failure> {
        let registry = app.ledger.registry();
        let who = caller.even_pending(app, &registry)?;
        Ok(identity(who.principal, who.device))
    }
}

impl Serve for RenewSession {
    async fn serve(self, app: &App, caller: &Caller) -> Result<SessionGrant, Failure> {
        let act = Renew { token: fresh::session_token(), times: app.times };
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

impl Serve for LogOut {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        Ok(app.ledger.ask(caller.ask(End)).await?.answer)
    }
}

struct Renew {
    token: SessionToken,
    times: Times,
}

impl Act for Renew {
    type Answer = SessionGrant;

    fn action(&self) -> Action {
        Action::RenewSession
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<SessionGrant>, Refusal> {
        let old = own_session(scene)?;
        let expires = old.ends.min(seconds(scene.now) + self.times.session.as_secs());
        // Other programs of this device may hold the old value; it ends when it would have.
        let before = Some((old.hash, old.expires));
        let session = Session { hash: self.token.hash().0, before, expires, ..old.clone() };
        let grant =
            SessionGrant { token: self.token.clone(), id: old.id, expires_at: expires, ends_at: old.ends };
        Ok(Effects { put: vec![Record::Session(session)], ..Effects::none(grant) })
    }
}

struct End;

impl Act for End {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::LogOut
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let session = own_session(scene)?;
        Ok(Effects { ended: vec![Record::Session(session.clone()).key()], ..Effects::none(Done {}) })
    }
}

fn own_session<'a>(scene: &Scene<'a>) -> Result<&'a Session, Refusal> {
    let Actor::Device(claimed) = scene.actor else { return Err(refusal::NOT_LOGGED_IN.into()) };
    scene.registry.session(claimed.session).ok_or_else(|| refusal::NOT_LOGGED_IN.into())
}
