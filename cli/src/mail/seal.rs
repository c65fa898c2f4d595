// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe mail seal`: a mail for its recipients, signed by its sender.

use std::{path::PathBuf, sync::Mutex};

use plombe_core::message::Container;
use serde_json::json;

use super::{
    MAIL_LIMIT, copies,
    in_place::{self, Outcome},
    line_ends,
    sealer::{self, SealArgs, Sealer},
};
use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    encrypt::report_json,
    exit::Failure,
    input::Input,
    output::{self, Content},
    terminal::Tone,
};

/// How, where from, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seal: SealArgs,
    /// One file per copy, N.eml, and its envelope recipients, N.rcpt; needed for mails with Bcc
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "mbox"])]
    out_dir: Option<PathBuf>,
    /// All copies in one mbox file; also for mails with Bcc
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    mbox: Option<PathBuf>,
    /// Seal every mail of Maildirs, mbox files or single files where it lies
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["output", "out_dir", "mbox", "file"])]
    in_place: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// The mail; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut sealer = Sealer::new(app, &args.seal, &args.passphrase)?;
    if !args.in_place.is_empty() {
        return seal_in_place(app, &args, sealer);
    }
    let content = if args.seal.sign_only() { Content::Plaintext } else { Content::Public };
    let mail = Input::open(args.file.as_deref(), app.terminal)?.read_to_limit(MAIL_LIMIT)?;
    // An mbox has LF line ends, whatever the mails in it had.
    let style = if args.mbox.is_some() { line_ends::Style::Lf } else { line_ends::Style::of(&mail) };
    let plan = sealer.plan(&mail)?;
    let separate = args.out_dir.is_some() || args.mbox.is_some();
    if plan.bcc && !separate && !args.seal.sign_only() {
        return Err(needs_copies());
    }
    if args.seal.sign_only() {
        let signed = sealer::sign(app, &args.seal, &plan, &mail)?;
        output::write_all(&args.output, content, &style.apply(signed))?;
        if app.terminal.json {
            return app.terminal.json_beside(&args.output, &json!({"signed": true}));
        }
        app.terminal.note(Tone::Good, "signed", "and readable for everybody");
        return Ok(());
    }
    let sealed = sealer::seal(app, &args.seal, &plan, &mail)?;
    let mut copies = sealed.copies;
    for copy in &mut copies {
        copy.mail = style.apply(std::mem::take(&mut copy.mail));
    }
    match (&args.out_dir, &args.mbox) {
        (Some(dir), _) => copies::into_directory(dir, &copies, args.output.force)?,
        (_, Some(file)) => copies::into_mbox(file, &copies, app.now, args.output.force)?,
        _ => output::write_all(&args.output, content, &copies[0].mail)?,
    }
    if app.terminal.json {
        let list: Vec<_> = copies
            .iter()
            .map(|copy| json!({"envelope_to": copy.envelope_to, "bcc": copy.bcc, "sealed": report_json(&copy.report)}))
            .collect();
        return app.terminal.json_result(!separate && args.output.to_stdout(), &json!({"copies": list}));
    }
    for (number, copy) in copies.iter().enumerate() {
        let which = if separate { format!("copy {} for ", number + 1) } else { String::new() };
        let container = match copy.report.container {
            Container::Seipdv1 => "SEIPDv1",
            Container::Seipdv2 => "SEIPDv2",
        };
        app.terminal.note(
            Tone::Good,
            "sealed",
            &format!("{which}{} ({container})", copy.envelope_to.join(", ")),
        );
    }
    Ok(())
}

fn seal_in_place(app: &App<'_>, args: &Args, sealer: Sealer<'_>) -> anyhow::Result<()> {
    let sealer = Mutex::new(sealer);
    let seal_one = |mail: &[u8]| -> anyhow::Result<Outcome> {
        let plan = sealer.lock().map_err(|_| anyhow::anyhow!("another mail stopped the work"))?.plan(mail)?;
        if args.seal.sign_only() {
            return Ok(Outcome::Replace(sealer::sign(app, &args.seal, &plan, mail)?));
        }
        if plan.bcc {
            return Err(needs_copies());
        }
        match sealer::seal(app, &args.seal, &plan, mail) {
            Ok(mut sealed) => Ok(Outcome::Replace(sealed.copies.swap_remove(0).mail)),
            Err(plombe_core::mail::MailSealError::AlreadySealed) => Ok(Outcome::Leave),
            Err(error) => Err(error.into()),
        }
    };
    in_place::run(app, &args.in_place, "sealed", &seal_one)
}

/// In one mail the Bcc recipients would see each other, or be seen by the others.
fn needs_copies() -> anyhow::Error {
    Failure::usage(
        "this mail has Bcc recipients: each of them needs a copy of their own, and there is one output only",
    )
    .hint("have one file per copy with --out-dir DIR, or all of them in one mbox with --mbox FILE")
    .into()
}
