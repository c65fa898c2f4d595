// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe logout`: the session ends. The machine stays one of one's devices: whoever logs in here again uses the same device key.

use plombe_client::ClientError;
use serde_json::json;

use super::Account;
use crate::{app::App, output, terminal::Tone};

/// Ends the session at the keystore, then forgets it here. When the keystore has ended it already, only the latter.
pub(crate) fn run(app: &App<'_>) -> anyhow::Result<()> {
    let account = Account::new(app);
    let session = account.session()?;
    let device = session.identity().device;
    match session.log_out() {
        Ok(()) | Err(ClientError::NotLoggedIn) => {}
        Err(other) => return Err(other.into()),
    }
    account.forget()?;
    if app.terminal.json {
        return output::print_json(&json!({"logged_out": {"device": device}}));
    }
    app.terminal.note(Tone::Good, "logged out", "this machine uses no keys of the keystore until the next log-in; `plombe devices revoke` on another one cuts it off for good");
    Ok(())
}
