// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe whoami`: whose device this machine is, and where.

use plombe_core::keystore::calls::{login::DeviceState, session::WhoAmI};
use serde_json::json;

use super::{Account, login::own_certificates, words};
use crate::{app::App, output};

pub(crate) fn run(app: &App<'_>) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let identity = session.call(&WhoAmI {})?;
    if identity.device_state == DeviceState::Confirmed {
        own_certificates(app, &account.refresh_keys(&mut session)?)?;
    }
    session.verify_log()?;
    account.keep_session(&session)?;
    let keystore = session.keystore().identity();
    let words = words(&session, &session.device().thumbprint(), &identity.principal);
    if app.terminal.json {
        return output::print_json(&json!({"identity": identity, "keystore": keystore, "words": words}));
    }
    let state = match identity.device_state {
        DeviceState::Pending => "waits for confirmation on one of your other devices",
        DeviceState::Confirmed => "confirmed",
        DeviceState::Revoked => "revoked",
    };
    let roles: Vec<String> = identity
        .roles
        .iter()
        .map(|role| {
            serde_json::to_value(role).map(|v| v.as_str().unwrap_or_default().to_owned()).unwrap_or_default()
        })
        .collect();
    Ok(output::print(&format!(
        "{}\nkeystore: {}\nits keys: {}\nroles: {}\nthis device: {state}\nits words: {words}\n",
        identity.addresses.join(", "),
        keystore.origin.as_str(),
        keystore.fingerprint(),
        roles.join(", "),
    ))?)
}
