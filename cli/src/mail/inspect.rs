// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe mail inspect`: structure and verdicts of a mail, and no plaintext.

use std::{fmt::Write as _, path::PathBuf};

use plombe_core::{
    mail::{self, Inspection, MailOpenError, OpenOptions, Structure},
    verdict::{Verdict, VerdictKind},
};
use serde_json::json;

use super::{MAIL_LIMIT, opener::Opener};
use crate::{
    app::App, args::PassphraseArgs, exit, input::Input, keyring::Keyring, output, terminal::printable_line,
    verdict,
};

/// Which mail.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The password in the first line of FILE, for mails sealed with one
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The mail; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut keyring = Keyring::open(app, &args.passphrase)?;
    keyring.add_passwords(&args.password_file)?;
    // Looking at a mail needs no passphrase; verdicts within it are told when its key is open anyway.
    keyring.ask_nobody();
    let opener = Opener::new(app, keyring)?;
    let mail = Input::open(args.file.as_deref(), app.terminal)?.read_to_limit(MAIL_LIMIT)?;
    let mut inspection = mail::inspect(&mail, &opener.context())?;
    let closed = match opener.open(&mail, &OpenOptions::default()) {
        Ok(opened) => {
            inspection = opened.inspect();
            None
        }
        Err(error) => match bad_verdict(&error) {
            Some(verdict) => {
                inspection.verdicts = vec![verdict];
                None
            }
            None => Some(exit::sentence(&error)),
        },
    };
    match app.terminal.json {
        true => {
            let mut object = json!(inspection);
            object["opened"] = json!(closed.is_none());
            object["closed_because"] = json!(closed);
            output::print_json(&object)?;
        }
        false => output::print(&describe(&inspection, closed.as_deref()))?,
    }
    match inspection.verdicts.into_iter().find(|verdict| verdict.verdict == VerdictKind::Bad) {
        Some(bad) => Err(verdict::not_good(bad).into()),
        None => Ok(()),
    }
}

fn bad_verdict(error: &anyhow::Error) -> Option<Verdict> {
    match error.downcast_ref()? {
        MailOpenError::BadSignature(verdict) => Some((**verdict).clone()),
        MailOpenError::Open(plombe_core::message::OpenError::BadSignature(verdict)) => {
            Some((**verdict).clone())
        }
        _ => None,
    }
}

fn describe(inspection: &Inspection, closed: Option<&str>) -> String {
    let mut text = String::new();
    tree(&mut text, "", &inspection.structure);
    if let Some(payload) = &inspection.payload {
        tree(&mut text, "inside   ", payload);
    }
    for layer in &inspection.layers {
        for recipient in &layer.recipients {
            let recipient = recipient.as_deref().unwrap_or("somebody hidden");
            let _ = writeln!(text, "for      {recipient}");
        }
    }
    for verdict in &inspection.verdicts {
        let path =
            verdict.covered.as_ref().map_or(String::new(), |covered| format!("part {}: ", covered.path));
        let _ = writeln!(text, "verdict  {path}{}", printable_line(&verdict::labelled(verdict)));
    }
    if let Some(reason) = closed {
        let _ = writeln!(text, "closed   {}", printable_line(reason));
    }
    for finding in &inspection.findings {
        let path = finding.path.as_deref().map_or(String::new(), |path| format!("part {path}: "));
        let _ = writeln!(text, "note     {path}{}", printable_line(&finding.text));
    }
    text
}

fn tree(text: &mut String, label: &str, structure: &Structure) {
    for part in &structure.parts {
        let indent = 2 * part.path.matches('.').count();
        let layer = part.layer.map_or(String::new(), |layer| format!("  [{layer}]"));
        let media_type = printable_line(&part.media_type);
        let path = &part.path;
        let _ = writeln!(text, "{label}{:indent$}{path}  {media_type}, {} bytes{layer}", "", part.length);
    }
}
