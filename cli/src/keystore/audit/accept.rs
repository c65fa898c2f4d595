// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit accept-restored-history`: go on with a keystore that was restored from a backup.

use plombe_client::{ClientError, PublicLog, SeenLog, Session};
use plombe_core::{
    keystore::calls::{
        audit,
        history::{Loss, LostHistory, extent_of},
    },
    log::{Disclosure, SignedCheckpoint, VerifierKey, entry::Entry},
};
use serde_json::json;

use super::{
    super::{Account, account::options},
    entries::not_proven,
    lost::{self, Contradiction},
};
use crate::{
    app::App,
    exit::{Exit, Failure},
    output,
    terminal::{Tone, printable_line},
};

/// Who accepts it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also when nobody has acknowledged the loss yet: for the administrators who are to do that
    #[arg(long)]
    as_administrator: bool,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let none = || Failure::new(Exit::KeystoreRefused, "this machine knows no keystore");
    let known = account.known()?.ok_or_else(none)?;
    let key: VerifierKey = known.keystore.log_verifier.parse()?;
    let SeenLog { proven, latest, pending } = &known.log;
    let Some(kept) = pending.as_ref().or(latest.as_ref()).or(proven.as_ref()) else {
        return nothing_lost(app);
    };
    let log = PublicLog::of(known.keystore.origin.as_str(), &options())?;
    let Some(found) = lost::find(&log, &key, kept)? else { return nothing_lost(app) };
    let acknowledged_at = found.loss.as_ref().and_then(|loss| loss.acknowledged_at);
    if acknowledged_at.is_none() && !args.as_administrator {
        return Err(lost::not_acknowledged(found.loss.is_some()).into());
    }
    let by = match acknowledged_at {
        Some(_) => who(&account, &key, &found)?,
        None => None,
    };

    let evidence = account.lost_history(found.kept.head().size);
    found.keep_evidence(&evidence)?;
    let now = Some(found.now.note().to_owned());
    account.keep_log(&SeenLog { proven: now.clone(), latest: now, pending: None })?;
    if app.terminal.json {
        return output::print_json(&json!({"accepted": found.to_json(by.as_deref())}));
    }
    let names = match &by {
        Some(by) => by.join(" and "),
        None => "somebody, as the keystore says without a proof (log in to see who)".to_owned(),
    };
    app.terminal.note(Tone::Doubtful, "lost", &found.positions());
    match acknowledged_at {
        Some(at) => app.terminal.note(
            Tone::Plain,
            "acknowledged",
            &format!("by {} on {}", printable_line(&names), lost::time(at)),
        ),
        None => app
            .terminal
            .warn("nobody has acknowledged this yet; do it: `plombe audit acknowledge-lost-history`"),
    }
    let text = format!(
        "this machine goes on with the log as it is now; what it had seen is in {}",
        evidence.display()
    );
    app.terminal.note(Tone::Good, "accepted", &text);
    Ok(())
}

fn nothing_lost(app: &App<'_>) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"accepted": null}));
    }
    app.terminal.note(Tone::Good, "whole", "the log has all that this machine has seen of it");
    Ok(())
}

/// Who acknowledged it, from the log's own entry. `None` when this machine cannot log in at the moment.
fn who(account: &Account, key: &VerifierKey, found: &Contradiction) -> anyhow::Result<Option<Vec<String>>> {
    let Some(mut session) = account.session_without_log()? else { return Ok(None) };
    let losses = match session.call(&LostHistory {}) {
        Err(ClientError::NotLoggedIn | ClientError::DevicePending) => return Ok(None),
        other => other?,
    };
    let covers = |loss: &&Loss| {
        let lost = SignedCheckpoint::open(&loss.checkpoint, key);
        lost.is_ok_and(|lost| lost.checkpoint().covers(found.kept.checkpoint(), loss.shown_at))
    };
    for loss in losses.losses.iter().filter(covers) {
        let Some(acknowledged) = &loss.acknowledged else { continue };
        check(&session, &losses.checkpoint, loss, &acknowledged.entry)?;
        return Ok(Some(acknowledged.by.iter().map(|person| person.name.clone()).collect()));
    }
    // Others have acknowledged it, this organisation has not.
    Err(lost::not_acknowledged(true).into())
}

/// The log itself has to say that just this history is given up, and until when it reaches.
fn check(session: &Session, note: &str, loss: &Loss, proven: &audit::Entry) -> anyhow::Result<()> {
    let key: VerifierKey = session.keystore().identity().log_verifier.parse()?;
    let head = SignedCheckpoint::open(note, &key).map_err(not_proven)?;
    let lost = SignedCheckpoint::open(&loss.checkpoint, &key).map_err(not_proven)?;
    let Disclosure::Whole { body, .. } = proven.verify(head.head()).map_err(not_proven)? else {
        return Err(not_proven("the acknowledgement was erased").into());
    };
    let entry = Entry::read(&body).map_err(not_proven)?;
    let extent = format!("{}:", extent_of(lost.head(), loss.shown_at));
    let names_it = entry.about.note.is_some_and(|note| note.starts_with(&extent));
    let names_it = names_it && head.checkpoint().reaches(loss.shown_at);
    if entry.action == "acknowledge-loss" && entry.decision.permitted && names_it {
        return Ok(());
    }
    Err(not_proven("the acknowledgement is of something else").into())
}
