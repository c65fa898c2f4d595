// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key list`: one line per certificate.

use std::fmt::Write as _;

use plombe_core::cert::Certificate;
use serde_json::json;

use super::describe::{self, Secret};
use crate::{app::App, keystore::Account, output, terminal::printable_line, who::Who};

/// Which ones.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only certificates for these addresses or fingerprints
    who: Vec<Who>,
    /// Only certificates whose secret key is here (own), in the keystore (kept), or shared with you by its owner (shared)
    #[arg(short, long)]
    secret: bool,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let certificates = selected(app, &args)?;
    if app.terminal.json {
        let list: Vec<_> =
            certificates.iter().map(|one| describe::json(app, one)).collect::<anyhow::Result<_>>()?;
        return output::print_json(&json!({"certificates": list}));
    }
    let mut text = String::new();
    for certificate in &certificates {
        let mark = match Secret::of(app, certificate)? {
            Secret::None => "      ",
            Secret::Locked | Secret::Open => "own   ",
            Secret::Keystore => "kept  ",
            Secret::Shared => "shared",
        };
        let about = certificate.describe(&app.policy, app.now);
        let state = describe::state(app, certificate, &about);
        let _ = writeln!(text, "{mark}  {}  {state}", about.fingerprint.to_hex());
        for user_id in &about.user_ids {
            let unusable = if user_id.state.is_ok() { "" } else { "  (not valid)" };
            let _ = writeln!(text, "        {}{unusable}", printable_line(&user_id.text));
        }
    }
    Ok(output::print(&text)?)
}

fn selected(app: &App<'_>, args: &Args) -> anyhow::Result<Vec<Certificate>> {
    let mut certificates: Vec<Certificate> = Vec::new();
    if args.secret {
        certificates.extend(app.tsks.all()?.iter().map(|tsk| tsk.certificate()));
        for key in Account::new(app).keys()? {
            let certificate = Certificate::parse(&key.certificate.0)?;
            if !certificates.iter().any(|own| own.fingerprint() == certificate.fingerprint()) {
                certificates.push(certificate);
            }
        }
        // The certificate store may know more about them: a revocation, a later expiry.
        for own in &mut certificates {
            if let Some(stored) = app.certificates.by_fingerprint(&own.fingerprint())? {
                *own = own.clone().merge(stored)?;
            }
        }
        if !args.who.is_empty() {
            certificates.retain(|own| args.who.iter().any(|who| who.means(own)));
        }
    } else if args.who.is_empty() {
        for certificate in app.certificates.all()? {
            certificates.push(certificate?);
        }
    } else {
        for who in &args.who {
            certificates.extend(who.certificates(app)?);
        }
    }
    Ok(certificates)
}
