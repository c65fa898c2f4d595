// SPDX-License-Identifier: LGPL-2.0-or-later
//! Passphrases: from files and file descriptors when they are given, otherwise from the person at the terminal.
//! Never from arguments or the environment, where other processes can read them.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use plombe_core::{
    cert::{LockedTsk, Tsk, UnlockError},
    secret::Passphrase,
};
use zeroize::Zeroizing;

use crate::{
    args::PassphraseArgs,
    exit::{Exit, Failure},
    terminal::printable_line,
};

/// Longer lines are no passphrases: the wrong file was named.
const LENGTH_LIMIT: u64 = 64 << 10;
/// How often a person may mistype.
const ATTEMPTS: usize = 3;

/// The passphrases of one run.
pub(crate) struct Passphrases {
    given: Vec<Passphrase>,
    ask: bool,
}

impl Passphrases {
    pub(crate) fn from_args(args: &PassphraseArgs) -> anyhow::Result<Self> {
        let mut given = Vec::new();
        for path in &args.passphrase_file {
            given.push(read(path)?);
        }
        for number in &args.passphrase_fd {
            // Opening by number in /dev/fd needs no unsafe claim that the descriptor is ours.
            given.push(read(&PathBuf::from(format!("/dev/fd/{number}")))?);
        }
        Ok(Self { given, ask: true })
    }

    /// From now on only what was given counts.
    pub(crate) fn ask_nobody(&mut self) {
        self.ask = false;
    }

    /// Asks at the terminal, if somebody may be asked.
    pub(crate) fn prompt(&self, question: &str) -> anyhow::Result<Passphrase> {
        if self.ask { prompt(question) } else { Err(nobody_to_ask().into()) }
    }

    /// Unlocks `tsk`, whom a person knows as `name`, and says which passphrase did it. What a person types is kept
    /// for the next TSK of this run.
    pub(crate) fn unlock(&mut self, tsk: LockedTsk, name: &str) -> anyhow::Result<(Tsk, Option<Passphrase>)> {
        if !tsk.is_locked() {
            return Ok((tsk.unlock(None)?, None));
        }
        for passphrase in &self.given {
            match tsk.clone().unlock(Some(passphrase)) {
                Err(UnlockError::WrongPassphrase) => {}
                other => return Ok((other?, Some(passphrase.clone()))),
            }
        }
        if !self.given.is_empty() {
            return Err(Failure::new(
                Exit::WrongPassphrase,
                format!("wrong passphrase for the key of {name}"),
            )
            .hint("check the passphrase file; the secret key was not used")
            .into());
        }
        for _ in 0..ATTEMPTS {
            let typed = self.prompt(&format!("Passphrase for the key of {}: ", printable_line(name)))?;
            match tsk.clone().unlock(Some(&typed)) {
                Err(UnlockError::WrongPassphrase) => {}
                Ok(unlocked) => {
                    self.given.push(typed.clone());
                    return Ok((unlocked, Some(typed)));
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(Failure::new(Exit::WrongPassphrase, format!("wrong passphrase for the key of {name}")).into())
    }

    /// A new passphrase for `name`: the one that was given, or asked for twice.
    pub(crate) fn for_new_key(mut self, name: &str) -> anyhow::Result<Passphrase> {
        if self.given.len() > 1 {
            return Err(Failure::usage("a key has one passphrase; more than one was given").into());
        }
        let chosen = match self.given.pop() {
            Some(given) => given,
            None => prompt_twice(name)?,
        };
        if chosen.expose().is_empty() {
            return Err(Failure::usage("the passphrase is empty")
                .hint("to keep a key without a passphrase say --no-passphrase")
                .into());
        }
        Ok(chosen)
    }
}

/// The first line of a file, without its line ending.
pub(crate) fn read(path: &Path) -> anyhow::Result<Passphrase> {
    let unreadable = || format!("cannot read a passphrase from {}", path.display());
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    File::open(path)
        .with_context(unreadable)?
        .take(LENGTH_LIMIT)
        .read_to_end(&mut bytes)
        .with_context(unreadable)?;
    let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    Ok(Passphrase::new(line))
}

/// Asks at the terminal, whatever standard input is.
pub(crate) fn prompt(question: &str) -> anyhow::Result<Passphrase> {
    let typed = rpassword::prompt_password(question).map_err(|_| nobody_to_ask())?;
    Ok(Passphrase::new(typed.into_bytes()))
}

fn nobody_to_ask() -> Failure {
    Failure::new(Exit::WrongPassphrase, "a passphrase is needed, and there is no terminal to ask at")
        .hint("give it with --passphrase-file FILE or --passphrase-fd N")
}

/// Asks for a new passphrase until it was typed twice the same way.
pub(crate) fn prompt_twice(name: &str) -> anyhow::Result<Passphrase> {
    for _ in 0..ATTEMPTS {
        let first = prompt(&format!("New passphrase for {}: ", printable_line(name)))?;
        let second = prompt("The same again: ")?;
        if first.expose() == second.expose() {
            return Ok(first);
        }
    }
    Err(Failure::new(Exit::WrongPassphrase, "the two passphrases were not the same").into())
}
