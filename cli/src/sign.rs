// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe sign`: a signed message, a detached signature, or signed text that stays readable.

use std::path::PathBuf;

use plombe_core::message::Signing;
use serde_json::json;

use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    input::Input,
    keyring::Keyring,
    keystore::Purpose,
    output::{self, Content},
    progress::Watched,
    terminal::Tone,
    who::{self, Who},
};

/// As whom, in which form, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The secret key: address or fingerprint; may be left out when there is only one
    #[arg(short = 's', long = "as", visible_alias = "sign-as", value_name = "WHO")]
    sign_as: Vec<Who>,
    /// Only the signature, in a file of its own
    #[arg(short, long, conflicts_with = "cleartext")]
    detached: bool,
    /// Text that stays readable, with the signature below
    #[arg(short, long)]
    cleartext: bool,
    /// Binary data instead of text (no ASCII armor)
    #[arg(short, long, conflicts_with = "cleartext")]
    binary: bool,
    /// The signature does not depend on how lines end
    #[arg(long)]
    text: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// What to sign; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut keyring = Keyring::open(app, &args.passphrase)?;
    keyring.is_for(Purpose::Sign);
    let mut signers = Vec::new();
    for who in &args.sign_as {
        signers.push(keyring.required_signer(who)?);
    }
    if signers.is_empty() {
        signers.push(keyring.only_signer()?);
    }
    let input = Input::open(args.file.as_deref(), app.terminal)?;
    let content = if args.binary { Content::PublicBinary } else { Content::Public };
    let mut output = output::open(&args.output, content)?;
    let signing = Signing {
        signers: signers.iter().map(Into::into).collect(),
        text: args.text,
        armor: !args.binary,
        policy: &app.policy,
        now: app.now,
    };
    let mut input = Watched::new(input, app.terminal);
    let hash = match (args.detached, args.cleartext) {
        (true, _) => Some(signing.detached(&mut input, &mut output)?),
        (_, true) => signing.cleartext(&mut input, &mut output).map(|()| None)?,
        _ => signing.inline(&mut input, &mut output).map(|()| None)?,
    };
    output::release(output, &args.output)?;

    if app.terminal.json {
        let signers: Vec<String> = signers.iter().map(|tsk| tsk.fingerprint().to_hex()).collect();
        return app.terminal.json_beside(&args.output, &json!({"signed": {"by": signers, "micalg": hash}}));
    }
    for tsk in &signers {
        app.terminal.note(Tone::Good, "signed", &format!("as {}", who::name(app, &tsk.certificate())));
    }
    Ok(())
}
