// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key certify`: say to others that a certificate belongs to whom it names.

use plombe_core::{cert::Certificate, keystore::calls::certificates::CertifyUserIds};
use serde_json::json;

use super::{change::Change, describe};
use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    keystore::OwnInCustody,
    output,
    terminal::{Tone, printable_line},
    who::Who,
};

/// Whose, and by whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whose certificate: its fingerprint, which you compared with its owner
    who: Who,
    /// Your own key that vouches: address or fingerprint
    #[arg(long = "as", value_name = "WHO")]
    by: Who,
    /// Vouch for this user ID only, as it stands in the certificate; for all valid ones when left out
    #[arg(long, value_name = "USER-ID")]
    user_id: Vec<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    // An address is what is to be vouched for; it cannot also be what the certificate is found by.
    if matches!(args.who, Who::Address(_)) {
        return Err(Failure::usage("name the certificate by its fingerprint, compared with its owner")
            .hint(format!("`plombe key show {}` shows it", args.who))
            .into());
    }
    let certificate = args.who.certificate(app)?;
    let user_ids = user_ids(app, &certificate, &args)?;
    let certified = match OwnInCustody::find(app, &args.by, &args.passphrase)? {
        Some(own) => own.vouch(&CertifyUserIds {
            key: own.key.clone(),
            certificate: certificate.to_bytes().into(),
            user_ids: user_ids.clone(),
        })?,
        None => {
            let by = Change::begin(app, &args.by, &args.passphrase)?.tsk;
            if by.fingerprint() == certificate.fingerprint() {
                return Err(Failure::usage("a key does not vouch for itself").into());
            }
            certificate.certify(&user_ids, &by, true, &app.policy, app.now)?
        }
    };
    app.certificates.store(&certified)?;
    let app = &app.afterwards()?;
    if app.terminal.json {
        return output::print_json(
            &json!({"certificate": describe::json(app, &certified)?, "certified": user_ids}),
        );
    }
    for user_id in &user_ids {
        app.terminal.note(Tone::Good, "certified", &printable_line(user_id));
    }
    let text =
        "hand the certificate to its owner, who publishes it with your word on it: `plombe key export`";
    app.terminal.note(Tone::Plain, "next", text);
    Ok(())
}

fn user_ids(app: &App<'_>, certificate: &Certificate, args: &Args) -> anyhow::Result<Vec<String>> {
    if !args.user_id.is_empty() {
        return Ok(args.user_id.clone());
    }
    let about = certificate.describe(&app.policy, app.now);
    let valid: Vec<_> =
        about.user_ids.into_iter().filter(|one| one.state.is_ok()).map(|one| one.text).collect();
    if valid.is_empty() {
        let message = format!("certificate {} has no valid user ID", certificate.fingerprint());
        return Err(Failure::new(Exit::CertificateUnusable, message)
            .hint("ask its owner for a new one")
            .into());
    }
    Ok(valid)
}
