// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit witness`: one look at the log, for a timer on a machine that the keystore's people do not run.

use std::{cmp::Ordering, fs, io, path::PathBuf, time::Duration};

use anyhow::Context as _;
use plombe_client::PublicLog;
use plombe_core::log::{Alarm, ConsistencyProof, Follower, Kept, Progress, VerifierKey};
use serde_json::json;

use super::super::{Account, account::options};
use crate::{
    app::App,
    date,
    exit::{Exit, Failure},
    output::{self, replace_file},
    terminal::Tone,
};

/// Which log, and where the last checkpoint is kept.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the last checkpoint is kept between two looks
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The keystore; the one that this machine is logged in at when left out
    #[arg(long, value_name = "URL", requires = "log_key")]
    keystore: Option<String>,
    /// The log's public key (name+id+key), as `plombe whoami --json` shows it
    #[arg(long, value_name = "KEY", requires = "keystore")]
    log_key: Option<VerifierKey>,
    /// The log may be silent for so long; it signs something every minute
    #[arg(long, value_name = "TIME", default_value = "600s", value_parser = date::span)]
    patience: Duration,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let (url, key) = match (&args.keystore, &args.log_key) {
        (Some(url), Some(key)) => (url.clone(), key.clone()),
        _ => {
            let session = Account::new(app).session()?;
            let identity = session.keystore().identity();
            (identity.origin.as_str().to_owned(), identity.log_verifier.parse()?)
        }
    };
    let log = PublicLog::of(&url, &options())?;
    let mut follower = match kept(args)? {
        Some(kept) => Follower::resume(key, &kept).map_err(|alarm| raise(&alarm))?,
        None => {
            let first = Follower::start(key, &log.unverified_checkpoint()?, app.now)
                .map_err(|alarm| raise(&alarm))?;
            keep(args, &first)?;
            first
        }
    };
    // A log that cannot be reached is silent, and after a while that is an alarm of its own.
    let note = match log.unverified_checkpoint() {
        Ok(note) => note,
        Err(error) => {
            follower.check_silence(args.patience, app.now).map_err(|alarm| raise(&alarm))?;
            return Err(error.into());
        }
    };
    let (old, new) = (follower.last().head().size, size(&note)?);
    let proof = match old.cmp(&new) {
        Ordering::Equal => ConsistencyProof::default(),
        Ordering::Less => log.unverified_consistency(old, new)?,
        // One that went back has no proof of what it was. An answer that was overtaken by another has.
        Ordering::Greater => log.unverified_consistency(new, old).unwrap_or_default(),
    };
    let progress = follower.advance(&note, &proof, app.now).map_err(|alarm| raise(&alarm))?;
    follower.check_silence(args.patience, app.now).map_err(|alarm| raise(&alarm))?;
    keep(args, &follower)?;

    let size = follower.last().head().size;
    if app.terminal.json {
        return output::print_json(
            &json!({"witnessed": {"size": size, "checkpoint": follower.last().note()}}),
        );
    }
    let text = match progress {
        Progress::Grown(entries) => format!("the log has {size} entries, {entries} more than before"),
        _ => format!("the log has {size} entries, as before, and is alive"),
    };
    app.terminal.note(Tone::Good, "witnessed", &text);
    Ok(())
}

/// How large the note says that the log is. Whether that is so, the follower checks.
fn size(note: &str) -> anyhow::Result<u64> {
    let size = note.lines().nth(1).and_then(|line| line.parse().ok());
    size.ok_or_else(|| raise(&Alarm::BadSignature).into())
}

fn kept(args: &Args) -> anyhow::Result<Option<Kept>> {
    match fs::read(&args.state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => {
            let json = other.with_context(|| format!("cannot read {}", args.state.display()))?;
            let kept = serde_json::from_slice(&json);
            kept.map(Some).with_context(|| format!("{} is damaged", args.state.display()))
        }
    }
}

fn keep(args: &Args, follower: &Follower) -> anyhow::Result<()> {
    let json = serde_json::to_vec(&follower.kept())?;
    replace_file(&args.state, &json).with_context(|| format!("cannot write {}", args.state.display()))
}

fn raise(alarm: &Alarm) -> Failure {
    Failure::new(Exit::KeystoreUntrusted, format!("ALARM: {alarm}")).hint(
        "keep the state file and the log's notes: they are evidence; tell people who do not run the keystore",
    )
}
