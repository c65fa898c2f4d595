// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe logout`: the session ends. The machine stays one of one's devices: whoever logs in here again uses the same device key.

use plombe_client::ClientError;
use plombe_core::keystore::DeviceId;
use serde_json::json;

use super::Account;
use crate::{app::App, output, terminal::Tone};

/// How much is forgotten.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also forget the keystore's keys, what was seen of its log, and this machine's device key. For another keystore, or after this
    /// machine was revoked
    #[arg(long)]
    forget_everything: bool,
}

/// Ends the session at the keystore, then forgets it here. When the keystore has ended it already, only the latter.
pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    if args.forget_everything && !account.exists() {
        account.forget_all()?;
        return done(app, None);
    }
    let session = account.session()?;
    let device = session.identity().device;
    match session.log_out() {
        Ok(()) | Err(ClientError::NotLoggedIn) => {}
        Err(other) => return Err(other.into()),
    }
    match args.forget_everything {
        true => account.forget_all()?,
        false => account.forget_session()?,
    }
    done(app, Some(device))
}

fn done(app: &App<'_>, device: Option<DeviceId>) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"logged_out": {"device": device}}));
    }
    app.terminal.note(Tone::Good, "logged out", "this machine uses no keys of the keystore until the next log-in; `plombe devices revoke` on another one cuts it off for good");
    Ok(())
}
