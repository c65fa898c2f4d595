// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key rotate`: new subkeys under the same identity; the old ones keep opening what was sealed for them.

use std::time::{Duration, SystemTime};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, DEFAULT_OVERLAP},
    keystore::calls::certificates::RotateSubkeys,
};
use serde_json::json;

use super::{change::Change, describe};
use crate::{
    app::App, args::PassphraseArgs, date, exit::Failure, keystore::OwnInCustody, output, terminal::Tone,
    who::Who,
};

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
    if let Some(own) = OwnInCustody::find(app, &args.who, &args.passphrase)? {
        return in_custody(app, &args, &own);
    }
    let mut change = Change::begin(app, &args.who, &args.passphrase)?;
    let rotated = change.tsk.rotate(args.overlap.unwrap_or(DEFAULT_OVERLAP), &app.policy, change.now)?;
    change.tsk = rotated.tsk;
    let certificate = change.finish(app)?;
    tell(&app.afterwards()?, &certificate, &rotated.added, &rotated.replaced)
}

/// There the keystore says how long the old ones go on.
fn in_custody(app: &App<'_>, args: &Args, own: &OwnInCustody) -> anyhow::Result<()> {
    if args.overlap.is_some() {
        return Err(Failure::usage(
            "how long the old subkeys of a key in the keystore go on is the keystore's to say",
        )
        .hint("leave out --overlap")
        .into());
    }
    let before = own.certificate.describe(&app.policy, app.now).keys;
    let certificate = own.change(app, &RotateSubkeys { key: own.key.clone() })?;
    let app = &app.afterwards()?;
    let (mut added, mut replaced) = (Vec::new(), Vec::new());
    for key in certificate.describe(&app.policy, app.now).keys {
        match (before.iter().find(|old| old.fingerprint == key.fingerprint), key.expires) {
            (None, _) => added.push(key.fingerprint),
            (Some(old), Some(ends)) if old.expires != key.expires => replaced.push((key.fingerprint, ends)),
            _ => {}
        }
    }
    tell(app, &certificate, &added, &replaced)
}

fn tell(
    app: &App<'_>,
    certificate: &Certificate,
    added: &[Fingerprint],
    replaced: &[(Fingerprint, SystemTime)],
) -> anyhow::Result<()> {
    if app.terminal.json {
        let replaced: Vec<_> = replaced
            .iter()
            .map(|(key, ends)| json!({"key": key.to_hex(), "ends": date::rfc3339(*ends)}))
            .collect();
        return output::print_json(&json!({
            "certificate": describe::json(app, certificate)?,
            "added": added.iter().map(|key| key.to_hex()).collect::<Vec<_>>(),
            "replaced": replaced,
        }));
    }
    for key in added {
        app.terminal.note(Tone::Good, "new subkey", &key.to_hex());
    }
    for (key, ends) in replaced {
        app.terminal.note(Tone::Plain, "old subkey", &format!("{key}, until {}", date::day(*ends)));
    }
    super::hand_out(app);
    Ok(())
}
