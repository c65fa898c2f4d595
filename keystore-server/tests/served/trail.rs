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
    let verifier: VerifierKey = session.keystore().identity().log_verifier.parse().unwrap();
    let page = session.call(&ListEntries { scope: Scope::Mine, after: None, limit: 500 }).unwrap();
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
