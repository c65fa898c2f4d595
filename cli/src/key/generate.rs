// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key generate`: a TSK for an address of one's own, with the revocation certificate for the day it is lost.

use plombe_core::{
    cert::{self, Certificate, DEFAULT_TTL, Profile, Tsk},
    keystore::calls::keys::{self, GenerateKey},
    recipients::Address,
};
use serde_json::json;

use super::custody::Custody;
use crate::{
    app::App,
    args::PassphraseArgs,
    date::Expiry,
    exit::{Exit, Failure},
    keystore::Account,
    output,
    passphrase::Passphrases,
    terminal::Tone,
};

/// For whom, of what kind, under which passphrase.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mail addresses that the certificate is for; the first is the main one
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<Address>,
    /// Your name, as others shall see it beside the address
    #[arg(long)]
    name: Option<String>,
    /// rfc4880 (v4, read by all programs), rfc9580 (v6), or pqc (v6, post-quantum)
    #[arg(long, default_value = "rfc4880")]
    profile: Profile,
    /// When the certificate ends: 3y, 90d, a date, or never; can be extended
    #[arg(long, value_name = "WHEN")]
    expires: Option<Expiry>,
    /// Leave the secret key unlocked on the disk
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    no_passphrase: bool,
    /// Where the secret key lives: on this machine, or in the keystore that it is logged in at
    #[arg(long, value_enum, default_value = "local")]
    custody: Custody,
    /// Make it although there is one for this address
    #[arg(long)]
    another: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    if !args.another {
        for address in &args.addresses {
            refuse_second(app, address)?;
        }
    }
    let mut user_ids = Vec::new();
    for address in &args.addresses {
        user_ids.push(cert::user_id(args.name.as_deref(), &address.to_string())?);
    }
    if args.custody == Custody::Keystore {
        return in_keystore(app, &args, user_ids);
    }
    let passphrase = match args.no_passphrase {
        true => None,
        false => Some(Passphrases::from_args(&args.passphrase)?.for_new_key(&user_ids[0])?),
    };
    let ttl = args.expires.map_or(Some(DEFAULT_TTL), |expires| expires.span(app.now));
    if ttl.is_some_and(|ttl| ttl.is_zero()) {
        return Err(Failure::usage("the certificate would have ended before it began").into());
    }
    let generated = Tsk::generate(args.profile, &user_ids, ttl, app.now)?;
    let fingerprint = generated.tsk.fingerprint();
    let certificate = generated.tsk.certificate();

    // The way out before the way in: a secret key is never there without its revocation certificate.
    let revocation = app.tsks.store_revocation(&fingerprint, &generated.revocation)?;
    app.certificates.store(&certificate)?;
    app.tsks.store(&generated.tsk.lock(passphrase.as_ref())?)?;

    if app.terminal.json {
        return output::print_json(&json!({
            "generated": super::describe::json(app, &certificate)?,
            "revocation": revocation,
        }));
    }
    app.terminal.note(Tone::Good, "made", &format!("certificate {fingerprint} for {}", user_ids.join(", ")));
    app.terminal.note(
        Tone::Plain,
        "keep",
        &format!("{} somewhere safe: it ends the certificate when the key is lost", revocation.display()),
    );
    Ok(output::print(&format!("{fingerprint}\n"))?)
}

/// Made there, and there it stays; here is its certificate.
fn in_keystore(app: &App<'_>, args: &Args, user_ids: Vec<String>) -> anyhow::Result<()> {
    if args.no_passphrase || args.passphrase.is_given() {
        return Err(Failure::usage("a key in the keystore has no passphrase")
            .hint("this machine's log-in takes its place")
            .into());
    }
    let valid_for = match args.expires {
        None => None,
        Some(expires) => Some(expires.span(app.now).ok_or_else(|| {
            Failure::usage("a key in the keystore ends some day")
                .hint("--expires 10y, say; it can be extended")
        })?),
    };
    let profile = match args.profile {
        Profile::Rfc4880 => keys::Profile::Rfc4880,
        Profile::Rfc9580 => keys::Profile::Rfc9580,
        Profile::Pqc => keys::Profile::Pqc,
    };
    let call = GenerateKey {
        user_ids: user_ids.clone(),
        profile,
        valid_for_seconds: valid_for.map(|span| span.as_secs()),
    };
    let made = Account::new(app).enter_key(&call)?;
    let certificate = Certificate::parse(&made.key.certificate.0)?;
    let fingerprint = certificate.fingerprint();
    let revocation = made.revocation.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
    let revocation = revocation.map(|text| app.tsks.store_revocation(&fingerprint, &text)).transpose()?;
    app.certificates.store(&certificate)?;
    if app.terminal.json {
        return output::print_json(&json!({
            "generated": super::describe::json(app, &certificate)?,
            "revocation": revocation,
            "custody": "keystore",
        }));
    }
    let text =
        format!("certificate {fingerprint} for {}; its secret key is in the keystore", user_ids.join(", "));
    app.terminal.note(Tone::Good, "made", &text);
    Ok(output::print(&format!("{fingerprint}\n"))?)
}

fn refuse_second(app: &App<'_>, address: &Address) -> anyhow::Result<()> {
    for tsk in app.tsks.by_address(&address.to_string())? {
        let certificate = tsk.certificate();
        if certificate.can_encrypt(&app.policy, app.now).is_ok() {
            let message = format!("there is a key for {address} already: {}", certificate.fingerprint());
            return Err(Failure::new(Exit::OutputExists, message)
                .hint("`plombe key rotate` renews it; to have two of them say --another")
                .into());
        }
    }
    Ok(())
}
