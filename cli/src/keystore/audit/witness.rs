// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit witness`: one look at the log, for a timer on a machine that the keystore's people do not run.

use std::{
    cmp::Ordering,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use plombe_client::PublicLog;
use plombe_core::log::{Alarm, ConsistencyProof, Follower, Kept, Progress, VerifierKey};
use serde_json::json;

use super::{
    super::{Account, account::options},
    lost,
};
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
    /// Go on with a log that was restored from a backup, if its administrators have acknowledged what is lost
    #[arg(long)]
    accept_restored_history: bool,
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
    if args.accept_restored_history {
        return accept(app, args, &log, &key);
    }
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
    let progress = match follower.advance(&note, &proof, app.now) {
        Ok(progress) => progress,
        Err(alarm) => {
            // It proves itself, so the keystore stops until its administrators have looked. Whether it does or not, the alarm is raised.
            let _ = log.show(follower.last().note());
            return Err(raise(&alarm).into());
        }
    };
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

/// Keeps the log as it is now; what was kept stays beside it as evidence.
fn accept(app: &App<'_>, args: &Args, log: &PublicLog, key: &VerifierKey) -> anyhow::Result<()> {
    let kept = kept(args)?.with_context(|| format!("nothing is kept in {} yet", args.state.display()))?;
    let found = match lost::find(log, key, &kept.note)? {
        Some(found) => found,
        None => {
            if app.terminal.json {
                return output::print_json(&json!({"accepted": null}));
            }
            app.terminal.note(Tone::Good, "whole", "the log has all that was witnessed of it");
            return Ok(());
        }
    };
    let Some(at) = found.loss.as_ref().and_then(|loss| loss.acknowledged_at) else {
        return Err(lost::not_acknowledged(found.loss.is_some()).into());
    };
    let mut evidence = args.state.clone().into_os_string();
    evidence.push(format!(".lost-{}", found.kept.head().size));
    found.keep_evidence(Path::new(&evidence))?;
    let follower = Follower::start(key.clone(), found.now.note(), app.now).map_err(|alarm| raise(&alarm))?;
    keep(args, &follower)?;
    if app.terminal.json {
        return output::print_json(&json!({"accepted": found.to_json(None)}));
    }
    app.terminal.note(Tone::Doubtful, "lost", &found.positions());
    let text = format!(
        "the keystore says that its administrators acknowledged it on {}; what was witnessed is in {}",
        lost::time(at),
        Path::new(&evidence).display()
    );
    app.terminal.note(Tone::Good, "accepted", &text);
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
        "keep the state file and the log's notes: they are evidence; tell people who do not run the keystore; if they say \
         that a backup was restored: --accept-restored-history",
    )
}
