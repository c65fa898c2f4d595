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

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, UNIX_EPOCH},
    };

    use plombe_core::keystore::{
        DeviceId, DeviceThumbprint, PrincipalId, SessionId, TenantId,
        calls::{
            login::{DeviceState, Role},
            principals::PrincipalState,
        },
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        access_policy::Claimed,
        registry::{Device, Principal, Registry},
    };

    const LOG_IN: u64 = 1_800_000_000;
    const ENDS: u64 = LOG_IN + 12 * 3600;
    const FIRST: [u8; 32] = [1; 32];
    const DEVICE: DeviceThumbprint = DeviceThumbprint([7; 32]);

    /// Alice has just logged in: her session's value is good for ten minutes.
    fn logged_in() -> Registry {
        let tenant = TenantId(Uuid::from_u128(1));
        let principal = Principal {
            id: PrincipalId(Uuid::from_u128(2)),
            tenant,
            name: String::new(),
            addresses: vec!["alice@example.org".into()],
            roles: [Role::User].into(),
            admin_since: None,
            state: PrincipalState::Active,
            recovery: None,
            subject: None,
            created: LOG_IN,
        };
        let device = Device {
            id: DeviceId(Uuid::from_u128(3)),
            tenant,
            principal: principal.id,
            name: "laptop".into(),
            thumbprint: DEVICE,
            state: DeviceState::Confirmed,
            enrolled_by: "code".into(),
            enrolled: LOG_IN,
        };
        let session = Session {
            id: SessionId(Uuid::from_u128(4)),
            hash: FIRST,
            before: None,
            tenant,
            device: device.id,
            expires: LOG_IN + 600,
            ends: ENDS,
            provider: None,
            stepped_up: Default::default(),
        };
        let mut registry = Registry::default();
        for record in [Record::Principal(principal), Record::Device(device), Record::Session(session)] {
            registry.put(Arc::new(record));
        }
        registry
    }

    fn who(hash: [u8; 32]) -> Claimed {
        let session = SessionId(Uuid::from_u128(4));
        Claimed { session, hash, thumbprint: DEVICE, admins_need_passkeys: false }
    }

    /// What comes of a value, for something at some time: no rule, or by which it is refused.
    fn refused(registry: &Registry, hash: [u8; 32], action: &Action, now: u64) -> Option<String> {
        who(hash).resolve(registry, action, now).err().map(|refusal| refusal.rule.into_owned())
    }

    /// Renews, and gives the hash of the new value.
    fn renew(registry: &mut Registry, hash: [u8; 32], now: u64) -> (SessionGrant, [u8; 32]) {
        let mut act = Renew { token: fresh::session_token(), times: Times::default() };
        let actor = Actor::Device(who(hash));
        let now = UNIX_EPOCH + Duration::from_secs(now);
        let effects = act.effects(&Scene { registry, actor: &actor, now, position: 0 }).unwrap();
        assert!(effects.ended.is_empty() && effects.put.len() == 1);
        for record in effects.put {
            registry.put(Arc::new(record));
        }
        (effects.answer, act.token.hash().0)
    }

    #[test]
    fn a_new_value_is_good_for_ten_minutes_and_never_beyond_the_log_in() {
        let mut registry = logged_in();
        let (grant, second) = renew(&mut registry, FIRST, LOG_IN + 100);
        assert_eq!((grant.expires_at, grant.ends_at), (LOG_IN + 700, ENDS));
        assert_eq!(refused(&registry, second, &Action::SetRecoveryCode, LOG_IN + 699), None);
        let late = refused(&registry, second, &Action::SetRecoveryCode, LOG_IN + 700);
        assert_eq!(late.as_deref(), Some("session-expired"));

        let (grant, third) = renew(&mut registry, second, ENDS - 599);
        assert_eq!((grant.expires_at, grant.ends_at), (ENDS, ENDS));
        assert_eq!(refused(&registry, third, &Action::SetRecoveryCode, ENDS - 1), None);
        let late = refused(&registry, third, &Action::SetRecoveryCode, ENDS);
        assert_eq!(late.as_deref(), Some("session-expired"));
    }

    #[test]
    fn the_value_before_keeps_its_own_end_and_the_one_before_that_is_nobodys() {
        let mut registry = logged_in();
        let (_, second) = renew(&mut registry, FIRST, LOG_IN + 500);
        assert_eq!(refused(&registry, FIRST, &Action::SetRecoveryCode, LOG_IN + 599), None);
        let late = refused(&registry, FIRST, &Action::SetRecoveryCode, LOG_IN + 600);
        assert_eq!(late.as_deref(), Some("session-expired"));
        assert_eq!(refused(&registry, second, &Action::SetRecoveryCode, LOG_IN + 600), None);

        renew(&mut registry, second, LOG_IN + 550);
        for action in [Action::SetRecoveryCode, Action::RenewSession] {
            let forgotten = refused(&registry, FIRST, &action, LOG_IN + 551);
            assert_eq!(forgotten.as_deref(), Some("no-session"));
        }
    }

    #[test]
    fn a_value_that_ran_out_renews_until_the_log_in_ends_and_does_nothing_else() {
        let mut registry = logged_in();
        for now in [LOG_IN + 600, ENDS - 1] {
            assert_eq!(refused(&registry, FIRST, &Action::RenewSession, now), None);
            let other = refused(&registry, FIRST, &Action::SetRecoveryCode, now);
            assert_eq!(other.as_deref(), Some("session-expired"));
        }
        let late = refused(&registry, FIRST, &Action::RenewSession, ENDS);
        assert_eq!(late.as_deref(), Some("session-expired"));
        let (grant, second) = renew(&mut registry, FIRST, ENDS - 1);
        assert_eq!(grant.expires_at, ENDS);
        assert_eq!(refused(&registry, second, &Action::SetRecoveryCode, ENDS - 1), None);
    }

    #[test]
    fn nothing_of_a_session_is_good_with_another_devices_key() {
        let registry = logged_in();
        let thief = Claimed { thumbprint: DeviceThumbprint([8; 32]), ..who(FIRST) };
        for action in [Action::SetRecoveryCode, Action::RenewSession] {
            let refusal = thief.resolve(&registry, &action, LOG_IN + 1).err().unwrap();
            assert_eq!(refusal.rule, "session-of-another-device");
        }
    }
}
