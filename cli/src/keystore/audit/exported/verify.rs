// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit verify FILE`: for who has no account, and no network.

use std::{
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use plombe_core::log::VerifierKey;
use serde::Deserialize;
use serde_json::json;

use super::{
    super::super::Account,
    Header, Line, VERSION,
    checker::{Checker, Wrong},
};
use crate::{
    app::App,
    exit::{Exit, Failure},
    input::Input,
    output,
    progress::Watched,
    terminal::Tone,
};

/// Longest line that is read. Entries are bounded far below.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Which file, and whose word counts.
#[derive(clap::Args)]
pub(crate) struct FileArgs {
    /// Check this export of a log (`plombe audit export`) instead; needs no account and no network
    #[arg(value_name = "FILE")]
    pub(in super::super) file: Option<PathBuf>,
    /// The log's public key (name+id+key), from somebody you trust; the one that this machine knows when left out
    #[arg(long, value_name = "VKEY", requires = "file")]
    verifier_key: Option<VerifierKey>,
    /// Believe the key that stands in the file: shows only that the file fits together, not whose log it is
    #[arg(long, requires = "file", conflicts_with = "verifier_key")]
    trust_key_in_file: bool,
}

/// Who says that a key is the log's.
#[derive(Clone, Copy)]
enum Vouched {
    Option,
    Machine,
    File,
}

pub(in super::super) fn run(app: &App<'_>, args: &FileArgs, file: &Path) -> anyhow::Result<()> {
    let mut lines = BufReader::new(Watched::new(Input::open(Some(file), app.terminal)?, app.terminal));
    let mut number = 1;
    let header = header(&read(&mut lines, number)?.unwrap_or_default())?;
    let (key, vouched) = key(app, args, &header)?;
    let mut checker = Checker::start(key, &header).map_err(|why| wrong(number, why))?;
    number += 1;
    while let Some(line) = read(&mut lines, number)? {
        let line = parse(&line).ok_or_else(|| wrong(number, Wrong::Line))?;
        checker.next(line).map_err(|why| wrong(number, why))?;
        number += 1;
    }
    if !checker.ended {
        return Err(wrong(number, "the file ends too soon").into());
    }
    tell(app, &checker, &header, vouched)
}

/// One line without its end. `None` at the end of the file.
fn read(lines: &mut impl BufRead, number: u64) -> anyhow::Result<Option<String>> {
    let mut line = Vec::new();
    lines.take(MAX_LINE_BYTES).read_until(b'\n', &mut line).context("cannot read the input")?;
    if line.is_empty() {
        return Ok(None);
    }
    let is_whole = line.pop() == Some(b'\n');
    let line = String::from_utf8(line).ok().filter(|_| is_whole);
    Ok(Some(line.ok_or_else(|| wrong(number, "this line has no end, or is no text"))?))
}

/// A line, just as it is written by `audit export`: what reads twice in two ways proves nothing.
fn parse(text: &str) -> Option<Line> {
    let line: Line = serde_json::from_str(text).ok()?;
    (serde_json::to_string(&line).ok()? == text).then_some(line)
}

fn header(text: &str) -> Result<Header, Failure> {
    /// All that is the same in every version.
    #[derive(Deserialize)]
    struct AnyVersion {
        plombe_audit_export: u64,
    }
    let version: Option<AnyVersion> = serde_json::from_str(text).ok();
    match version.map(|any| any.plombe_audit_export) {
        Some(VERSION) => match parse(text) {
            Some(Line::Header(header)) => Ok(header),
            _ => Err(wrong(1, "this is no first line of an export")),
        },
        Some(other) => Err(Failure::new(
            Exit::Failed,
            format!("this is an export of version {other}; update Plombe to read it"),
        )),
        None => Err(wrong(1, "this is no first line of an export")),
    }
}

/// The key that decides. The one in the file is what somebody wrote into the file.
fn key(app: &App<'_>, args: &FileArgs, header: &Header) -> anyhow::Result<(VerifierKey, Vouched)> {
    if args.trust_key_in_file {
        return Ok((header.log_key.clone(), Vouched::File));
    }
    let (key, vouched) = match (&args.verifier_key, Account::new(app).known()?) {
        (Some(key), _) => (key.clone(), Vouched::Option),
        (None, Some(known)) => (known.keystore.log_verifier.parse()?, Vouched::Machine),
        (None, None) => {
            let text = format!("nobody vouches for the key that stands in the file: {}", header.log_key);
            return Err(Failure::new(Exit::KeystoreUntrusted, text)
                .hint("get the log's key from somebody you trust, and give it with --verifier-key VKEY")
                .into());
        }
    };
    if key != header.log_key {
        let text = format!("line 1: this is an export of another log, or by another key: {}", header.log_key);
        return Err(Failure::new(Exit::KeystoreUntrusted, text).hint(format!("expected was {key}")).into());
    }
    Ok((key, vouched))
}

fn wrong(number: u64, why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Damaged, format!("line {number}: {why}")).hint(
        "the file was changed, or the keystore shows what its log does not hold: `plombe audit verify`, where the account is, tells \
         which",
    )
}

fn tell(app: &App<'_>, checker: &Checker, header: &Header, vouched: Vouched) -> anyhow::Result<()> {
    let keys = checker.keys();
    let head = checker.checkpoint().head();
    if app.terminal.json {
        let from = match vouched {
            Vouched::Option => "option",
            Vouched::Machine => "machine",
            Vouched::File => "file",
        };
        return output::print_json(&json!({"verified": {
            "entries": checker.entries, "about_keys": checker.about_keys, "erased": checker.erased, "keys": keys,
            "whole_log": checker.is_whole_log(), "size": head.size, "checkpoint": checker.checkpoint().note(),
            "log_key": header.log_key, "key_from": from,
        }}));
    }
    let whole = if checker.is_whole_log() { ", which are all that it had then" } else { "" };
    let text = format!(
        "{} entries are in the log of {} entries that was signed{whole}; {} were erased, or belong to others",
        checker.entries, head.size, checker.erased
    );
    app.terminal.note(Tone::Good, "verified", &text);
    let text = format!(
        "{} entries about {} keys follow each other without a hole, from the first",
        checker.about_keys,
        keys.len()
    );
    app.terminal.note(Tone::Good, "verified", &text);
    let (tone, by) = match vouched {
        Vouched::Option => (Tone::Plain, "as given with --verifier-key"),
        Vouched::Machine => (Tone::Plain, "which this machine knows from its log-in"),
        Vouched::File => {
            (Tone::Doubtful, "which only the file itself vouches for: NOT PROVEN whose log this is")
        }
    };
    app.terminal.note(tone, "key", &format!("{}, {by}", header.log_key));
    Ok(())
}
