// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key add-userid`: one more address, or another name, on a certificate of one's own.

use plombe_core::{cert, keystore::calls::certificates::AddUserId, recipients::Address};
use serde_json::json;

use super::{change::Change, describe};
use crate::{
    app::App,
    args::PassphraseArgs,
    keystore::OwnInCustody,
    output,
    terminal::{Tone, printable_line},
    who::{self, Who},
};

/// To whose, and what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint of the certificate
    who: Who,
    /// The address that it is also for
    address: Address,
    /// Your name, as others shall see it beside the address
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let user_id = cert::user_id(args.name.as_deref(), &args.address.to_string())?;
    let certificate = match OwnInCustody::find(app, &args.who, &args.passphrase)? {
        Some(own) => own.change(app, &AddUserId { key: own.key.clone(), user_id: user_id.clone() })?,
        None => {
            let mut change = Change::begin(app, &args.who, &args.passphrase)?;
            change.tsk = change.tsk.add_user_id(&user_id, &app.policy, change.now)?;
            change.finish(app)?
        }
    };
    let app = &app.afterwards()?;
    if app.terminal.json {
        return output::print_json(&json!({"certificate": describe::json(app, &certificate)?}));
    }
    let text = format!("{} to {}", printable_line(&user_id), who::name(app, &certificate));
    app.terminal.note(Tone::Good, "added", &text);
    super::hand_out(app);
    Ok(())
}
