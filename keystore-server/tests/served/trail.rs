// SPDX-License-Identifier: LGPL-2.0-or-later
//! What somebody's log shows them.

use plombe_client::Session;
use plombe_core::{
    keystore::calls::audit::{ListEntries, Scope},
    log::{
        Disclosure, SignedCheckpoint, VerifierKey,
        entry::{Actor, Entry},
    },
};

/// One's own entries, each proven to be in the log; and the log's size.
pub(crate) fn trail(session: &mut Session) -> (Vec<Entry>, u64) {
    read(session, Scope::Mine)
}

/// An auditor's: everybody's entries.
pub(crate) fn whole_trail(auditor: &mut Session) -> Vec<Entry> {
    read(auditor, Scope::All).0
}

fn read(session: &mut Session, scope: Scope) -> (Vec<Entry>, u64) {
    let verifier: VerifierKey = session.keystore().identity().log_verifier.parse().unwrap();
    let page = session.call(&ListEntries { scope, after: None, limit: 500 }).unwrap();
    let checkpoint = SignedCheckpoint::open(&page.checkpoint, &verifier).unwrap();
    let read = page.entries.iter().map(|entry| match entry.verify(checkpoint.head()).unwrap() {
        Disclosure::Whole { body, .. } => serde_json::from_slice(&body).unwrap(),
        _ => panic!("nothing was erased"),
    });
    (read.collect(), checkpoint.head().size)
}

/// Does one's log show that `who` did, or tried, this?
pub(crate) fn shows(session: &mut Session, who: &Session, action: &str, rule: &str) -> bool {
    let who = who.identity().principal;
    trail(session).0.iter().any(|entry| {
        let by = matches!(&entry.actor, Actor::Device { principal, .. } if *principal == who);
        by && entry.action == action && entry.decision.rule == rule
    })
}

/// How many refusals of a kind the log has counted without names, as an auditor reads it.
pub(crate) fn counted(auditor: &mut Session, reason: &str) -> u64 {
    let all = ListEntries { scope: Scope::All, after: None, limit: 500 };
    let entries = auditor.call(&all).unwrap().entries;
    let bodies = entries.iter().filter_map(|entry| match Disclosure::from_bytes(&entry.disclosure.0) {
        Some(Disclosure::Whole { body, .. }) => Some(serde_json::from_slice::<Entry>(&body).unwrap()),
        _ => None,
    });
    let notes = bodies.filter(|entry| entry.action == "refused-anonymous").filter_map(|e| e.about.note);
    notes.filter_map(|note| note.strip_prefix(reason)?.strip_prefix(": ")?.parse::<u64>().ok()).sum()
}
