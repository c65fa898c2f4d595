// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe decrypt`: open a sealed file. Content appears only after its integrity and its signature were checked.

use std::path::PathBuf;

use plombe_core::message::{Limits, OpenContext, SealedMessage};
use serde_json::json;

use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    contacts,
    input::Input,
    keyring::Keyring,
    keystore::Purpose,
    output::{self, Content},
    progress::Watched,
    terminal::Tone,
    verdict,
};

/// With which keys, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing unless it carries a good signature (exit code 4 otherwise)
    #[arg(long)]
    require_good: bool,
    /// The password in the first line of FILE, for messages sealed with one
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// What to decrypt; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let keyring = Keyring::open(app, &args.passphrase)?;
    run_with(app, args, keyring)
}

/// The same with the keys of somebody's choice.
pub(crate) fn run_with(app: &App<'_>, args: Args, mut keyring: Keyring<'_>) -> anyhow::Result<()> {
    let output = output::open(&args.output, Content::Plaintext)?;
    let input = Input::open(args.file.as_deref(), app.terminal)?;
    let sealed = SealedMessage::parse(Watched::new(input, app.terminal))?;

    keyring.is_for(Purpose::Decrypt);
    keyring.add_passwords(&args.password_file)?;
    let session_key = keyring.session_key(&sealed)?;

    let context = OpenContext {
        signers: &contacts::Signers::known(app)?,
        readers: &keyring.owners(),
        policy: &app.policy,
        now: app.now,
        limits: Limits::default(),
        // Only the JSON verdict says which bytes it covers.
        hash_content: app.terminal.json,
    };
    let opened = sealed.open(&session_key, &context, output)?;
    if args.require_good {
        verdict::require_good(opened.verdict())?;
    }
    let name = opened.unverified_name().map(|name| String::from_utf8_lossy(name).into_owned());
    let (_, judged) = opened.release()?;
    if app.terminal.json {
        app.terminal.json_to_stderr(&json!({
            "verdict": judged,
            "unverified_name": name,
            "shared_keys": keyring.shared_keys(),
        }));
    } else {
        verdict::tell(app.terminal, &judged);
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            app.terminal.note(Tone::Plain, "called", &format!("{name} by its sender (nobody signs that)"));
        }
    }
    Ok(())
}
