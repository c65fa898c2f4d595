// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key rotate`: new subkeys under the same identity; the old ones keep opening what was sealed for them.

use std::time::Duration;

use plombe_core::cert::DEFAULT_OVERLAP;
use serde_json::json;

use super::{change::Change, describe};
use crate::{app::App, args::PassphraseArgs, date, output, terminal::Tone, who::Who};

/// Whose, and how quickly.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
    /// How long others may go on using the old subkeys (two weeks if left out); 0d revokes them at once
    #[arg(long, value_name = "SPAN", value_parser = date::span)]
    overlap: Option<Duration>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut change = Change::begin(app, &args.who, &args.passphrase)?;
    let rotated = change.tsk.rotate(args.overlap.unwrap_or(DEFAULT_OVERLAP), &app.policy, app.now)?;
    change.tsk = rotated.tsk;
    let certificate = change.finish(app)?;
    if app.terminal.json {
        let replaced: Vec<_> = rotated
            .replaced
            .iter()
            .map(|(key, ends)| json!({"key": key.to_hex(), "ends": date::rfc3339(*ends)}))
            .collect();
        return output::print_json(&json!({
            "certificate": describe::json(app, &certificate)?,
            "added": rotated.added.iter().map(|key| key.to_hex()).collect::<Vec<_>>(),
            "replaced": replaced,
        }));
    }
    for key in &rotated.added {
        app.terminal.note(Tone::Good, "new subkey", &key.to_hex());
    }
    for (key, ends) in &rotated.replaced {
        app.terminal.note(Tone::Plain, "old subkey", &format!("{key}, until {}", date::day(*ends)));
    }
    super::hand_out(app);
    Ok(())
}
