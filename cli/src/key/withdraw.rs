// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key withdraw`: a certificate out of the keystore's directory.

use plombe_core::keystore::{KeyFingerprint, calls::directory::WithdrawCertificate};
use serde_json::json;

use crate::{app::App, keystore::Account, output, terminal::Tone, who::Who};

/// Which one.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let fingerprint: KeyFingerprint = args.who.certificate(app)?.fingerprint().try_into()?;
    let account = Account::new(app);
    let mut session = account.session()?;
    let answer = session.call(&WithdrawCertificate { key: fingerprint.clone() })?;
    account.keep_session(&session)?;
    let server = session.keystore().identity().origin.to_string();
    app.terminal.note(Tone::Good, "withdrawn", &format!("{fingerprint} from the directory of {server}"));
    if app.terminal.json {
        let fingerprint = fingerprint.to_string();
        let position = answer.position;
        output::print_json(
            &json!({"fingerprint": fingerprint, "withdrawn_from": server, "position": position}),
        )?;
    }
    Ok(())
}
