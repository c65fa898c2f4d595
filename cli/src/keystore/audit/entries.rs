// SPDX-License-Identifier: LGPL-2.0-or-later
//! Entries of the log, fetched page by page, each proven to be in the tree that the log has signed.

use plombe_client::Session;
use plombe_core::{
    keystore::calls::audit::{self, ListEntries, MAX_ENTRIES, Scope},
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
    let mut proven = Vec::new();
    let mut pages = Pages::new(session, scope.clone(), MAX_ENTRIES)?;
    while let Some(page) = pages.next(session)? {
        for (listed, disclosure) in page.entries {
            let entry = match disclosure {
                Disclosure::Whole { body, .. } => Some(Entry::read(&body).map_err(not_proven)?),
                Disclosure::Erased { .. } => None,
            };
            proven.push(Proven { position: listed.position, entry });
        }
    }
    Ok(proven)
}

/// The pages of a scope, oldest first.
pub(super) struct Pages {
    scope: Scope,
    limit: u32,
    verifier: VerifierKey,
    after: Option<u64>,
    ended: bool,
}

/// Entries, and what they were proven against.
pub(super) struct Page {
    pub(super) checkpoint: SignedCheckpoint,
    pub(super) entries: Vec<(audit::Entry, Disclosure)>,
}

impl Pages {
    pub(super) fn new(session: &Session, scope: Scope, limit: u32) -> anyhow::Result<Self> {
        let verifier = session.keystore().identity().log_verifier.parse()?;
        Ok(Self { scope, limit, verifier, after: None, ended: false })
    }

    /// The next one; the first comes also when it is empty.
    pub(super) fn next(&mut self, session: &mut Session) -> anyhow::Result<Option<Page>> {
        if self.ended {
            return Ok(None);
        }
        let call = ListEntries { scope: self.scope.clone(), after: self.after, limit: self.limit };
        let page = session.call(&call)?;
        let checkpoint = SignedCheckpoint::open(&page.checkpoint, &self.verifier).map_err(not_proven)?;
        self.ended = !page.more || page.entries.is_empty();
        let mut entries = Vec::with_capacity(page.entries.len());
        for listed in page.entries {
            // A list that jumps back would never end.
            if self.after.is_some_and(|after| listed.position <= after) {
                return Err(not_proven("its list is out of order").into());
            }
            self.after = Some(listed.position);
            let disclosure = listed.verify(checkpoint.head()).map_err(not_proven)?;
            entries.push((listed, disclosure));
        }
        Ok(Some(Page { checkpoint, entries }))
    }
}

pub(super) fn not_proven(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::KeystoreUntrusted,
        format!("the keystore shows entries that its log does not hold: {why}"),
    )
    .hint("keep this machine's keystore folder as evidence, and tell people who do not run the keystore")
}
