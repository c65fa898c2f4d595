// SPDX-License-Identifier: LGPL-2.0-or-later
//! Decides in order, records, and hands out permits.
//!
//! Everything that uses a key or changes who may do what goes through [`Ledger::ask`]. One writer per server takes what
//! waits and makes a batch of it, which is one transaction: lock the log's head, read what other servers changed, remember device
//! proofs, decide each act on the newest state, append an entry for each (refusals too), write changed records,
//! sign a checkpoint, commit. Only then do the callers get their [`Permit`]s. So a revocation stands before an act or after
//! it, and nothing happens that is not on record.
//!
//! If it cannot record, nothing is permitted. When the database turns out to be older than what this server has seen, or
//! changed by somebody without the keys, it stops for good ([`AskError::Halted`]).

mod act;
mod batch;
mod concerned;
mod ends;
mod entry;
mod head;
mod loss;
mod mirror;
mod permit;
mod replays;
mod tiles;
mod time;
mod writer;

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, SystemTime},
};

use plombe_core::{keystore::calls::custody::Context, log::SignedCheckpoint};
use tokio::sync::{mpsc, oneshot, watch};

pub use act::{Act, Blob, Effects, Scene};
pub use head::Halt;
pub use loss::ShowLoss;
pub(crate) use mirror::head_name;
pub use permit::Permit;
pub use time::{Clock, Jumped, Steady};

use time::Timekeeper;

use crate::{
    access_policy::{Actor, Refusal},
    keychain::{Keychain, SharedKeychain},
    registry::Registry,
    store::{Store, StoreError},
};

/// What is asked, by whom.
pub struct Ask<A> {
    /// Who asks.
    pub actor: Actor,
    /// Hashes of what is good once (the device proof that came along, the state of a log-in), and when each stops being
    /// acceptable (seconds since 1970).
    pub once: Vec<(Vec<u8>, u64)>,
    /// For acts that may be sent again: hash of who asked and the request's id, and hash of what was asked.
    pub request: Option<RequestKey>,
    /// What the client says that it is for.
    pub context: Context,
    /// What is to be done.
    pub act: A,
}

/// Names one request of one caller, however often it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The request's id, for the log.
    pub request_id: plombe_core::keystore::RequestId,
    /// Hash of caller and request id.
    pub id: Vec<u8>,
    /// Hash of what was asked.
    pub digest: Vec<u8>,
}

/// It is on record, and may be done.
pub struct Granted<A: Act> {
    /// For the function that acts.
    pub permit: Permit<A>,
    /// What changed, for the caller.
    pub answer: A::Answer,
}

/// Why there is no permit.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The access policy, or the act itself, says no. On record.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The same, and not on record: somebody could fill the log with it. It is to be counted.
    #[error("{}", .0.message)]
    Unrecorded(Refusal),
    /// The request's id was used for something else.
    #[error("this request id was used for another request")]
    RequestIdReused,
    /// It cannot be recorded now, so it is not done.
    #[error("the keystore cannot record at the moment, so it does nothing")]
    Unavailable,
    /// Nobody knows what time it is.
    #[error(transparent)]
    Clock(#[from] Jumped),
    /// It will not record until people have looked.
    #[error("the keystore has stopped: {0}")]
    Halted(Halt),
}

/// The handle that every endpoint has. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Box<dyn act::Job>>,
    published: Arc<RwLock<Registry>>,
    checkpoint: watch::Receiver<Option<SignedCheckpoint>>,
    halted: watch::Sender<Option<Halt>>,
    time: watch::Receiver<Result<SystemTime, Jumped>>,
    records: watch::Receiver<bool>,
}

/// How the writer goes.
#[derive(Clone)]
pub struct Pace {
    /// Whatever else happens, the log says so often that it is alive.
    pub heartbeat: Duration,
    /// What the clock is compared with.
    pub steady: Steady,
}

impl Default for Pace {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(60), steady: time::since_boot() }
    }
}

/// Jobs that may wait. More, and callers wait to be let in.
const QUEUE: usize = 4096;

impl Ledger {
    /// Reads everything from `store`, checks it against the head, and starts the writer.
    ///
    /// # Errors
    /// When the database cannot be read, or does not hold what its head says.
    pub async fn start(
        store: Arc<dyn Store>,
        keychain: SharedKeychain,
        clock: Clock,
    ) -> Result<Self, StartError> {
        Self::start_with(store, keychain, clock, Pace::default()).await
    }

    /// The same, at another pace.
    ///
    /// # Errors
    /// The same.
    pub async fn start_with(
        store: Arc<dyn Store>,
        keychain: SharedKeychain,
        clock: Clock,
        pace: Pace,
    ) -> Result<Self, StartError> {
        let mirror = mirror::Mirror::load(&*store, &keychain).await?;
        let published = Arc::new(RwLock::new(mirror.registry().clone()));
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (checkpoint_sender, checkpoint) = watch::channel(mirror.checkpoint().cloned());
        let (halted, halted_receiver) = watch::channel(None);
        let newest_entry = SystemTime::UNIX_EPOCH + Duration::from_secs(mirror.time());
        let mut timekeeper = Timekeeper::new(clock, pace.steady, newest_entry);
        let (time_sender, time) = watch::channel(timekeeper.now());
        let (records_sender, records) = watch::channel(true);
        let writer = writer::Writer {
            store,
            keychain,
            timekeeper,
            time: time_sender,
            records: records_sender,
            mirror,
            queue,
            published: Arc::clone(&published),
            checkpoint: checkpoint_sender,
            heartbeat: pace.heartbeat,
            halted: halted.clone(),
            halted_receiver,
            lost: Vec::new(),
            is_on_record: true,
        };
        tokio::spawn(writer.run());
        Ok(Self { jobs, published, checkpoint, halted, time, records })
    }

    /// Asks, and waits until the answer is durable.
    ///
    /// # Errors
    /// See [`AskError`]. A refusal is on record like everything else.
    pub async fn ask<A: Act>(&self, ask: Ask<A>) -> Result<Granted<A>, AskError> {
        if let Some(halt) = self.halted() {
            return Err(AskError::Halted(halt));
        }
        let (reply, answer) = oneshot::channel();
        let job = Box::new(act::Asked::new(ask, reply));
        self.jobs.send(job).await.map_err(|_| AskError::Unavailable)?;
        answer.await.map_err(|_| AskError::Unavailable)?
    }

    /// The state as of the newest batch, for reading. Hold it shortly, and never across an await.
    pub fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.published.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> Option<SignedCheckpoint> {
        self.checkpoint.borrow().clone()
    }

    /// The time when the writer looked last, which it does several times a second; or why nothing is done.
    ///
    /// # Errors
    /// When the clock was set by more than it may be.
    pub fn time(&self) -> Result<SystemTime, Jumped> {
        *self.time.borrow()
    }

    /// Could it record when it tried last? It tries every few seconds when it could not.
    pub fn records(&self) -> bool {
        *self.records.borrow()
    }

    /// Does the writer run? It ends when it fails in a way that nobody thought of, and is not started again: what it holds in
    /// memory may be wrong.
    pub fn is_running(&self) -> bool {
        !self.jobs.is_closed()
    }

    /// Waits for the writer's end.
    pub async fn ended(&self) {
        self.jobs.closed().await;
    }

    /// Has it stopped for good?
    pub fn halted(&self) -> Option<Halt> {
        self.halted.borrow().clone()
    }

    /// Stops for good: somebody showed this server its own signature on a tree that it does not have.
    pub fn halt(&self, halt: Halt) {
        self.halted.send_if_modified(|halted| halted.is_none() && halted.replace(halt).is_none());
    }
}

/// Is what is in `store` whole? Gives its newest checkpoint, and starts nothing.
///
/// # Errors
/// The same as [`Ledger::start`].
pub async fn check(store: &dyn Store, keychain: &Keychain) -> Result<Option<SignedCheckpoint>, StartError> {
    Ok(mirror::Mirror::load(store, keychain).await?.checkpoint().cloned())
}

/// Why the ledger does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not what this keystore wrote.
    #[error("the keystore does not start: {0}")]
    Halt(#[from] Halt),
}
