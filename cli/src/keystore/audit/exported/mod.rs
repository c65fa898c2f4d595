// SPDX-License-Identifier: LGPL-2.0-or-later
//! An exported log: JSON lines that prove themselves to who has the log's public key. The format is in `docs/log.md`.

mod chains;
mod checker;
mod verify;

use plombe_core::{
    keystore::{
        Bytes,
        calls::audit::{Entry, Scope},
    },
    log::{ConsistencyProof, Disclosure, NodeHash, VerifierKey},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use verify::{FileArgs, run};

/// Version of the format.
pub(super) const VERSION: u64 = 1;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Header(Header),
    List(List),
    Tree(Tree),
    Entry(Exported),
    End(End),
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) plombe_audit_export: u64,
    pub(super) log_key: VerifierKey,
    /// The signed tree that has every entry of the file.
    pub(super) checkpoint: String,
}

/// What the entries after it are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) list: Scope,
}

/// A later tree, which the proofs after it lead to, and that it extends the one before.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    pub(super) checkpoint: String,
    pub(super) consistency: Vec<NodeHash>,
}

/// An entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exported {
    pub(super) position: u64,
    /// What the disclosure says, to be read by people and programs; `None` when it was erased, or is nobody's here.
    pub(super) entry: Option<Value>,
    pub(super) disclosure: Bytes,
    pub(super) proof: Vec<NodeHash>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) end: Total,
}

/// How many lines have an entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Total {
    pub(super) entries: u64,
}

impl Tree {
    pub(super) fn new(note: &str, proof: ConsistencyProof) -> Self {
        Self { checkpoint: note.to_owned(), consistency: proof.into() }
    }
}

impl Exported {
    pub(super) fn new(listed: Entry, disclosure: &Disclosure) -> serde_json::Result<Self> {
        let Entry { position, disclosure: bytes, proof } = listed;
        Ok(Self { position, entry: said(disclosure)?, disclosure: bytes, proof })
    }

    /// As the keystore lists it.
    fn listed(&self) -> Entry {
        Entry { position: self.position, disclosure: self.disclosure.clone(), proof: self.proof.clone() }
    }
}

/// What an entry says, with the members that this program does not know.
fn said(disclosure: &Disclosure) -> serde_json::Result<Option<Value>> {
    match disclosure {
        Disclosure::Whole { body, .. } => serde_json::from_slice(body).map(Some),
        Disclosure::Erased { .. } => Ok(None),
    }
}
