// SPDX-License-Identifier: LGPL-2.0-or-later
//! What every endpoint gets.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use plombe_core::{
    crypto_policy::CryptoPolicy,
    keystore::{OidcLogin, calls::custody::Context},
};

use crate::{
    access_policy::{Action, Actor, Refusal, refusal},
    connections::Connections,
    custody::Vault,
    identity::{
        Nonces,
        oidc::LoginFlow,
        passkey::{RelyingParty, Tickets},
    },
    keychain::{Keychain, SharedKeychain},
    known_checkpoints::KnownCheckpoints,
    ledger::{Act, Ask, Clock, Effects, Ledger, Scene},
    limits::Limits,
    mail::Challenges,
    metrics::Metrics,
    refusals::Refusals,
    store::Store,
};

/// A running keystore. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What a keystore is made of.
pub struct Parts {
    /// Decides, records, permits.
    pub ledger: Ledger,
    /// Where everything lies.
    pub store: Arc<dyn Store>,
    /// Every long-lived key.
    pub keychain: SharedKeychain,
    /// What clients may show without being looked at again.
    pub known_checkpoints: KnownCheckpoints,
    /// Keys in custody.
    pub vault: Vault,
    /// Log-in at identity providers, where there are any.
    pub oidc: Option<LoginFlow>,
    /// Challenge mails, where they are sent.
    pub challenges: Option<Challenges>,
    /// What passkeys are checked with.
    pub passkeys: Passkeys,
    /// Nonces for device proofs.
    pub nonces: Nonces,
    /// How often who may knock.
    pub limits: Limits,
    /// Refusals of nobody in particular, until they are on record.
    pub refusals: Refusals,
    /// Who is connected, and through which proxies.
    pub connections: Connections,
    /// Numbers for the operator.
    pub metrics: Metrics,
    /// How long things last.
    pub times: Times,
    /// Which algorithms are good enough.
    pub policy: CryptoPolicy,
    /// The time.
    pub clock: Clock,
}

/// What passkeys are checked with.
pub struct Passkeys {
    /// The keystore as they know it; `None` when it has no name that they could be bound to.
    pub relying_party: Option<RelyingParty>,
    /// Challenges.
    pub tickets: Tickets,
    /// Must administrators have one?
    pub admins_need_them: bool,
}

/// How long things last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// A session's value.
    pub session: Duration,
    /// A log-in: its device renews the session until then.
    pub log_in: Duration,
    /// An enrolment code, when nothing else is said.
    pub code: Duration,
    /// How long a new administrator waits: to become one, and then to count as the second of two.
    pub consent: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            session: Duration::from_secs(600),
            log_in: Duration::from_secs(12 * 3600),
            code: Duration::from_secs(24 * 3600),
            consent: Duration::from_secs(24 * 3600),
        }
    }
}

impl App {
    /// Puts it together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The time, from the clock that the keystore was given.
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Long-lived keys.
    pub fn keychain(&self) -> &Keychain {
        &self.keychain
    }

    /// Identity providers that people can choose.
    pub fn oidc_log_ins(&self) -> Vec<OidcLogin> {
        let names = self.oidc.iter().flat_map(|flow| flow.issuers().names());
        names.map(|(name, issuer)| OidcLogin { name: name.to_owned(), issuer: issuer.to_owned() }).collect()
    }

    /// Puts the refusals of the last minute on record, one entry for each reason.
    pub async fn record_refusals(&self) {
        for (reason, count) in self.refusals.take() {
            let ask = Ask {
                actor: Actor::Server,
                once: Vec::new(),
                request: None,
                context: Context::default(),
                act: CountedRefusals { reason: reason.clone(), count },
            };
            match self.ledger.ask(ask).await {
                Ok(_) => self.metrics.refused(&reason, count),
                // Not lost: it is counted into the next minute's.
                Err(_) => self.refusals.add(&reason, count),
            }
        }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

struct CountedRefusals {
    reason: String,
    count: u64,
}

impl Act for CountedRefusals {
    type Answer = ();

    fn action(&self) -> Action {
        Action::CountRefusals { reason: self.reason.clone(), count: self.count }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        match scene.actor {
            Actor::Server => Ok(Effects::none(())),
            _ => Err(refusal::NOT_FOR_DEVICES.into()),
        }
    }
}
