// SPDX-License-Identifier: LGPL-2.0-or-later
//! The one that writes.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use plombe_core::log::SignedCheckpoint;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    Act, AskError, Effects, Jumped, Scene, ShowLoss, StartError,
    act::{Asked, Job, Outcome},
    batch::Batch,
    head::Halt,
    mirror::Mirror,
    time::Timekeeper,
};
use crate::{
    access_policy::{Action, Refusal, seconds},
    instance,
    keychain::SharedKeychain,
    registry::{Loss, Record, Registry},
    store::{Store, StoreError},
};

/// How often an idle server looks what others did.
const LOOK: Duration = Duration::from_millis(500);

/// A database that could not be used is tried again so soon, whether anybody asks or not.
const AGAIN: Duration = Duration::from_secs(2);

/// Jobs per batch. Larger ones make each caller wait for more work than the disk's own sync costs.
const LARGEST_BATCH: usize = 256;

pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) keychain: SharedKeychain,
    pub(super) timekeeper: Timekeeper,
    pub(super) time: watch::Sender<Result<SystemTime, Jumped>>,
    /// Could the last batch be recorded?
    pub(super) records: watch::Sender<bool>,
    pub(super) mirror: Mirror,
    pub(super) queue: mpsc::Receiver<Box<dyn Job>>,
    pub(super) published: Arc<RwLock<Registry>>,
    pub(super) checkpoint: watch::Sender<Option<SignedCheckpoint>>,
    /// How often the log says that it is alive.
    pub(super) heartbeat: Duration,
    pub(super) halted: watch::Sender<Option<Halt>>,
    pub(super) halted_receiver: watch::Receiver<Option<Halt>>,
    /// Ends of histories that this server knew and the database has lost, all since it started: who puts the database back once more
    /// takes their record away, too.
    pub(super) lost: Vec<(SignedCheckpoint, Halt)>,
    /// Are they on record, as far as this server knows?
    pub(super) is_on_record: bool,
}

enum BatchError {
    Clock(Jumped),
    Store(StoreError),
    Halt(Halt),
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Writer {
    pub(super) async fn run(mut self) {
        let mut due = Instant::now() + self.heartbeat;
        loop {
            let mut jobs: Vec<Box<dyn Job>> = Vec::new();
            let until = due.min(Instant::now() + LOOK);
            // None means that every handle is gone.
            if let Ok(0) =
                tokio::time::timeout_at(until, self.queue.recv_many(&mut jobs, LARGEST_BATCH)).await
            {
                return;
            }
            let now = self.timekeeper.now();
            let _before = self.time.send_replace(now);
            if jobs.is_empty() && Instant::now() < due && self.is_on_record {
                self.look().await;
                continue;
            }
            // Also when there is much to do: what has run out ends with it.
            if Instant::now() >= due {
                due = Instant::now() + self.heartbeat;
                jobs.push(heartbeat());
            }
            if let Some(halt) = self.halted_receiver.borrow().clone() {
                jobs.into_iter().for_each(|job| job.resolve(Outcome::Failed(AskError::Halted(halt.clone()))));
                continue;
            }
            if !self.is_on_record {
                jobs.splice(0..0, self.lost.iter().map(show));
            }
            match self.batch(&mut jobs).await {
                Ok(outcomes) => {
                    self.records.send_replace(true);
                    self.is_on_record = true;
                    jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| job.resolve(outcome));
                }
                Err(BatchError::Store(error)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot record");
                    self.records.send_replace(false);
                    due = due.min(Instant::now() + AGAIN);
                    let lost = self.lost.last().filter(|_| !self.is_on_record).map(|(_, halt)| halt.clone());
                    fail(jobs, &lost.map_or(AskError::Unavailable, AskError::Halted));
                }
                // It was said when it was noticed.
                Err(BatchError::Clock(jumped)) => {
                    jobs.into_iter().for_each(|job| job.resolve(Outcome::Failed(AskError::Clock(jumped))));
                }
                Err(BatchError::Halt(halt)) => {
                    fail(jobs, &AskError::Halted(halt.clone()));
                    self.stop(halt).await;
                }
            }
        }
    }

    /// Another server may have let somebody in, or cut somebody off. What is decided is exact without this; what is only read, and
    /// which sessions there are, is as new as the last look.
    async fn look(&mut self) {
        let known = self.mirror.frontier().size();
        let is_ahead = match self.store.head().await {
            Ok(head) => head.is_some_and(|head| head.position != known),
            // It is said when something is asked for.
            Err(_) => false,
        };
        if is_ahead
            && self.halted_receiver.borrow().is_none()
            && let Err(BatchError::Halt(halt)) = self.batch(&mut []).await
        {
            self.stop(halt).await;
        }
    }

    /// The database is not what it should be. Where it is a whole state of this keystore, only not the one that this server knows, it is
    /// read anew, and what this server knew goes on record as lost: then two administrators can lead out of it. Anything
    /// else stops this server for good.
    async fn stop(&mut self, halt: Halt) {
        tracing::error!(reason = %halt, "stopped until people have looked");
        let known = match halt {
            Halt::RolledBack | Halt::Forked => self.mirror.checkpoint().cloned(),
            Halt::Tampered => None,
        };
        let Some(known) = known else {
            self.halted.send_replace(Some(halt));
            return;
        };
        if let Err(error) = self.keychain.reload(&*self.store).await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot read the keys");
            return;
        }
        match Mirror::load(&*self.store, &self.keychain).await {
            // The next batch begins with it.
            Ok(mirror) if mirror.checkpoint().is_some() => {
                self.lost.push((known, halt));
                self.is_on_record = false;
                self.mirror = mirror;
                self.publish_anew();
            }
            Ok(_) => drop(self.halted.send_replace(Some(halt))),
            Err(StartError::Halt(halt)) => drop(self.halted.send_replace(Some(halt))),
            // The next batch finds out again.
            Err(StartError::Store(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot read the records");
            }
        }
    }

    fn publish_anew(&self) {
        let mut registry = self.mirror.registry().clone();
        // What is only read must know of it, too, before it is on record.
        for (shown, _) in &self.lost {
            if !registry.losses().any(|known| known.covers(shown.checkpoint())) {
                // Of all times the latest: it stops every organisation.
                registry.put(Arc::new(Record::Loss(Loss::new(shown, None, u64::MAX))));
            }
        }
        self.publish(registry);
        self.checkpoint.send_replace(self.mirror.checkpoint().cloned());
    }

    /// One transaction. Whatever fails, the mirror is as if nothing had happened, and the next batch looks what is true.
    async fn batch(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Vec<Outcome>, BatchError> {
        let store = Arc::clone(&self.store);
        let mut transaction = store.begin().await?;
        let caught_up = self.mirror.catch_up(&*store, &self.keychain, &mut *transaction).await?;
        if caught_up.map_err(BatchError::Halt)? {
            self.publish(self.mirror.registry().clone());
            self.checkpoint.send_replace(self.mirror.checkpoint().cloned());
        }
        // After the wait for the lock, which can be long.
        let now = self.timekeeper.now().map_err(BatchError::Clock)?;
        let mut batch = Batch::new(&self.keychain, &mut self.mirror, now);
        let outcomes = match batch.decide(&mut *transaction, jobs).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                batch.abandon();
                return Err(error.into());
            }
        };
        let Some(written) = batch.write(&mut *transaction).await? else {
            // Device proofs are remembered even when nothing else happened.
            transaction.commit().await?;
            return Ok(outcomes);
        };
        if let Err(error) = transaction.commit().await {
            written.failed(&mut self.mirror);
            return Err(error.into());
        }
        if written.committed(&self.keychain, &mut self.mirror) {
            self.publish(self.mirror.registry().clone());
        }
        self.checkpoint.send_replace(self.mirror.checkpoint().cloned());
        Ok(outcomes)
    }

    fn publish(&self, registry: Registry) {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *published, registry);
        // What it alone held is freed while nobody waits.
        drop(published);
        drop(old);
    }
}

fn fail(jobs: Vec<Box<dyn Job>>, error: &AskError) {
    jobs.into_iter().for_each(|job| job.resolve(Outcome::Failed(error.clone())));
}

/// Puts on record what the database has lost.
fn show((shown, halt): &(SignedCheckpoint, Halt)) -> Box<dyn Job> {
    let (reply, _) = tokio::sync::oneshot::channel();
    let act = ShowLoss { shown: shown.clone(), halt: halt.clone(), restored_at: None };
    Box::new(Asked::new(instance::by_server(act), reply))
}

/// An entry that says that nothing happened, and the time to tidy up.
struct Heartbeat;

impl Act for Heartbeat {
    type Answer = ();

    fn action(&self) -> Action {
        Action::Heartbeat
    }

    /// Ends what has run out, so that the registry does not grow for ever.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let now = seconds(scene.now);
        let sessions = scene.registry.sessions().filter(|session| session.ends <= now);
        let codes = scene.registry.codes().filter(|code| code.expires <= now);
        let ended = sessions
            .map(|s| Record::Session(s.clone()).key())
            .chain(codes.map(|c| Record::Code(c.clone()).key()));
        Ok(Effects { ended: ended.collect(), ..Effects::none(()) })
    }
}

fn heartbeat() -> Box<dyn Job> {
    let (reply, _) = tokio::sync::oneshot::channel();
    Box::new(Asked::new(instance::by_server(Heartbeat), reply))
}
