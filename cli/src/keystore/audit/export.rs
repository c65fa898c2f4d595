// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit export`: entries with their proofs, for who has no account here.

use std::io::Write as _;

use plombe_client::Session;
use plombe_core::{
    keystore::{
        KeyFingerprint,
        calls::audit::{ProveConsistency, Scope},
    },
    log::{ConsistencyProof, SignedCheckpoint},
};
use serde_json::json;

use super::{
    super::Account,
    entries::{Page, Pages, not_proven},
    exported::{End, Exported, Header, Line, List, Total, Tree, VERSION},
};
use crate::{
    app::App,
    args::OutputArgs,
    output::{self, Content, Output},
    progress::{Progress, Unit},
    terminal::Tone,
};

/// Entries that are in memory at one time.
const PAGE: u32 = 64;

/// Which entries, and where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those about this key, by the fingerprint of its certificate
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<KeyFingerprint>,
    /// All of the organisation's, for auditors
    #[arg(long, conflicts_with = "key")]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    // Who reads it sees who did what when: it is for its owner until they pass it on.
    let output = output::open(&args.output, Content::Plaintext)?;
    session.verify_log()?;
    let scopes = match &args.key {
        Some(key) => vec![Scope::Key(key.clone())],
        None if args.all => vec![Scope::All],
        None => {
            let me = session.identity().principal;
            let keys = account.refresh_keys(&mut session)?.into_iter().filter(|key| key.owner == me);
            std::iter::once(Scope::Mine).chain(keys.map(|key| Scope::Key(key.fingerprint))).collect()
        }
    };
    let progress = Progress::new(Unit::Entries, None, app.terminal);
    let mut export = Export { args, output, progress, trees: None, entries: 0 };
    for scope in scopes {
        export.list(&mut session, scope)?;
    }
    export.write(&Line::End(End { end: Total { entries: export.entries } }))?;
    session.verify_log()?;
    account.keep_session(&session)?;

    let Export { output, entries, progress, .. } = export;
    drop(progress);
    output::release(output, &args.output)?;
    if app.terminal.json {
        let log_key = &session.keystore().identity().log_verifier;
        let exported = json!({"exported": {"entries": entries, "log_key": log_key}});
        if args.output.to_stdout() {
            app.terminal.json_to_stderr(&exported);
            return Ok(());
        }
        return output::print_json(&exported);
    }
    let text = format!("{entries} entries; `plombe audit verify FILE` checks them anywhere");
    app.terminal.note(Tone::Good, "exported", &text);
    Ok(())
}

struct Export<'a> {
    args: &'a Args,
    output: Output,
    progress: Progress,
    /// The tree of the first line, and the newest one that was written.
    trees: Option<(SignedCheckpoint, SignedCheckpoint)>,
    entries: u64,
}

impl Export<'_> {
    /// Exports one list, as far as the tree of the first line goes.
    fn list(&mut self, session: &mut Session, scope: Scope) -> anyhow::Result<()> {
        let mut pages = Pages::new(session, scope.clone(), PAGE)?;
        let mut is_first = true;
        while let Some(Page { checkpoint, entries }) = pages.next(session)? {
            let size = self.tree(session, checkpoint)?;
            if is_first {
                self.write(&Line::List(List { list: scope.clone() }))?;
                is_first = false;
            }
            for (listed, disclosure) in entries {
                // What has come since, this reading included, is for the next export.
                if listed.position >= size {
                    return Ok(());
                }
                let exported = Exported::new(listed, &disclosure)?;
                self.write(&Line::Entry(exported))?;
                self.entries += 1;
                self.progress.advance(1);
            }
        }
        Ok(())
    }

    /// Goes on to the tree that a page is proven against. Gives the size of the first.
    fn tree(&mut self, session: &mut Session, tree: SignedCheckpoint) -> anyhow::Result<u64> {
        let Some((first, last)) = self.trees.take() else {
            let header = Header {
                plombe_audit_export: VERSION,
                log_key: session.keystore().identity().log_verifier.parse()?,
                checkpoint: tree.note().to_owned(),
            };
            self.write(&Line::Header(header))?;
            let size = tree.head().size;
            self.trees = Some((tree.clone(), tree));
            return Ok(size);
        };
        let (old, new) = (*last.head(), *tree.head());
        if old != new {
            let call = ProveConsistency { old_size: old.size, new_size: new.size };
            let proof = ConsistencyProof::try_from(session.call(&call)?.proof)
                .map_err(|_| not_proven("a proof is too long"))?;
            proof.verify(&old, &new).map_err(not_proven)?;
            self.write(&Line::Tree(Tree::new(tree.note(), proof)))?;
        }
        let size = first.head().size;
        self.trees = Some((first, tree));
        Ok(size)
    }

    fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let written = self.output.write_all(text.as_bytes());
        Ok(written.map_err(|source| output::failed(&self.args.output, source))?)
    }
}
