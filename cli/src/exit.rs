// SPDX-License-Identifier: LGPL-2.0-or-later
//! Exit codes, and the one place that turns an error into one, with advice. Documented in `docs/exit-codes.md`.

use std::{fmt, io, process::ExitCode};

use plombe_core::{cert, message};
use serde_json::json;

use crate::terminal::Terminal;

/// Stable: scripts rely on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    BadSignature = 3,
    NotSigned = 4,
    NoKey = 5,
    WrongPassphrase = 6,
    Damaged = 7,
    Refused = 8,
    CertificateUnusable = 9,
    OutputExists = 10,
    OutputFailed = 11,
    Conflict = 12,
    Network = 13,
}

impl Exit {
    /// Its name in JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::BadSignature => "bad-signature",
            Self::NotSigned => "not-signed",
            Self::NoKey => "no-key",
            Self::WrongPassphrase => "wrong-passphrase",
            Self::Damaged => "damaged",
            Self::Refused => "refused",
            Self::CertificateUnusable => "certificate-unusable",
            Self::OutputExists => "output-exists",
            Self::OutputFailed => "output-failed",
            Self::Conflict => "conflict",
            Self::Network => "network",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A failure that a command decided on itself: what happened, which code, what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// What to do next: a sentence or a command.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Tells the person (or, in JSON, the program) what happened, and yields the process's exit code.
pub(crate) fn report(error: &anyhow::Error, terminal: &Terminal) -> ExitCode {
    let (exit, hint) = judge(error);
    // Whoever closed the pipe does not want to hear that it is closed.
    if is_closed_pipe(error) {
        return exit.into();
    }
    let message = sentence(error);
    if terminal.json {
        let mut object = json!({"code": exit.name(), "exit": exit as u8, "message": message, "hint": hint});
        if let Some(verdict) = verdict_of(error) {
            object["verdict"] = json!(verdict);
        }
        terminal.json_to_stderr(&json!({"error": object}));
    } else {
        terminal.error(&message, hint.as_deref());
    }
    exit.into()
}

/// The chain of causes as one line: "cannot read a.pgp: No such file or directory".
fn sentence(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Transparent wrappers repeat their source.
        if parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

/// The first cause that we know decides.
fn judge(error: &anyhow::Error) -> (Exit, Option<String>) {
    error.chain().find_map(judge_cause).unwrap_or((Exit::Failed, None))
}

fn judge_cause(cause: &(dyn std::error::Error + 'static)) -> Option<(Exit, Option<String>)> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some((failure.exit, failure.hint.clone()));
    }
    if let Some(error) = cause.downcast_ref::<message::OpenError>() {
        return Some(judge_open(error));
    }
    None
}

fn judge_open(error: &message::OpenError) -> (Exit, Option<String>) {
    use message::OpenError as E;
    match error {
        E::BadSignature(_) => (Exit::BadSignature, None),
        _ => (Exit::Damaged, None),
    }
}

fn verdict_of(error: &anyhow::Error) -> Option<&plombe_core::verdict::Verdict> {
    error.chain().find_map(|cause| match cause.downcast_ref::<message::OpenError>() {
        Some(message::OpenError::BadSignature(verdict)) => Some(verdict.as_ref()),
        _ => None,
    })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
