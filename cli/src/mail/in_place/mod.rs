// SPDX-License-Identifier: LGPL-2.0-or-later
//! Many mails where they lie: Maildirs, mbox files, single files.
//!
//! Mails are worked on in batches, on every core. A mail is replaced as a whole or not at all; one that fails stays
//! as it is, byte for byte, and is named at the end. Interrupting the work loses nothing.

mod maildir;
pub(super) mod mbox;
mod workers;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::json;

use super::line_ends;
use crate::{
    app::App,
    exit::{Failure, exit_of},
    output,
    progress::{Progress, Unit},
    terminal::Tone,
};

/// What becomes of a mail.
pub(super) enum Outcome<C = Vec<u8>> {
    /// This instead. Lines end with CRLF, which is put right for where the mail lies.
    Replace(C),
    /// Nothing to do.
    Leave,
}

/// What is done to each mail; called from several threads.
pub(super) type Work<'a> = dyn Fn(&[u8]) -> anyhow::Result<Outcome> + Sync + 'a;

/// Mails per batch: enough to keep all cores busy and to wait for the disk once for many.
const BATCH_MAILS: usize = 256;
/// And no more bytes than this in memory at once, apart from a single mail that is larger.
const BATCH_BYTES: usize = 64 << 20;

/// What happened so far.
pub(super) struct Tally<'a> {
    app: &'a App<'a>,
    progress: Progress,
    replaced: u64,
    left: u64,
    failed: Vec<(String, anyhow::Error)>,
}

impl Tally<'_> {
    /// Records what became of one mail, which is called `name`, and says what to write there.
    fn settle<C>(&mut self, name: impl FnOnce() -> String, outcome: anyhow::Result<Outcome<C>>) -> Option<C> {
        self.progress.advance(1);
        match outcome {
            Ok(Outcome::Replace(content)) => {
                self.replaced += 1;
                Some(content)
            }
            Ok(Outcome::Leave) => {
                self.left += 1;
                None
            }
            Err(error) => {
                self.failed.push((name(), error));
                None
            }
        }
    }
}

/// Does `work` to every mail in `paths`; `verb` says what was done, in the past tense.
pub(super) fn run(app: &App<'_>, paths: &[PathBuf], verb: &str, work: &Work<'_>) -> anyhow::Result<()> {
    let kinds = paths.iter().map(|path| Kind::of(path)).collect::<anyhow::Result<Vec<_>>>()?;
    // An mbox tells how many mails it has only when it is read.
    let total = kinds.iter().map(Kind::count).sum::<Option<u64>>();
    let progress = Progress::new(Unit::Mails, total, app.terminal);
    let mut tally = Tally { app, progress, replaced: 0, left: 0, failed: Vec::new() };
    for kind in kinds {
        match kind {
            Kind::Files(files) => maildir::run(&files, work, &mut tally)?,
            Kind::Mbox(path) => mbox::run(&path, work, &mut tally)?,
        }
    }
    tell(tally, verb)
}

enum Kind {
    /// Of a Maildir, or a single one.
    Files(Vec<PathBuf>),
    Mbox(PathBuf),
}

impl Kind {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let found = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if found.is_dir() {
            return Ok(Self::Files(maildir::files(path)?));
        }
        if !found.is_file() {
            return Err(Failure::usage(format!("{} is neither a Maildir nor a file", path.display())).into());
        }
        match mbox::is_mbox(path)? {
            true => Ok(Self::Mbox(path.to_owned())),
            false => Ok(Self::Files(vec![path.to_owned()])),
        }
    }

    fn count(&self) -> Option<u64> {
        match self {
            Self::Files(files) => Some(files.len() as u64),
            Self::Mbox(_) => None,
        }
    }
}

fn tell(tally: Tally<'_>, verb: &str) -> anyhow::Result<()> {
    let Tally { app, replaced, left, failed, progress } = tally;
    drop(progress);
    if app.terminal.json {
        let list: Vec<_> = failed
            .iter()
            .map(|(name, error)| json!({"mail": name, "exit": exit_of(error) as u8, "message": crate::exit::sentence(error)}))
            .collect();
        output::print_json(&json!({verb: replaced, "left": left, "failed": list}))?;
    } else {
        let left = if left == 0 { String::new() } else { format!(", {left} left as they were") };
        app.terminal.note(Tone::Good, verb, &format!("{replaced} mails{left}"));
    }
    let Some((_, first)) = failed.first() else { return Ok(()) };
    let exit = exit_of(first);
    for (name, error) in &failed {
        app.terminal.note(Tone::Bad, "failed", &format!("{name}: {}", crate::exit::sentence(error)));
    }
    let message = format!("{} mails could not be {verb}; they are as they were", failed.len());
    Err(Failure::new(exit, message).into())
}
