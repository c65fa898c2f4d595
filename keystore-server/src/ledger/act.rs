// SPDX-License-Identifier: LGPL-2.0-or-later
//! Something that can be asked of the ledger.

use std::time::SystemTime;

use plombe_core::keystore::{PrincipalId, TenantId};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Ask, AskError, Granted, Permit, RequestKey};
use crate::{
    access_policy::{Action, Actor, Identified, Refusal, refusal, seconds},
    registry::{Record, RecordKey, Registry},
};

/// Something that is decided, recorded and then done.
pub trait Act: Send + Sized + 'static {
    /// What changes, for the caller. When a request comes again, it is given again.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// May its answer be kept, sealed, for when the request comes again? Not when it holds what is good once, nor when what counts
    /// is done with the permit: that needs what is looked up under the lock, and each time is another use.
    const REPEATABLE: bool = true;

    /// What access policy and log look at.
    fn action(&self) -> Action;

    /// What changes, computed under the lock on the state that was decided on. May still refuse.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Self::Answer>, Refusal>;
}

/// What an act sees when it takes effect.
pub struct Scene<'a> {
    /// The newest state.
    pub registry: &'a Registry,
    /// Who asks.
    pub actor: &'a Actor,
    /// The time of the batch.
    pub now: SystemTime,
    /// Where its log entry will stand.
    pub position: u64,
}

impl<'a> Scene<'a> {
    /// The device that asks, which the access policy has seen already.
    ///
    /// # Errors
    /// When it is none.
    pub fn who(&self) -> Result<Identified<'a>, Refusal> {
        let Actor::Device(claimed) = self.actor else { return Err(refusal::NOT_LOGGED_IN.into()) };
        claimed.resolve(self.registry, &Action::RenewSession, seconds(self.now))
    }
}

/// What an act changes.
pub struct Effects<T> {
    /// For the caller.
    pub answer: T,
    /// Records that are new or changed.
    pub put: Vec<Record>,
    /// Records that are over.
    pub ended: Vec<RecordKey>,
    /// Blobs that are new or changed.
    pub blobs: Vec<Blob>,
    /// Whom else it concerns: it stands in their lists.
    pub concerns: Vec<PrincipalId>,
}

/// Something secret or large, sealed by the ledger under its tenant's key.
pub struct Blob {
    /// One word.
    pub kind: &'static str,
    /// Which one.
    pub id: Vec<u8>,
    /// Whose key seals it.
    pub tenant: TenantId,
    /// Counts its changes.
    pub version: u64,
    /// What is sealed; nothing erases it.
    pub plaintext: Option<Zeroizing<Vec<u8>>>,
}

impl<T> Effects<T> {
    /// Nothing but an answer.
    pub fn none(answer: T) -> Self {
        Self { answer, put: Vec::new(), ended: Vec::new(), blobs: Vec::new(), concerns: Vec::new() }
    }
}

/// What happened to a job, for its caller.
pub(super) enum Outcome {
    /// Recorded at this position. `repeated` holds the answer that was given the first time.
    Permitted { position: u64, repeated: Option<Zeroizing<Vec<u8>>> },
    /// Not to be done.
    Failed(AskError),
}

/// What an act changes, and its answer in JSON where it is to be kept for when the request comes again.
pub(super) type Taken = (Effects<()>, Option<Zeroizing<Vec<u8>>>);

/// An ask whose type is hidden, so that all kinds wait in one queue.
pub(super) trait Job: Send {
    fn actor(&self) -> &Actor;
    fn action(&self) -> Action;
    fn once(&self) -> &[(Vec<u8>, u64)];
    fn request(&self) -> Option<&RequestKey>;
    /// The same, where its answer is kept for when it comes again.
    fn kept_request(&self) -> Option<&RequestKey>;
    fn context(&self) -> &plombe_core::keystore::calls::custody::Context;
    /// Takes effect; the answer itself stays with the job.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Taken, Refusal>;
    fn resolve(self: Box<Self>, outcome: Outcome);
}

/// The one implementation.
pub(super) struct Asked<A: Act> {
    ask: Ask<A>,
    answer: Option<A::Answer>,
    reply: oneshot::Sender<Result<Granted<A>, AskError>>,
}

impl<A: Act> Asked<A> {
    pub(super) fn new(ask: Ask<A>, reply: oneshot::Sender<Result<Granted<A>, AskError>>) -> Self {
        Self { ask, answer: None, reply }
    }
}

impl<A: Act> Job for Asked<A> {
    fn actor(&self) -> &Actor {
        &self.ask.actor
    }

    fn action(&self) -> Action {
        self.ask.act.action()
    }

    fn once(&self) -> &[(Vec<u8>, u64)] {
        &self.ask.once
    }

    fn request(&self) -> Option<&RequestKey> {
        self.ask.request.as_ref()
    }

    fn kept_request(&self) -> Option<&RequestKey> {
        self.request().filter(|_| A::REPEATABLE)
    }

    fn context(&self) -> &plombe_core::keystore::calls::custody::Context {
        &self.ask.context
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Taken, Refusal> {
        let Effects { answer, put, ended, blobs, concerns } = self.ask.act.effects(scene)?;
        let kept = (A::REPEATABLE && self.ask.request.is_some())
            .then(|| Zeroizing::new(serde_json::to_vec(&answer).expect("answers have a JSON form")));
        self.answer = Some(answer);
        Ok((Effects { answer: (), put, ended, blobs, concerns }, kept))
    }

    fn resolve(self: Box<Self>, outcome: Outcome) {
        let Self { ask, answer, reply } = *self;
        let result = match outcome {
            Outcome::Failed(error) => Err(error),
            Outcome::Permitted { position, repeated } => {
                let answer = match repeated {
                    Some(json) => serde_json::from_slice(&json).ok(),
                    None => answer,
                };
                let permit = Permit::new(ask.act, position);
                answer.map(|answer| Granted { permit, answer }).ok_or(AskError::Unavailable)
            }
        };
        // Who asked may have gone; what was recorded stays recorded.
        let _ = reply.send(result);
    }
}
