// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe encrypt`: seal a file for certificates and passwords, streaming.

use std::path::PathBuf;

use plombe_core::{
    cert::Certificate,
    message::{Container, Padding, Seal, SealReport},
};
use serde_json::json;

use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    exit::Failure,
    input::{self, Input},
    keyring::Keyring,
    keystore::Purpose,
    output::{self, Content},
    passphrase,
    progress::Watched,
    recipient,
    terminal::Tone,
    who::{self, Who},
};

/// For whom, signed by whom, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Who can open it: address or fingerprint; may be given several times
    #[arg(short, long, value_name = "WHO")]
    to: Vec<Who>,
    /// As --to, but the message does not tell for whom it is
    #[arg(long, value_name = "WHO")]
    hidden_to: Vec<Who>,
    /// Who can open it: the certificates in FILE, which are used as they are and not stored
    #[arg(long, value_name = "FILE")]
    to_file: Vec<PathBuf>,
    /// Whoever knows the password in the first line of FILE can open it
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    /// Ask for a password that opens it
    #[arg(long)]
    password: bool,
    /// Sign inside the encryption, with this secret key
    #[arg(short, long, value_name = "WHO")]
    sign_as: Vec<Who>,
    /// Text instead of binary data (ASCII armor)
    #[arg(short, long)]
    armor: bool,
    /// Hide the exact length, where all recipients can read that
    #[arg(long)]
    pad: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// What to encrypt; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut named = recipient::all(app, &args.to)?;
    let hidden = recipient::all(app, &args.hidden_to)?;
    for file in &args.to_file {
        named.extend(Certificate::parse_all(&input::read_small(file, app.terminal)?)?);
    }
    let mut passwords = Vec::new();
    for file in &args.password_file {
        passwords.push(passphrase::read(file)?);
    }
    if args.password {
        passwords.push(passphrase::prompt_twice("this message")?);
    }
    if named.is_empty() && hidden.is_empty() && passwords.is_empty() {
        return Err(Failure::usage("nobody could open this message")
            .hint("name recipients with --to, or a password with --password-file")
            .into());
    }
    let mut signers = Vec::new();
    if !args.sign_as.is_empty() {
        let mut keyring = Keyring::open(app, &args.passphrase)?;
        keyring.is_for(Purpose::Sign);
        for who in &args.sign_as {
            signers.push(keyring.required_signer(who)?);
        }
    }

    let input = Input::open(args.file.as_deref(), app.terminal)?;
    let content = if args.armor { Content::Public } else { Content::PublicBinary };
    let mut output = output::open(&args.output, content)?;
    let seal = Seal {
        hidden_recipients: hidden.iter().collect(),
        passwords,
        signers: signers.iter().map(Into::into).collect(),
        padding: if args.pad { Padding::Padme } else { Padding::None },
        armor: args.armor,
        ..Seal::new(named.iter().collect(), &app.policy, app.now)
    };
    let report = seal.seal(&mut Watched::new(input, app.terminal), &mut output)?;
    output::release(output, &args.output)?;
    tell(app, &args, &report, named.iter().chain(&hidden))
}

fn tell<'a>(
    app: &App<'_>,
    args: &Args,
    report: &SealReport,
    certificates: impl Iterator<Item = &'a Certificate> + Clone,
) -> anyhow::Result<()> {
    if app.terminal.json {
        return app.terminal.json_beside(&args.output, &json!({"sealed": report_json(report)}));
    }
    for recipient in &report.recipients {
        let certificate =
            certificates.clone().find(|certificate| certificate.fingerprint() == recipient.certificate);
        let name = certificate
            .map_or_else(|| recipient.certificate.to_hex(), |certificate| who::name(app, certificate));
        let weaker = match (report.container, recipient.can_read) {
            (Container::Seipdv1, Container::Seipdv2) => {
                "; could read AEAD, but others of the recipients cannot"
            }
            _ => "",
        };
        let hidden = if recipient.hidden { ", hidden" } else { "" };
        let text = format!("{name} with {}{hidden}{weaker}", container_name(report.container));
        app.terminal.note(Tone::Good, "sealed for", &text);
    }
    Ok(())
}

/// What a message was sealed with, per recipient; part of the documented JSON.
pub(crate) fn report_json(report: &SealReport) -> serde_json::Value {
    let recipients: Vec<_> = report
        .recipients
        .iter()
        .map(|recipient| {
            json!({
                "certificate": recipient.certificate.to_hex(),
                "key": recipient.key.to_hex(),
                "can_read": container_code(recipient.can_read),
                "hidden": recipient.hidden,
            })
        })
        .collect();
    json!({"container": container_code(report.container), "recipients": recipients})
}

fn container_code(container: Container) -> &'static str {
    match container {
        Container::Seipdv1 => "seipdv1",
        Container::Seipdv2 => "seipdv2",
    }
}

fn container_name(container: Container) -> &'static str {
    match container {
        Container::Seipdv1 => "AES-256 and MDC (SEIPDv1)",
        Container::Seipdv2 => "AES-256 AEAD (SEIPDv2)",
    }
}
