// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the log says about itself: how large it is, its root, and when it last said so (C2SP tlog-checkpoint).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{KeyKind, MAX_TREE_SIZE, NodeHash, NoteError, TreeHead, UnverifiedNote, VerifierKey, note};

/// Ends a checkpoint's times where signed 64-bit numbers do.
const MAX_TIME: u64 = i64::MAX as u64;

/// A checkpoint's statements. One that came from outside exists only in a [`SignedCheckpoint`].
///
/// Body: origin, size in decimal, root in base64, and the extension line `time <whole seconds since 1970>`, each followed by a
/// newline. The time makes silence visible: a log that has nothing to add signs the same tree again with a newer time. Of two
/// checkpoints by an honest log the larger one never has the earlier time, because its writer takes the greater of
/// its clock and the last time that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; the name of its key as well.
    pub origin: String,
    /// Size and root.
    pub head: TreeHead,
    /// When it was signed, in whole seconds. Other people's logs have none.
    pub time: Option<SystemTime>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it, or its signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is signed but is no checkpoint.
    #[error("the signed text is not a checkpoint")]
    Malformed,
    /// A checkpoint, but of another log.
    #[error("the checkpoint belongs to another log")]
    WrongOrigin,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn body(&self) -> String {
        let Self { origin, head, .. } = self;
        let time = self.time.map(|time| format!("time {}\n", seconds(time))).unwrap_or_default();
        format!("{origin}\n{}\n{}\n{time}", head.size, head.root.to_base64())
    }

    /// This checkpoint was shown to its log as lost, at `shown` (seconds since 1970): is `other`, which the log does not have either,
    /// part of the same loss? Yes of whatever was signed before that moment, larger or smaller: whoever kept many notes must not be able
    /// to show one after the other. What was signed from then on is another loss, which must not hide behind this one: a log's
    /// times never decrease, so all that it has signed since the loss was put on record is of that moment or later.
    pub fn covers(&self, other: &Self, shown: u64) -> bool {
        let before = other.time.is_some_and(|time| seconds(time) < shown);
        let no_later = matches!((self.time, other.time), (Some(end), Some(other)) if other <= end);
        self.head == other.head || before || (other.head.size < self.head.size && no_later)
    }

    /// Can something have been put on record at `moment` (seconds since 1970) in the log of which this is a state? Its times never
    /// decrease: a moment that is said to be in it, and lies after this, is made up.
    pub fn reaches(&self, moment: u64) -> bool {
        self.time.is_some_and(|time| moment <= seconds(time))
    }

    /// Signs it; the seed is read and not kept.
    ///
    /// # Panics
    ///
    /// When the key is not the log's own (name and origin differ, a witness's key, a foreign seed).
    pub fn sign(&self, key: &VerifierKey, seed: &[u8; 32]) -> SignedCheckpoint {
        assert!(key.name() == self.origin, "a log signs for itself");
        // What stands in the note has whole seconds.
        let time = self.time.map(|time| UNIX_EPOCH + Duration::from_secs(seconds(time)));
        let note = note::sign(&self.body(), key, seed);
        SignedCheckpoint { note, checkpoint: Self { time, ..self.clone() } }
    }

    /// Reads a body: exactly these lines in exactly this form.
    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let time = match lines.next() {
            None => None,
            Some(line) => {
                let time = decimal(line.strip_prefix("time ")?).filter(|time| *time <= MAX_TIME)?;
                Some(UNIX_EPOCH + Duration::from_secs(time))
            }
        };
        let head = TreeHead { size: decimal(size)?, root: NodeHash::from_base64(root)? };
        let empty_is_empty = head.size != 0 || head.root == NodeHash::empty();
        let sound =
            !origin.is_empty() && head.size <= MAX_TREE_SIZE && empty_is_empty && lines.next().is_none();
        sound.then(|| Self { origin: origin.to_owned(), head, time })
    }
}

/// A checkpoint whose signature by the log was checked (or just made), with the note as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: String,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a note, checks that the log has signed it, and that it speaks of this log.
    ///
    /// Witnesses' signatures may stand beside the log's; [`witnessed_by`](Self::witnessed_by) looks at them.
    ///
    /// # Errors
    ///
    /// When it is not believed.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let unverified = UnverifiedNote::parse(note)?;
        // Which log it is from may be said before the signature is checked: the answer is a refusal.
        let names_origin = unverified.unverified_text().split('\n').next() == Some(key.name());
        if key.kind() != KeyKind::Log {
            return Err(NoteError::NotSigned.into());
        }
        match unverified.verify(std::slice::from_ref(key)) {
            Err(NoteError::NotSigned) if !names_origin => Err(CheckpointError::WrongOrigin),
            Err(error) => Err(error.into()),
            Ok(_) if !names_origin => Err(CheckpointError::WrongOrigin),
            Ok(_) => {
                let checkpoint =
                    Checkpoint::parse(unverified.unverified_text()).ok_or(CheckpointError::Malformed)?;
                Ok(Self { note: note.to_owned(), checkpoint })
            }
        }
    }

    /// The same without what others have added to the note: it proves itself as well, and is no longer than the log made it.
    ///
    /// # Errors
    ///
    /// When it is not believed, as in [`open`](Self::open).
    pub fn open_alone(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let opened = Self::open(note, key)?;
        let note = UnverifiedNote::parse(&opened.note)?.only_by(key);
        Ok(Self { note, ..opened })
    }

    /// The whole note, to be kept, passed on, and shown as evidence.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// What it says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    pub fn head(&self) -> &TreeHead {
        &self.checkpoint.head
    }

    /// Which of these witnesses have signed beside the log, and when. No signature of theirs is no error.
    ///
    /// # Errors
    ///
    /// When one of their signatures is wrong.
    pub fn witnessed_by<'a>(&self, witnesses: &'a [VerifierKey]) -> Result<Vec<note::Signed<'a>>, NoteError> {
        match UnverifiedNote::parse(&self.note)?.verify(witnesses) {
            Err(NoteError::NotSigned) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Adds a witness's signature, after the witness has seen that the log was only appended to.
    ///
    /// # Panics
    ///
    /// When the key is not a witness's, or the seed is a foreign one.
    #[must_use]
    pub fn cosign(&self, witness: &VerifierKey, seed: &[u8; 32], now: SystemTime) -> Self {
        let note = note::cosign(&self.note, &self.checkpoint.body(), witness, seed, seconds(now));
        Self { note, checkpoint: self.checkpoint.clone() }
    }
}

/// Whole seconds since 1970; earlier is 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A decimal number without sign or leading zeros.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests;
