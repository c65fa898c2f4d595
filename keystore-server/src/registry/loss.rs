// SPDX-License-Identifier: LGPL-2.0-or-later
//! History that this keystore has signed and does not have any more.

use std::time::{Duration, UNIX_EPOCH};

use plombe_core::{
    keystore::{PrincipalId, TenantId},
    log::{Checkpoint, NodeHash, SignedCheckpoint, TreeHead},
};
use serde::{Deserialize, Serialize};

use super::{RecordId, Wanted};

/// A genuine checkpoint that the log does not extend: a backup was restored, or there are two histories. Revocations may be among what
/// is lost, so each tenant is stopped until its administrators have acknowledged it. A record like others, so that every server of the
/// database knows, and none forgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The signed note, as it was shown. It proves itself.
    pub note: String,
    /// Entries of the lost log.
    pub size: u64,
    /// Root of the lost log.
    pub root: NodeHash,
    /// When it was signed, seconds since 1970.
    pub time: Option<u64>,
    /// Where the two histories part, as far as this keystore knows: from this position on the lost one is gone.
    pub from: Option<u64>,
    /// When it was shown, seconds since 1970. What was signed before that and is not there is part of this loss.
    pub shown: u64,
    /// Tenants that go on without it.
    pub acknowledged: Vec<Acknowledgement>,
}

/// Two administrators have acknowledged a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Whose.
    pub tenant: TenantId,
    /// Who said so first, and who second.
    pub by: Vec<PrincipalId>,
    /// Seconds since 1970.
    pub at: u64,
    /// Its entry in the log.
    pub position: u64,
}

impl Loss {
    /// What was shown and is not there.
    pub fn new(shown: &SignedCheckpoint, from: Option<u64>, now: u64) -> Self {
        let Checkpoint { head, time, .. } = shown.checkpoint();
        let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            note: shown.note().to_owned(),
            size: head.size,
            root: head.root,
            time: time.map(|since| since.as_secs()),
            from,
            shown: now,
            acknowledged: Vec::new(),
        }
    }

    /// Its identity: size and root.
    pub fn id(&self) -> RecordId {
        RecordId::of(&[&self.size.to_be_bytes(), &self.root.0])
    }

    /// Does whoever knows of this loss know of that checkpoint, too?
    pub fn covers(&self, other: &Checkpoint) -> bool {
        self.checkpoint().covers(other, self.shown)
    }

    /// What the note says.
    pub fn checkpoint(&self) -> Checkpoint {
        let time = self.time.map(|time| UNIX_EPOCH + Duration::from_secs(time));
        Checkpoint { origin: String::new(), head: self.head(), time }
    }

    /// Its head.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root }
    }

    /// What administrators agree to.
    pub fn wanted(&self) -> Wanted {
        Wanted::Restored { size: self.size, root: self.root }
    }

    /// The same, acknowledged by one tenant more.
    pub fn with(&self, acknowledgement: Acknowledgement) -> Self {
        let mut loss = self.clone();
        loss.acknowledged.push(acknowledgement);
        loss
    }

    /// That tenant's acknowledgement.
    pub fn acknowledgement(&self, tenant: TenantId) -> Option<&Acknowledgement> {
        self.acknowledged.iter().find(|acknowledged| acknowledged.tenant == tenant)
    }
}
