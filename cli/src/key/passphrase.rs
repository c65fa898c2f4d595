// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key passphrase`: a new passphrase for a secret key.

use std::path::PathBuf;

use serde_json::json;

use super::change::Change;
use crate::{
    app::App,
    args::PassphraseArgs,
    keystore::{self, OwnInCustody},
    output,
    passphrase::Passphrases,
    terminal::Tone,
    who::Who,
};

/// Whose, from which passphrase to which.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Take the new passphrase from the first line of FILE
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Take the new passphrase from the first line of the open file descriptor N
    #[arg(long, value_name = "N")]
    new_passphrase_fd: Option<u32>,
    /// Leave the secret key unlocked on the disk
    #[arg(long, conflicts_with_all = ["new_passphrase_file", "new_passphrase_fd"])]
    no_passphrase: bool,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    if OwnInCustody::find(app, &args.who, &PassphraseArgs::default())?.is_some() {
        return Err(keystore::no_passphrase(&args.who).into());
    }
    let change = Change::begin(app, &args.who, &args.passphrase)?;
    let new = match args.no_passphrase {
        true => None,
        false => {
            let source = PassphraseArgs {
                passphrase_file: args.new_passphrase_file.into_iter().collect(),
                passphrase_fd: args.new_passphrase_fd.into_iter().collect(),
            };
            Some(Passphrases::from_args(&source)?.for_new_key(&args.who.to_string())?)
        }
    };
    let fingerprint = change.tsk.fingerprint();
    app.tsks.store(&change.tsk.lock(new.as_ref())?)?;
    if app.terminal.json {
        return output::print_json(&json!({"fingerprint": fingerprint.to_hex(), "locked": new.is_some()}));
    }
    let text = match new {
        Some(_) => format!("the passphrase of {}", args.who),
        None => format!("the key of {}: it has no passphrase now", args.who),
    };
    app.terminal.note(Tone::Good, "changed", &text);
    Ok(())
}
