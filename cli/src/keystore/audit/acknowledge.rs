// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit acknowledge-lost-history`: an administrator lets a keystore go on that was restored from a backup.

use std::cmp::Reverse;

use plombe_core::{
    keystore::calls::history::{AcknowledgeLoss, Loss, LostHistory},
    log::{SignedCheckpoint, VerifierKey},
};
use serde_json::json;

use super::{super::Account, entries::not_proven, lost};
use crate::{
    app::App,
    exit::{Exit, Failure},
    output,
    terminal::{Tone, printable_line},
};

/// Why.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What happened, for the log and for the other administrators
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let key: VerifierKey = session.keystore().identity().log_verifier.parse()?;
    let history = session.call(&LostHistory {})?;
    let now = SignedCheckpoint::open(&history.checkpoint, &key).map_err(not_proven)?;
    let open = |loss: &Loss| SignedCheckpoint::open(&loss.checkpoint, &key).map_err(not_proven);
    if history.losses.iter().any(|loss| !now.checkpoint().reaches(loss.shown_at)) {
        return Err(not_on_record().into());
    }
    let mut losses = history
        .losses
        .into_iter()
        .map(|loss| Ok((open(&loss)?, loss)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    losses.sort_by_key(|(_, loss)| Reverse(loss.shown_at));
    let mut done: Vec<(SignedCheckpoint, u64)> = Vec::new();
    let mut told = Vec::new();
    for (lost, loss) in losses {
        // The last to be shown stands for all that was signed before.
        let covered =
            done.iter().any(|(known, shown_at)| known.checkpoint().covers(lost.checkpoint(), *shown_at));
        if loss.acknowledged.is_some() || covered {
            done.push((lost, loss.shown_at));
            continue;
        }
        let head = *lost.head();
        let (reason, shown_at) = (args.reason.clone(), loss.shown_at);
        let call = AcknowledgeLoss { size: head.size, root: head.root, shown_at, reason };
        let answer = session.call(&call)?;
        tell(app, &loss, head.size, answer.effective);
        told.push(json!({
            "size": head.size,
            "root": head.root,
            "lost_from": loss.from,
            "signed_before": lost::time(shown_at),
            "effective": answer.effective,
        }));
        done.push((lost, shown_at));
    }
    account.keep_session(&session)?;
    if app.terminal.json {
        return output::print_json(&json!({"acknowledged": told}));
    }
    if told.is_empty() {
        app.terminal.note(Tone::Good, "whole", "nothing waits for an acknowledgement");
    }
    Ok(())
}

/// What is said yes to reaches until it was shown: a moment that is not over would cover what is lost until then.
fn not_on_record() -> Failure {
    Failure::new(Exit::KeystoreUntrusted, "the keystore names a loss that its log cannot have on record yet")
        .hint("try again in a minute; if it stays, tell people who do not run the keystore, and acknowledge nothing")
}

fn tell(app: &App<'_>, loss: &Loss, size: u64, effective: bool) {
    let from = loss.from.map_or_else(String::new, |from| format!(" from {from}"));
    let text = format!(
        "entries{from} to {} at least are lost, and whatever came behind them until {}: all that the backup does not have",
        size.saturating_sub(1),
        lost::time(loss.shown_at)
    );
    app.terminal.note(Tone::Doubtful, "lost", &text);
    if let Some(first) = &loss.waiting {
        let text = format!("{} said so first: {}", first.by.name, first.reason);
        app.terminal.note(Tone::Plain, "first", &printable_line(&text));
    }
    let text = match effective {
        true => "the keystore serves again; revoke now what had been revoked since the backup",
        false => "recorded; it takes effect when a second administrator says so too, within seven days",
    };
    app.terminal.note(Tone::Good, "acknowledged", text);
}
