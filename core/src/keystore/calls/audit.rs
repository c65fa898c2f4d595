// SPDX-License-Identifier: LGPL-2.0-or-later
//! The log: a user's own entries, an auditor's all, each with its proof.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::keystore::{Bytes, KeyFingerprint};

/// Most entries of one page.
pub const MAX_ENTRIES: u32 = 500;

/// Reads a page of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListEntries {
    /// Whose entries.
    pub scope: Scope,
    /// Entries after this position; `None` from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most so many, [`MAX_ENTRIES`] at most.
    pub limit: u32,
}

/// Whose entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The caller's own: what the caller did, and what was done with the caller's keys and account.
    Mine,
    /// Those of one key, which the caller owns. They count without a gap, so a missing one shows.
    Key(KeyFingerprint),
    /// All. For auditors.
    All,
}

/// A page of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entries {
    /// By position.
    pub entries: Vec<Entry>,
    /// The signed note that the proofs lead to.
    pub checkpoint: String,
    /// Is there more after the last one?
    pub more: bool,
}

/// One entry and the way from it to the checkpoint's root. Leaf = H(position, H(salt, body)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Index of the leaf.
    pub position: u64,
    /// The entry's JSON, byte for byte; `None` when it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Bytes>,
    /// Goes into the hash; `None` when it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Bytes>,
    /// H(salt, body), 32 bytes: all that is left of an erased entry.
    pub content_hash: Bytes,
    /// Inclusion proof (RFC 6962): hashes of 32 bytes, from the leaf up.
    pub proof: Vec<Bytes>,
}

calls! {
    ListEntries => "/v1/audit/entries", Entries;
}
