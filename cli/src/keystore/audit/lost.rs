// SPDX-License-Identifier: LGPL-2.0-or-later
//! History that the keystore has signed and does not have any more: finding out what the keystore says of it.

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::Context as _;
use plombe_client::PublicLog;
use plombe_core::{
    keystore::calls::history::PublicLoss,
    log::{SignedCheckpoint, VerifierKey},
};
use serde_json::{Value, json};

use crate::{
    date,
    exit::{Exit, Failure},
};

/// A checkpoint that was kept, and what the log is now.
pub(super) struct Contradiction {
    /// What was kept.
    pub(super) kept: SignedCheckpoint,
    /// What the log signs now.
    pub(super) now: SignedCheckpoint,
    /// What the keystore says of it, if it says anything.
    pub(super) loss: Option<PublicLoss>,
}

/// Asks the log about a checkpoint that was kept. `None` when it still extends it.
pub(super) fn find(log: &PublicLog, key: &VerifierKey, kept: &str) -> anyhow::Result<Option<Contradiction>> {
    let open = |note: &str| {
        SignedCheckpoint::open(note, key)
            .map_err(|error| Failure::new(Exit::KeystoreUntrusted, format!("of a checkpoint: {error}")))
    };
    let (kept, now) = (open(kept)?, open(&log.unverified_checkpoint()?)?);
    if extends(log, &kept, &now)? {
        return Ok(None);
    }
    let covers = |loss: &PublicLoss| {
        open(&loss.checkpoint).is_ok_and(|lost| lost.checkpoint().covers(kept.checkpoint(), loss.shown_at))
    };
    let losses = log.unverified_losses()?;
    // Acknowledged and shown later than now: it would cover what is lost until then.
    let is_made_up =
        |loss: &PublicLoss| loss.acknowledged_at.is_some() && !now.checkpoint().reaches(loss.shown_at);
    // The one that is acknowledged, where it is part of several.
    let known = losses.iter().filter(|loss| covers(loss) && !is_made_up(loss));
    let loss = known.max_by_key(|loss| loss.acknowledged_at.is_some()).cloned();
    Ok(Some(Contradiction { kept, now, loss }))
}

fn extends(log: &PublicLog, kept: &SignedCheckpoint, now: &SignedCheckpoint) -> anyhow::Result<bool> {
    let (old, new) = (kept.head(), now.head());
    if new.size < old.size {
        return Ok(false);
    }
    let proof = match old.size == new.size {
        true => Default::default(),
        false => log.unverified_consistency(old.size, new.size)?,
    };
    Ok(proof.verify(old, new).is_ok())
}

impl Contradiction {
    /// Which positions are lost, in words.
    pub(super) fn positions(&self) -> String {
        let size = self.kept.head().size;
        match self.loss.as_ref().and_then(|loss| loss.from) {
            Some(from) if from < size => format!("entries {from} to {} that were seen here", size - 1),
            _ => format!("entries up to {} that were seen here, from where on is not known", size - 1),
        }
    }

    /// Puts the checkpoint that was kept where it stays as evidence.
    pub(super) fn keep_evidence(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(file, self.kept.note()).with_context(|| format!("cannot write {}", file.display()))
    }

    pub(super) fn to_json(&self, by: Option<&[String]>) -> Value {
        let loss = self.loss.as_ref();
        json!({
            "lost": self.kept.note(),
            "lost_from": loss.and_then(|loss| loss.from),
            "acknowledged_at": loss.and_then(|loss| loss.acknowledged_at).map(time),
            "acknowledged_by": by,
            "position": loss.and_then(|loss| loss.position),
            "checkpoint": self.now.note(),
        })
    }
}

/// As people read it.
pub(in super::super) fn time(seconds: u64) -> String {
    date::rfc3339(UNIX_EPOCH + Duration::from_secs(seconds))
}

pub(super) fn not_acknowledged(known: bool) -> Failure {
    let what = match known {
        true => {
            "the keystore says that this history is lost, and its administrators have not acknowledged that yet"
        }
        false => "nobody at the keystore has said that this history is lost",
    };
    Failure::new(Exit::KeystoreUntrusted, what).hint(
        "nothing was changed here; ask your administrators, and keep this machine's keystore folder as evidence",
    )
}
