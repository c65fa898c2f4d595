// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keeps the last checkpoint and notices when the log contradicts it: for witnesses, for auditors, and for the log itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{
    CheckpointError, ConsistencyProof, Nodes, SignedCheckpoint, VerifierKey, entry::Chain, proof::extends,
};

/// Something that an honest log does not do, or a sign that somebody is in between.
///
/// Where two signed notes contradict one another both are in the alarm: anybody can verify them with the log's public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Alarm {
    /// The log has become smaller: restored from a backup, or cut off.
    #[error("the log has become smaller than it was; entries that existed are gone")]
    Rollback {
        /// The note that was kept, or shown by somebody who had kept it.
        kept: String,
        /// The later, smaller one; `None` when the log itself notices that it lacks what was shown to it.
        now: Option<String>,
    },
    /// Two signed trees of which neither extends the other: somebody was told another history.
    #[error("the log has two histories; keep both notes, they are the evidence")]
    Fork {
        /// The note that was kept, or shown by somebody who had kept it.
        kept: String,
        /// The one that contradicts it; `None` when it is the tree at hand that does.
        now: Option<String>,
    },
    /// The proof that came along does not lead from the kept tree to the new one. A log that cannot show a better one has
    /// forked; somebody in between can cause this as well.
    #[error("nothing shows that the log was only appended to")]
    Unproven {
        /// The note that was kept.
        kept: String,
        /// The one that was to follow it.
        now: String,
    },
    /// Nothing new was signed for too long.
    #[error("the log has been silent for too long")]
    Silence {
        /// When it was last heard of: its own time or the time of arrival, whichever is earlier.
        since: SystemTime,
    },
    /// Entries of a key are missing from a list that leaves nothing out.
    #[error("the list of this key's entries has a hole: after entry {after} comes entry {found}")]
    Gap {
        /// Counter up to which the list is whole; 0 when its beginning is missing.
        after: u64,
        /// Counter that comes next in the list.
        found: u64,
    },
    /// Not signed by the log's key, or changed afterwards.
    #[error("the log's checkpoint is not signed by its key")]
    BadSignature,
    /// A checkpoint of another log.
    #[error("the checkpoint belongs to another log")]
    WrongOrigin,
}

/// What a checkpoint did that is no cause for alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The tree has grown by so many entries; it is the one that is kept now.
    Grown(u64),
    /// The same tree, signed again later: the log is alive.
    Heartbeat,
    /// Signed no later than the one that is kept, and part of its history: replies overtake each other. Nothing changes.
    Older,
}

/// What a follower keeps between two runs: a file's content, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The last checkpoint, as it was signed.
    pub note: String,
    /// When it arrived, whole seconds since 1970.
    pub seen_at: u64,
}

/// Follows one log.
#[derive(Clone, Debug)]
pub struct Follower {
    key: VerifierKey,
    last: SignedCheckpoint,
    seen_at: SystemTime,
}

impl Follower {
    /// Believes the first checkpoint that it sees, as everybody must, if the log has signed it.
    ///
    /// # Errors
    ///
    /// When it has not.
    pub fn start(key: VerifierKey, note: &str, now: SystemTime) -> Result<Self, Alarm> {
        let last = open(note, &key)?;
        Ok(Self { key, last, seen_at: now })
    }

    /// Goes on from what an earlier run kept. Its signature is checked again: the file is trusted no more than the network.
    ///
    /// # Errors
    ///
    /// When it was not signed by this key.
    pub fn resume(key: VerifierKey, kept: &Kept) -> Result<Self, Alarm> {
        let seen_at = UNIX_EPOCH.checked_add(Duration::from_secs(kept.seen_at)).unwrap_or(UNIX_EPOCH);
        Self::start(key, &kept.note, seen_at)
    }

    /// What is to be kept for [`resume`](Self::resume).
    pub fn kept(&self) -> Kept {
        let seen_at = self.seen_at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Kept { note: self.last.note().to_owned(), seen_at }
    }

    /// The checkpoint that is kept.
    pub fn last(&self) -> &SignedCheckpoint {
        &self.last
    }

    /// Judges a newly fetched checkpoint. `proof` leads from the smaller of the two trees (usually the kept one) to the larger
    /// one; it is empty when they have the same size.
    ///
    /// Whatever the alarm, the kept checkpoint stays, so that the log has to answer for it again next time.
    ///
    /// # Errors
    ///
    /// When an honest log would not have signed this after what is kept.
    pub fn advance(
        &mut self,
        note: &str,
        proof: &ConsistencyProof,
        now: SystemTime,
    ) -> Result<Progress, Alarm> {
        let new = open(note, &self.key)?;
        let (old_head, new_head) = (*self.last.head(), *new.head());
        if new_head.size == old_head.size && new_head.root != old_head.root {
            return Err(self.fork(note));
        }
        if new_head.size < old_head.size {
            // An honest log's times do not decrease while it grows, so a smaller tree that was signed later is not its past.
            if !self.is_older(&new) {
                return Err(Alarm::Rollback {
                    kept: self.last.note().to_owned(),
                    now: Some(note.to_owned()),
                });
            }
            return match proof.verify(&new_head, &old_head) {
                Ok(()) => Ok(Progress::Older),
                Err(_) => Err(self.unproven(note)),
            };
        }
        proof.verify(&old_head, &new_head).map_err(|_| self.unproven(note))?;
        if new_head.size == old_head.size && self.is_older(&new) {
            return Ok(Progress::Older);
        }
        self.last = new;
        self.seen_at = now;
        let grown = new_head.size - old_head.size;
        Ok(if grown == 0 { Progress::Heartbeat } else { Progress::Grown(grown) })
    }

    /// Raises the alarm when the log has signed nothing new for longer than `patience`.
    ///
    /// A log that signs a time in the future gains nothing: what counts is when the checkpoint arrived, if that was earlier.
    ///
    /// # Errors
    ///
    /// When it has been silent.
    pub fn check_silence(&self, patience: Duration, now: SystemTime) -> Result<(), Alarm> {
        let signed = self.last.checkpoint().time.unwrap_or(self.seen_at);
        let since = signed.min(self.seen_at);
        match now.duration_since(since) {
            Ok(silence) if silence > patience => Err(Alarm::Silence { since }),
            // A clock that was set back here says nothing about the log.
            _ => Ok(()),
        }
    }

    /// Signed no later than what is kept. Without times nothing is older.
    fn is_older(&self, new: &SignedCheckpoint) -> bool {
        match (new.checkpoint().time, self.last.checkpoint().time) {
            (Some(new), Some(kept)) => new <= kept,
            _ => false,
        }
    }

    fn fork(&self, note: &str) -> Alarm {
        Alarm::Fork { kept: self.last.note().to_owned(), now: Some(note.to_owned()) }
    }

    fn unproven(&self, note: &str) -> Alarm {
        Alarm::Unproven { kept: self.last.note().to_owned(), now: note.to_owned() }
    }
}

fn open(note: &str, key: &VerifierKey) -> Result<SignedCheckpoint, Alarm> {
    SignedCheckpoint::open(note, key).map_err(|error| match error {
        CheckpointError::WrongOrigin => Alarm::WrongOrigin,
        CheckpointError::Note(_) | CheckpointError::Malformed => Alarm::BadSignature,
    })
}

/// Judges a checkpoint that somebody shows to the log itself. `size` and `nodes` are those of the newest tree in the store, read
/// after the request arrived: another server may have appended meanwhile.
///
/// The outer error is the store's. [`Alarm::BadSignature`] and [`Alarm::WrongOrigin`] say nothing about the log, anybody can send
/// such a note; with [`Alarm::Rollback`] and [`Alarm::Fork`] the log has signed a history that it no longer has, and must stop.
///
/// # Errors
///
/// When a node is not to be had.
pub fn judge_shown<N: Nodes + ?Sized>(
    shown: &str,
    key: &VerifierKey,
    size: u64,
    nodes: &mut N,
) -> Result<Result<(), Alarm>, N::Error> {
    let shown = match open(shown, key) {
        Ok(shown) => shown,
        Err(alarm) => return Ok(Err(alarm)),
    };
    let kept = shown.note().to_owned();
    if shown.head().size > size {
        return Ok(Err(Alarm::Rollback { kept, now: None }));
    }
    Ok(if extends(nodes, size, shown.head())? { Ok(()) } else { Err(Alarm::Fork { kept, now: None }) })
}

/// Looks through a list of one key's entries for holes. Each entry counts up by one and names the place of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFollower {
    counter: u64,
    last: Option<u64>,
}

impl ChainFollower {
    /// Takes the list's next entry, at place `seq` of the log.
    ///
    /// # Errors
    ///
    /// When there is a hole before it.
    pub fn next(&mut self, seq: u64, chain: &Chain) -> Result<(), Alarm> {
        let follows = chain.counter == self.counter + 1
            && chain.previous == self.last
            && self.last.is_none_or(|last| last < seq);
        if !follows {
            return Err(Alarm::Gap { after: self.counter, found: chain.counter });
        }
        self.next_erased(seq);
        Ok(())
    }

    /// Takes the next entry when it was erased. It tells nothing, but the entry after it still counts it and names its place.
    pub fn next_erased(&mut self, seq: u64) {
        *self = Self { counter: self.counter + 1, last: Some(seq) };
    }

    /// How many entries the list has had so far.
    pub fn counter(&self) -> u64 {
        self.counter
    }
}

#[cfg(test)]
mod tests;
