// SPDX-License-Identifier: LGPL-2.0-or-later
//! Entries of the log, fetched page by page, each proven to be in the tree that the log has signed.

use plombe_client::Session;
use plombe_core::{
    keystore::calls::audit::{ListEntries, MAX_ENTRIES, Scope},
    log::{Disclosure, SignedCheckpoint, VerifierKey, entry::Entry},
};

use crate::exit::{Exit, Failure};

/// One entry that is in the log.
pub(super) struct Proven {
    pub(super) position: u64,
    /// `None` when it was erased, or is nobody's here.
    pub(super) entry: Option<Entry>,
}

/// All entries of a scope, oldest first.
pub(super) fn all(session: &mut Session, scope: &Scope) -> anyhow::Result<Vec<Proven>> {
    let verifier: VerifierKey = session.keystore().identity().log_verifier.parse()?;
    let mut proven = Vec::new();
    let mut after = None;
    loop {
        let page = session.call(&ListEntries { scope: scope.clone(), after, limit: MAX_ENTRIES })?;
        let checkpoint = SignedCheckpoint::open(&page.checkpoint, &verifier).map_err(not_proven)?;
        for listed in &page.entries {
            // A list that jumps back would never end.
            if after.is_some_and(|after| listed.position <= after) {
                return Err(not_proven("its list is out of order").into());
            }
            after = Some(listed.position);
            let entry = match listed.verify(checkpoint.head()).map_err(not_proven)? {
                Disclosure::Whole { body, .. } => Some(Entry::read(&body).map_err(not_proven)?),
                Disclosure::Erased { .. } => None,
            };
            proven.push(Proven { position: listed.position, entry });
        }
        if !page.more || page.entries.is_empty() {
            return Ok(proven);
        }
    }
}

pub(super) fn not_proven(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::KeystoreUntrusted,
        format!("the keystore shows entries that its log does not hold: {why}"),
    )
    .hint("keep this machine's keystore folder as evidence, and tell people who do not run the keystore")
}
