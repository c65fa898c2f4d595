// SPDX-License-Identifier: LGPL-2.0-or-later
//! Raw decryption, which is off until somebody says a long name.

use std::time::{Duration, UNIX_EPOCH};

use plombe_core::keystore::calls::raw::{AllowRaw, ForbidRaw};
use serde_json::json;

use crate::{
    app::App,
    date,
    exit::{Exit, Failure},
    keystore::Account,
    output,
    terminal::Tone,
    who::Who,
};

/// For which key, and how long.
#[derive(clap::Args)]
pub(crate) struct AllowArgs {
    /// Address or fingerprint of a key of yours in the keystore
    who: Who,
    /// For so long, a week at most: 30m, 8h, 2d
    #[arg(long = "for", value_name = "TIME", default_value = "8h")]
    time: humantime::Duration,
}

/// Of which key.
#[derive(clap::Args)]
pub(crate) struct ForbidArgs {
    /// Address or fingerprint of a key of yours in the keystore
    who: Who,
}

pub(super) fn allow(app: &App<'_>, args: &AllowArgs) -> anyhow::Result<()> {
    let account = Account::new(app);
    let key = own_key(app, &account, &args.who)?;
    let call = AllowRaw { key: key.clone(), seconds: args.time.as_secs() };
    let allowed = account.call_and_refresh(&call)?;
    let until = date::rfc3339(UNIX_EPOCH + Duration::from_secs(allowed.expires_at));
    let text =
        format!("programs on this machine decrypt with {key} until {until}, message by message unseen");
    app.terminal.note(Tone::Doubtful, "allowed", &text);
    if app.terminal.json {
        let position = allowed.position;
        output::print_json(&json!({"key": key.to_string(), "expires": until, "position": position}))?;
    }
    Ok(())
}

pub(super) fn forbid(app: &App<'_>, args: &ForbidArgs) -> anyhow::Result<()> {
    let account = Account::new(app);
    let key = own_key(app, &account, &args.who)?;
    account.call_and_refresh(&ForbidRaw { key: key.clone() })?;
    app.terminal.note(Tone::Good, "forbidden", &format!("raw decryption with {key}, on all your machines"));
    if app.terminal.json {
        output::print_json(&json!({"key": key.to_string()}))?;
    }
    Ok(())
}

fn own_key(
    app: &App<'_>,
    account: &Account,
    who: &Who,
) -> anyhow::Result<plombe_core::keystore::KeyFingerprint> {
    let fingerprint = who.certificate(app)?.fingerprint();
    match account.key(&fingerprint)?.filter(|key| key.grant.is_none()) {
        Some(key) => Ok(key.fingerprint),
        None => Err(Failure::new(
            Exit::CertificateUnusable,
            format!("there is no key of yours for {who} in the keystore"),
        )
        .hint("`plombe key list --secret` shows those that are")
        .into()),
    }
}
