// SPDX-License-Identifier: LGPL-2.0-or-later
//! History that a keystore has signed and does not have any more: what is lost, and who has acknowledged it.

use serde::{Deserialize, Serialize};

use super::{audit::Entry, calls};
use crate::{
    keystore::{ApprovalId, PrincipalId},
    log::{NodeHash, TreeHead},
};

/// `GET`, without a session: [`PublicLoss`]es, for witnesses and for who cannot log in.
pub const PUBLIC_LOSSES_PATH: &str = "/v1/log/lost";

/// `POST`, without a session: a checkpoint, as text. A keystore that does not extend it stops.
pub const SHOW_PATH: &str = "/v1/log/checkpoint";

/// Lists what is lost. For everybody who is logged in, also while the keystore is stopped.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LostHistory {}

/// What is lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Losses {
    /// Smallest first.
    pub losses: Vec<Loss>,
    /// The signed note that the entries' proofs lead to.
    pub checkpoint: String,
}

/// A genuine checkpoint that the log does not extend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Loss {
    /// The lost signed note.
    pub checkpoint: String,
    /// From this position on the lost log and this one differ, as far as the keystore knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// When it was shown to the keystore. Whatever else the log had signed before that and does not have is part of the same loss.
    pub shown_at: u64,
    /// One administrator has said yes, and it waits for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The organisation goes on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
}

/// A first yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waiting {
    /// Its approval.
    pub approval: ApprovalId,
    /// Who.
    pub by: Person,
    /// When.
    pub at: u64,
    /// Why, in their words.
    pub reason: String,
    /// Until when it counts.
    pub expires_at: u64,
}

/// Two have said yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Acknowledged {
    /// Who.
    pub by: Vec<Person>,
    /// When.
    pub at: u64,
    /// The entry that says so, with its proof.
    pub entry: Entry,
}

/// Somebody, as the keystore calls them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// Who.
    pub principal: PrincipalId,
    /// Their name, or an address.
    pub name: String,
}

/// Says that one goes on without this history. Takes effect when a second administrator says so; nothing else is needed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeLoss {
    /// Entries of the lost log.
    pub size: u64,
    /// Its root.
    pub root: NodeHash,
    /// When it was shown to the keystore: one goes on without all that was signed before that, known or not.
    pub shown_at: u64,
    /// Why.
    pub reason: String,
}

/// How far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LossAcknowledged {
    /// Does the organisation go on now? If not, it waits for another administrator.
    pub effective: bool,
    /// Position of the entry.
    pub position: u64,
}

/// What everybody may know of a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublicLoss {
    /// The lost signed note.
    pub checkpoint: String,
    /// As in [`Loss`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// As in [`Loss`].
    pub shown_at: u64,
    /// When the last organisation here acknowledged it; absent while one has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<u64>,
    /// The entry that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

/// How an entry of the log names a lost log; what else its note says comes behind that.
pub fn name_of(lost: &TreeHead) -> String {
    format!("log of {} entries with root {}", lost.size, lost.root)
}

/// How an entry names what is acknowledged: that log, and all else that is part of the same loss.
pub fn extent_of(lost: &TreeHead, shown_at: u64) -> String {
    format!("{}, and what else was signed before time {shown_at}", name_of(lost))
}

calls! {
    LostHistory => "/v1/history/lost", Losses;
    AcknowledgeLoss => "/v1/history/acknowledge", LossAcknowledged;
}
