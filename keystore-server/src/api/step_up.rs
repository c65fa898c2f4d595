// SPDX-License-Identifier: LGPL-2.0-or-later
//! A passkey is shown: for some minutes its session may do one kind of thing.

use std::collections::BTreeMap;

use plombe_core::keystore::{
    Bytes, PasskeyId, ProblemCode,
    calls::{
        Done,
        login::DeviceState,
        passkeys::{Ceremony, ConfirmByPasskey, FinishStepUp, StartStepUp, SteppedUp},
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Identified, Refusal, purpose_of, refusal, seconds},
    app::App,
    identity::passkey::{Asker, PasskeyRefusal, RelyingParty},
    ledger::{Act, Effects, Scene},
    registry::{Device, Passkey, Purpose, Record, Session},
};

/// How long it counts: for the work of the moment, not for that of whoever finds the computer.
const COUNTS_SECONDS: u64 = 300;

impl Serve for StartStepUp {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Ceremony, Failure> {
        let purpose = purpose_of(&self.path)
            .ok_or_else(|| Failure::new(ProblemCode::Unacceptable, "no passkey is needed for that"))?;
        let registry = app.ledger.registry();
        let who = match purpose {
            Purpose::ThisDevice => caller.even_pending(app, &registry)?,
            _ => caller.identified(app, &registry)?,
        };
        let credentials: Vec<Bytes> =
            registry.passkeys_of(who.principal.id).map(|passkey| passkey.credential.clone()).collect();
        if credentials.is_empty() {
            return Err(Refusal::from(refusal::PASSKEY_MISSING).into());
        }
        let issued = app.passkeys.tickets.issue(&asker(&who), purpose, app.now());
        Ok(Ceremony {
            ticket: issued.ticket.into(),
            question: issued.question.into(),
            origin: relying_party(app)?.origin().to_owned(),
            credentials,
            expires_at: issued.expires,
        })
    }
}

impl Serve for FinishStepUp {
    async fn serve(self, app: &App, caller: &Caller) -> Result<SteppedUp, Failure> {
        let (purpose, checked, once) = {
            let registry = app.ledger.registry();
            let who = caller.even_pending(app, &registry)?;
            let asker = asker(&who);
            // The ticket says for what: it is good for one purpose, so at most one of them fits.
            let take = |purpose| app.passkeys.tickets.take(&self.ticket.0, &asker, purpose, app.now());
            let fits = |purpose: &&Purpose| take(**purpose) != Err(PasskeyRefusal::Ticket);
            // Making a passkey is no showing of one.
            let shown = Purpose::ALL.iter().filter(|purpose| **purpose != Purpose::NewPasskey);
            match shown.copied().find(|purpose| fits(&purpose)).map(|purpose| (purpose, take(purpose))) {
                None => (None, Err(PasskeyRefusal::Ticket), None),
                Some((purpose, Err(refused))) => (Some(purpose), Err(refused), None),
                Some((purpose, Ok(ticket))) => {
                    let mut own = registry.passkeys_of(asker.principal);
                    let passkey = own.find(|passkey| passkey.credential == self.assertion.credential);
                    let party = relying_party(app)?;
                    let checked = passkey.ok_or(PasskeyRefusal::Unknown).and_then(|passkey| {
                        let counter =
                            party.check_assertion(&self.assertion, &passkey.key, &ticket.challenge)?;
                        Ok((passkey.id, counter))
                    });
                    (Some(purpose), checked, Some(ticket.once))
                }
            }
        };
        // A ticket that is nobody's is recorded under what it cannot have been for.
        let mut ask = caller.ask(StepUp { purpose: purpose.unwrap_or(Purpose::ThisDevice), checked });
        ask.once.extend(once);
        Ok(app.ledger.ask(ask).await?.answer)
    }
}

impl Serve for ConfirmByPasskey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Done, Failure> {
        Ok(app.ledger.ask(caller.ask(Confirm)).await?.answer)
    }
}

/// Who asks, for tickets.
pub(super) fn asker(who: &Identified<'_>) -> Asker {
    let account = who.principal.addresses.first().unwrap_or(&who.principal.name).clone();
    Asker {
        principal: who.principal.id,
        device: who.device.id,
        session: who.session.id,
        account,
        device_name: who.device.name.clone(),
    }
}

/// The keystore as passkeys know it.
pub(super) fn relying_party(app: &App) -> Result<&RelyingParty, Failure> {
    app.passkeys.relying_party.as_ref().ok_or_else(|| {
        Failure::new(
            ProblemCode::Unacceptable,
            "this keystore has an address and no name, so it has no passkeys",
        )
        .hint("your administrator can give it a name: `origin` in its configuration")
    })
}

/// An answer that was checked against everything but what other answers may have changed meanwhile.
struct StepUp {
    purpose: Purpose,
    checked: Result<(PasskeyId, u32), PasskeyRefusal>,
}

impl Act for StepUp {
    type Answer = SteppedUp;

    fn action(&self) -> Action {
        Action::StepUp { purpose: self.purpose }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<SteppedUp>, Refusal> {
        let who = scene.who()?;
        let (id, counter) = self.checked?;
        let passkey = scene.registry.passkey(id).filter(|passkey| passkey.principal == who.principal.id);
        let passkey = passkey.ok_or(PasskeyRefusal::Unknown)?;
        if !passkey.goes_on_at(counter) {
            return Err(PasskeyRefusal::Counter.into());
        }
        let until = seconds(scene.now) + COUNTS_SECONDS;
        let mut stepped_up: BTreeMap<_, _> = who.session.stepped_up.clone();
        stepped_up.insert(self.purpose, until);
        let session = Session { stepped_up, ..who.session.clone() };
        let passkey = Passkey { counter, ..passkey.clone() };
        let put = vec![Record::Session(session), Record::Passkey(passkey)];
        Ok(Effects { put, ..Effects::none(SteppedUp { until }) })
    }
}

struct Confirm;

impl Act for Confirm {
    type Answer = Done;

    fn action(&self) -> Action {
        Action::ConfirmByPasskey
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Done>, Refusal> {
        let device = scene.who()?.device;
        let confirmed = Device { state: DeviceState::Confirmed, ..device.clone() };
        Ok(Effects { put: vec![Record::Device(confirmed)], ..Effects::none(Done {}) })
    }
}
