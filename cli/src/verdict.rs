// SPDX-License-Identifier: LGPL-2.0-or-later
//! A verdict in the words of the terminal.

use plombe_core::verdict::{Verdict, VerdictKind};

use crate::{
    exit::{Exit, Failure},
    terminal::{Terminal, Tone},
};

/// Says what a signature is worth, on standard error.
pub(crate) fn tell(terminal: &Terminal, verdict: &Verdict) {
    let (tone, label) = face(verdict.verdict);
    terminal.note(tone, label, &sentence(verdict));
}

/// As [`tell`], for one part of something that has several verdicts.
pub(crate) fn tell_about(terminal: &Terminal, what: &str, verdict: &Verdict) {
    let (tone, label) = face(verdict.verdict);
    terminal.note(tone, &format!("{what}, {label}"), &sentence(verdict));
}

/// Kind and reason on one line.
pub(crate) fn labelled(verdict: &Verdict) -> String {
    format!("{}: {}", face(verdict.verdict).1, sentence(verdict))
}

/// With `--require-good`: anything else is a failure, and nothing is written.
pub(crate) fn require_good(verdict: &Verdict) -> Result<(), Failure> {
    if verdict.verdict == VerdictKind::Good {
        return Ok(());
    }
    Err(not_good(verdict.clone()).hint("nothing was written, because a good signature was required"))
}

/// A verdict that fails the command.
pub(crate) fn not_good(verdict: Verdict) -> Failure {
    let exit = if verdict.verdict == VerdictKind::Bad { Exit::BadSignature } else { Exit::NotSigned };
    Failure::new(exit, labelled(&verdict)).verdict(verdict)
}

/// Reason first, then what is known about the signer.
fn sentence(verdict: &Verdict) -> String {
    let mut sentence = verdict.reason.clone();
    let Some(signer) = &verdict.signer else { return sentence };
    let key = signer.certificate.as_deref().unwrap_or(&signer.key);
    let who = if signer.addresses.is_empty() {
        String::new()
    } else {
        format!("{}, ", signer.addresses.join(", "))
    };
    sentence.push_str(&format!(" ({who}{key}"));
    if let Some(at) = &signer.signed_at {
        sentence.push_str(&format!(", {at}"));
    }
    sentence.push(')');
    sentence
}

fn face(kind: VerdictKind) -> (Tone, &'static str) {
    match kind {
        VerdictKind::Good => (Tone::Good, "good signature"),
        VerdictKind::SenderMismatch => (Tone::Doubtful, "sender mismatch"),
        VerdictKind::UnknownSigner => (Tone::Doubtful, "unknown signer"),
        VerdictKind::InvalidSigner => (Tone::Bad, "invalid signer"),
        VerdictKind::Unsigned => (Tone::Doubtful, "unsigned"),
        VerdictKind::Bad => (Tone::Bad, "bad signature"),
    }
}
