// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key revoke`: end a certificate, a subkey or a user ID, now or with a revocation certificate made earlier.

use std::path::PathBuf;

use clap::ValueEnum;
use plombe_core::{
    Fingerprint, cert,
    keystore::calls::certificates::{RevocationReason, RevocationTarget, RevokeKey},
};
use serde_json::json;

use super::{change::Change, describe};
use crate::{
    app::App,
    args::PassphraseArgs,
    confirm, input,
    keystore::OwnInCustody,
    output,
    terminal::{Tone, printable_line},
    who::{self, Who},
};

/// What ends, and why.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
    /// Why it ends; others see this
    #[arg(long, value_enum, default_value = "unspecified")]
    reason: Reason,
    /// A sentence about the reason; others see this
    #[arg(long, default_value = "", hide_default_value = true)]
    message: String,
    /// End only this subkey
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "user_id")]
    subkey: Option<Fingerprint>,
    /// End only this user ID or address
    #[arg(long, value_name = "USER-ID")]
    user_id: Option<String>,
    /// Use the revocation certificate in FILE; needs neither secret key nor passphrase
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subkey", "user_id", "reason", "message"])]
    with: Option<PathBuf>,
    /// Do not ask whether this is meant
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Why something ends.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reason {
    /// No reason given
    Unspecified,
    /// Somebody else has, or may have, the secret key
    Compromised,
    /// Replaced by another key
    Superseded,
    /// No longer used
    Retired,
}

impl From<Reason> for cert::Reason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::Compromised => Self::Compromised,
            Reason::Superseded => Self::Superseded,
            Reason::Retired => Self::Retired,
        }
    }
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::Compromised => Self::Compromised,
            Reason::Superseded => Self::Superseded,
            Reason::Retired => Self::Retired,
        }
    }
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let in_custody = match &args.with {
        Some(_) => None,
        None => OwnInCustody::find(app, &args.who, &args.passphrase)?,
    };
    let certificate = match (&args.with, &in_custody) {
        (Some(_), _) => args.who.certificate(app)?,
        (None, Some(own)) => own.certificate.clone(),
        (None, None) => args.who.tsk(app)?.certificate(),
    };
    let name = format!("{} ({})", who::name(app, &certificate), certificate.fingerprint());
    let what = match (&args.subkey, &args.user_id) {
        (Some(subkey), _) => format!("subkey {subkey} of {name}"),
        (_, Some(user_id)) => format!("user ID {} of {name}", printable_line(user_id)),
        _ => format!("the certificate of {name}"),
    };
    if !args.yes {
        confirm::ends_for_ever(&what, "say --yes if you mean it")?;
    }
    let revoked = match &args.with {
        Some(file) => {
            let revoked = certificate.apply_revocation(&input::read_small(file, app.terminal)?)?;
            app.certificates.store(&revoked)?;
            revoked
        }
        None => match in_custody {
            Some(own) => own.change(app, &call(&own, &args)?)?,
            None => revoke(app, &args)?,
        },
    };
    let app = &app.afterwards()?;
    if app.terminal.json {
        return output::print_json(&json!({"revoked": describe::json(app, &revoked)?}));
    }
    app.terminal.note(Tone::Good, "revoked", &what);
    super::hand_out(app);
    Ok(())
}

fn revoke(app: &App<'_>, args: &Args) -> anyhow::Result<cert::Certificate> {
    let mut change = Change::begin(app, &args.who, &args.passphrase)?;
    change.tsk = match (&args.subkey, &args.user_id) {
        (Some(subkey), _) => {
            change.tsk.revoke_subkey(subkey, args.reason.into(), &args.message, change.now)?
        }
        (_, Some(user_id)) => change.tsk.revoke_user_id(user_id, &app.policy, change.now)?,
        _ => change.tsk.revoke(args.reason.into(), &args.message, change.now)?,
    };
    change.finish(app)
}

/// The same as a call, for a key in custody.
fn call(own: &OwnInCustody, args: &Args) -> anyhow::Result<RevokeKey> {
    let (target, reason) = match (&args.subkey, &args.user_id) {
        (Some(subkey), _) => (RevocationTarget::Subkey(subkey.clone().try_into()?), args.reason.into()),
        (_, Some(user_id)) => (RevocationTarget::UserId(user_id.clone()), RevocationReason::UserIdInvalid),
        _ => (RevocationTarget::Certificate, args.reason.into()),
    };
    Ok(RevokeKey { key: own.key.clone(), target, reason, message: args.message.clone() })
}
