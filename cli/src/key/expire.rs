// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key expire`: when a certificate ends by itself; also brings an expired one back.

use plombe_core::keystore::calls::certificates::SetExpiry;
use serde_json::json;

use super::{change::Change, describe};
use crate::{
    app::App,
    args::PassphraseArgs,
    date::{self, Expiry},
    exit::Failure,
    keystore::OwnInCustody,
    output,
    terminal::Tone,
    who::{self, Who},
};

/// Whose, and when.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
    /// 3y, 90d, a date (2029-12-31), or never; counted from now
    when: Expiry,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let expires = args.when.at(app.now);
    if expires.is_some_and(|expires| expires <= app.now) {
        return Err(Failure::usage("this lies in the past")
            .hint("to end a certificate at once there is `plombe key revoke`")
            .into());
    }
    let certificate = match OwnInCustody::find(app, &args.who, &args.passphrase)? {
        Some(own) => {
            own.change(app, &SetExpiry { key: own.key.clone(), expires_at: expires.map(date::seconds) })?
        }
        None => {
            let mut change = Change::begin(app, &args.who, &args.passphrase)?;
            change.tsk = change.tsk.set_expiry(expires, &app.policy, change.now)?;
            change.finish(app)?
        }
    };
    let app = &app.afterwards()?;
    if app.terminal.json {
        return output::print_json(&json!({"certificate": describe::json(app, &certificate)?}));
    }
    let when = expires.map_or("never expires".to_owned(), |at| format!("expires on {}", date::day(at)));
    app.terminal.note(Tone::Good, "changed", &format!("{} {when}", who::name(app, &certificate)));
    super::hand_out(app);
    Ok(())
}
