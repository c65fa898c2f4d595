// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe passkey`: add, list and remove the passkeys that the keystore asks for when something is dangerous.

use std::time::{Duration, UNIX_EPOCH};

use plombe_core::keystore::{
    PasskeyId, SecretBytes,
    calls::passkeys::{ListPasskeys, RemovePasskey},
};
use serde_json::json;

use super::{Account, recover::read_code};
use crate::{
    app::App,
    date, output,
    terminal::{Tone, printable_line},
};

/// What to do with them.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add one, in your browser. From then on the keystore asks for it
    Add {
        /// What it is called, for the list
        #[arg(long, value_name = "NAME", default_value = "passkey")]
        name: String,
    },
    /// List them
    List,
    /// Remove one, with a passkey or, when all are lost, with the recovery code
    Remove {
        /// Its id from the list
        passkey: PasskeyId,
        /// Use the recovery code, from the first line of FILE, in place of a passkey. It is used up by that
        #[arg(long, value_name = "FILE")]
        recovery_code_file: Option<std::path::PathBuf>,
    },
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let text = match command {
        Command::Add { name } => {
            let added = session.add_passkey(&name)?;
            account.keep_session(&session)?;
            if app.terminal.json {
                return output::print_json(&json!({"added": added}));
            }
            format!("{}: the keystore asks for it from now on", printable_line(&added.name))
        }
        Command::List => {
            let passkeys = session.call(&ListPasskeys {})?.passkeys;
            account.keep_session(&session)?;
            if app.terminal.json {
                return output::print_json(&json!({"passkeys": passkeys}));
            }
            let line = |passkey: &plombe_core::keystore::calls::passkeys::Passkey| {
                let since = date::day(UNIX_EPOCH + Duration::from_secs(passkey.created_at));
                format!("{}  {}  since {since}\n", passkey.id, printable_line(&passkey.name))
            };
            return Ok(output::print(&passkeys.iter().map(line).collect::<String>())?);
        }
        Command::Remove { passkey, recovery_code_file } => {
            let code = recovery_code_file.map(|file| read_code(Some(file.as_path()))).transpose()?;
            let recovery = code.map(|code| SecretBytes::new(code.expose().as_slice()));
            session.call(&RemovePasskey { passkey, recovery })?;
            account.keep_session(&session)?;
            if app.terminal.json {
                return output::print_json(&json!({"removed": passkey}));
            }
            "the passkey is removed".to_owned()
        }
    };
    app.terminal.note(Tone::Good, "done", &text);
    Ok(())
}
