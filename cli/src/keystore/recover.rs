// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe recover`: confirm this device with the recovery code, when all others are lost.

use std::path::{Path, PathBuf};

use plombe_client::Session;
use plombe_core::keystore::{
    RecoveryCode, SecretBytes,
    calls::recovery::{Recover, SetRecoveryCode},
};
use serde_json::json;

use super::{Account, login::own_certificates};
use crate::{
    app::App,
    exit::{Exit, Failure},
    output, passphrase,
    terminal::Tone,
};

/// With which code.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recovery code, from the first line of FILE; asked for when left out
    #[arg(long, value_name = "FILE", conflicts_with = "new")]
    code_file: Option<PathBuf>,
    /// Make a new code on a device in use; the old one is worthless then
    #[arg(long)]
    new: bool,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    if args.new {
        let code = new_code(&mut session)?;
        account.keep_session(&session)?;
        return show(app, &code);
    }
    let code = read_code(args.code_file.as_deref())?;
    session.call(&Recover { secret: SecretBytes::new(code.expose().as_slice()) })?;
    own_certificates(app, &account.refresh_keys(&mut session)?)?;
    account.keep_session(&session)?;
    if app.terminal.json {
        return output::print_json(&json!({"recovered": session.identity().device}));
    }
    let text =
        "this device uses your keys now; the code is used up: set a new one with `plombe recover --new`";
    app.terminal.note(Tone::Good, "recovered", text);
    Ok(())
}

/// From the first line of a file, or typed.
pub(super) fn read_code(file: Option<&Path>) -> anyhow::Result<RecoveryCode> {
    let typed = match file {
        Some(file) => passphrase::read(file)?,
        None => passphrase::prompt("Recovery code: ")?,
    };
    let text = String::from_utf8_lossy(typed.expose());
    Ok(text.trim().parse().map_err(|error| Failure::usage(format!("{error}")))?)
}

/// Made here; the keystore gets its hash.
pub(super) fn new_code(session: &mut Session) -> anyhow::Result<RecoveryCode> {
    let code = random_code(RecoveryCode::new)?;
    session.call(&SetRecoveryCode { hash: RecoveryCode::hash(code.expose()).to_vec().into() })?;
    Ok(code)
}

/// A code of 128 random bits.
pub(crate) fn random_code<T>(code: impl FnOnce([u8; 16]) -> T) -> anyhow::Result<T> {
    let mut secret = zeroize::Zeroizing::new([0; 16]);
    aws_lc_rs::rand::fill(secret.as_mut_slice())
        .map_err(|_| Failure::new(Exit::Failed, "the system gives no random bytes"))?;
    Ok(code(*secret))
}

/// The only time that anybody sees it.
pub(super) fn show(app: &App<'_>, code: &RecoveryCode) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"recovery_code": code.to_text().to_string()}));
    }
    let text = "this recovery code on paper: it lets you back in when all your devices are lost, and is shown only now";
    app.terminal.note(Tone::Plain, "keep", text);
    Ok(output::print(&format!("recovery code: {}\n", &*code.to_text()))?)
}
