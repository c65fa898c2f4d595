// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe mail open`: a mail without its cryptographic layers, and what its signature is worth.

use std::path::PathBuf;

use plombe_core::mail::{OpenOptions, OpenedMail};
use serde_json::json;

use super::{
    MAIL_LIMIT,
    in_place::{self, Outcome},
    line_ends,
    news::News,
    opener::Opener,
    text,
};
use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    input::Input,
    keyring::Keyring,
    output::{self, Content},
    terminal::Tone,
    verdict,
};

/// What of it, where from, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing unless everything in it carries a good signature of its sender (exit code 4 otherwise)
    #[arg(long)]
    require_good: bool,
    /// Text to read, without anything active or remote, instead of a mail
    #[arg(long)]
    text: bool,
    /// Open only the encrypted or signed part at this path, which is not protected as part of the mail
    #[arg(long, value_name = "PATH")]
    errant: Option<String>,
    /// The password in the first line of FILE, for mails sealed with one
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    /// Open every encrypted mail of Maildirs, mbox files or single files where it lies; the others stay as they are
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["output", "text", "errant", "file"])]
    in_place: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// The mail; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let keyring = Keyring::open(app, &args.passphrase)?;
    run_with(app, args, keyring)
}

/// The same with the keys of somebody's choice.
pub(crate) fn run_with(app: &App<'_>, args: Args, mut keyring: Keyring<'_>) -> anyhow::Result<()> {
    keyring.add_passwords(&args.password_file)?;
    let opener = Opener::new(app, keyring)?;
    if !args.in_place.is_empty() {
        return open_in_place(app, &args, &opener);
    }
    let mail = Input::open(args.file.as_deref(), app.terminal)?.read_to_limit(MAIL_LIMIT)?;
    let options = OpenOptions { errant: args.errant.clone() };
    let opened = opener.open(&mail, &options)?;
    if args.require_good {
        verdict::require_good(opened.verdict())?;
    }
    let content = match args.text {
        true => text::of(&opened).into_bytes(),
        false => line_ends::Style::of(&mail).apply(opened.to_plain_mail()),
    };
    output::write_all(&args.output, Content::Plaintext, &content)?;
    tell(app, &opened, opener.shared_keys());
    // A part that stands inside another mail speaks for nobody.
    if args.errant.is_none() {
        let news = News::new(app);
        news.of(&opened);
        news.keep();
    }
    Ok(())
}

fn open_in_place(app: &App<'_>, args: &Args, opener: &Opener<'_>) -> anyhow::Result<()> {
    let news = News::new(app);
    let open_one = |mail: &[u8]| -> anyhow::Result<Outcome> {
        let opened = opener.open(mail, &OpenOptions::default())?;
        news.of(&opened);
        // A signature says more on the mail than a note that there was one.
        if !opened.was_encrypted() {
            return Ok(Outcome::Leave);
        }
        if args.require_good {
            verdict::require_good(opened.verdict())?;
        }
        Ok(Outcome::Replace(opened.to_plain_mail()))
    };
    let done = in_place::run(app, &args.in_place, "opened", &open_one);
    news.keep();
    done
}

/// What is said about an opened mail, on standard error: content may be on standard output.
fn tell(app: &App<'_>, opened: &OpenedMail, shared_keys: Vec<String>) {
    if app.terminal.json {
        let candidates = opened.key_candidates().iter().map(|candidate| {
            json!({
                "address": candidate.address,
                "source": candidate.source.to_string(),
                "prefer_encrypt": candidate.prefer_encrypt,
            })
        });
        app.terminal.json_to_stderr(&json!({
            "verdicts": opened.verdicts(),
            "encrypted": opened.was_encrypted(),
            "findings": opened.findings(),
            "key_candidates": candidates.collect::<Vec<_>>(),
            "shared_keys": shared_keys,
        }));
        return;
    }
    let how =
        if opened.was_encrypted() { "encrypted" } else { "not encrypted: anybody could read it on its way" };
    app.terminal.note(Tone::Plain, "this mail was", how);
    // Parts mostly share a verdict; what differs is said part by part.
    let same = opened.parts().iter().all(|part| {
        (part.verdict().verdict, part.verdict().code) == (opened.verdict().verdict, opened.verdict().code)
    });
    if same {
        verdict::tell(app.terminal, opened.verdict());
    } else {
        for part in opened.parts() {
            verdict::tell_about(app.terminal, &format!("part {}", part.path()), part.verdict());
        }
    }
    for finding in opened.findings() {
        let path = finding.path.as_deref().map_or(String::new(), |path| format!("part {path}: "));
        app.terminal.note(Tone::Doubtful, "note", &format!("{path}{}", finding.text));
    }
}
