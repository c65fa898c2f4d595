// SPDX-License-Identifier: LGPL-2.0-or-later
//! One's passkeys: add, list, remove.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use plombe_core::keystore::{
    PasskeyId, ProblemCode, RecoveryCode,
    calls::{
        Done,
        passkeys::{self, AddPasskey, Ceremony, ListPasskeys, Passkeys, RemovePasskey, StartPasskey},
    },
};

use super::{
    Caller, Failure, Serve,
    step_up::{asker, relying_party},
};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    fresh,
    identity::passkey::{NewPasskey, PasskeyRefusal},
    ledger::{Act, Effects, Scene},
    registry::{Passkey, Principal, Purpose, Record, Session},
};

/// More than anybody needs.
const MOST: usize = 20;
const LONGEST_NAME: usize = 100;

impl Serve for StartPasskey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Ceremony, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let own: Vec<_> = registry.passkeys_of(who.principal.id).map(|p| p.credential.clone()).collect();
        // Said now, before a person has made one that is refused then.
        if !own.is_empty() && !who.session.has_stepped_up(Purpose::Devices, seconds(app.now())) {
            return Err(Refusal::from(refusal::STEP_UP_NEEDED).into());
        }
        let issued = app.passkeys.tickets.issue(&asker(&who), Purpose::NewPasskey, app.now());
        Ok(Ceremony {
            ticket: issued.ticket.into(),
            question: issued.question.into(),
            origin: relying_party(app)?.origin().to_owned(),
            credentials: own,
            expires_at: issued.expires,
        })
    }
}

impl Serve for AddPasskey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<passkeys::Passkey, Failure> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Failure::new(
                ProblemCode::Unacceptable,
                "a passkey's name has 1 to 100 bytes and no control characters",
            ));
        }
        let (checked, once) = {
            let registry = app.ledger.registry();
            let who = caller.identified(app, &registry)?;
            match app.passkeys.tickets.take(&self.ticket.0, &asker(&who), Purpose::NewPasskey, app.now()) {
                Err(refused) => (Err(refused), None),
                Ok(ticket) => {
                    let party = relying_party(app)?;
                    (party.check_registration(&self.registration, &ticket.challenge), Some(ticket.once))
                }
            }
        };
        let mut ask = caller.ask(Add { name, checked: Some(checked) });
        ask.once.extend(once);
        Ok(app.ledger.ask(ask).await?.answer)
    }
}

impl Serve for ListPasskeys {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Passkeys, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        Ok(Passkeys { passkeys: registry.passkeys_of(who.principal.id).map(describe).collect() })
    }
}

impl Serve for RemovePasskey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        // A code has 128 bits; this is about the peace of the log.
        if self.recovery.is_some() && !app.limits.log_in(caller.from) {
            return Err(Failure::new(ProblemCode::RateLimited, "too many requests")
                .hint("wait a minute")
                .counted("rate-limited"));
        }
        let recovery = self.recovery.map(|secret| RecoveryCode::hash(secret.expose()));
        Ok(app.ledger.ask(caller.ask(Remove { passkey: self.passkey, recovery })).await?.answer)
    }
}

fn describe(passkey: &Passkey) -> passkeys::Passkey {
    passkeys::Passkey { id: passkey.id, name: passkey.name.clone(), created_at: passkey.created }
}

struct Add {
    name: String,
    checked: Option<Result<NewPasskey, PasskeyRefusal>>,
}

impl Act for Add {
    type Answer = passkeys::Passkey;

    fn action(&self) -> Action {
        Action::AddPasskey
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<passkeys::Passkey>, Refusal> {
        let principal = scene.who()?.principal;
        let NewPasskey { credential, key, counter } =
            self.checked.take().unwrap_or(Err(PasskeyRefusal::Malformed))?;
        let mut own = scene.registry.passkeys_of(principal.id);
        if own.any(|passkey| passkey.credential.0 == credential) {
            return Err(refusal::EXISTS.into());
        }
        if scene.registry.passkeys_of(principal.id).count() >= MOST {
            return Err(refusal::TOO_MANY_PASSKEYS.into());
        }
        let passkey = Passkey {
            id: PasskeyId(fresh::uuid(scene.now)),
            tenant: principal.tenant,
            principal: principal.id,
            name: self.name.clone(),
            credential: credential.into(),
            key,
            counter,
            created: seconds(scene.now),
        };
        let answer = describe(&passkey);
        Ok(Effects { put: vec![Record::Passkey(passkey)], ..Effects::none(answer) })
    }
}

struct Remove {
    passkey: PasskeyId,
    recovery: Option<[u8; 32]>,
}

impl Act for Remove {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::RemovePasskey { passkey: self.passkey, by_recovery: self.recovery.is_some() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let principal = scene.who()?.principal;
        let passkey = scene.registry.passkey(self.passkey).ok_or(refusal::NOT_FOUND)?;
        let mut effects = Effects::none(Done {});
        if let Some(given) = &self.recovery {
            let right = principal.recovery.is_some_and(|hash| verify_slices_are_equal(&hash, given).is_ok());
            if !right {
                return Err(refusal::RECOVERY_WRONG.into());
            }
            effects.put.push(Record::Principal(Principal { recovery: None, ..principal.clone() }));
        }
        effects.ended.push(Record::Passkey(passkey.clone()).key());
        // What was shown with it counts no longer.
        let devices = scene.registry.devices_of(principal.id);
        let sessions = devices.flat_map(|device| scene.registry.sessions_of(device.id));
        let stepped_up = sessions.filter(|session| !session.stepped_up.is_empty());
        effects.put.extend(
            stepped_up
                .map(|session| Record::Session(Session { stepped_up: BTreeMap::new(), ..session.clone() })),
        );
        Ok(effects)
    }
}
