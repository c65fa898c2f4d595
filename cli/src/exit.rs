// SPDX-License-Identifier: LGPL-2.0-or-later
//! Exit codes, and the one place that turns an error into one, with advice. Documented in `docs/exit-codes.md`.

use std::{fmt, io, process::ExitCode};

use plombe_client::ClientError;
use plombe_core::{
    cert::{CertError, UnlockError, Unusable},
    mail::{AddressError, MailOpenError, MailSealError},
    message::{OpenError, SealError, SignError, UnwrapError, VerifyError},
    mime::MimeError,
    verdict::Verdict,
};
use serde_json::json;

use crate::{output::OutputError, terminal::Terminal};

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
    KeystoreRefused = 14,
    KeystoreUntrusted = 15,
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
            Self::KeystoreRefused => "keystore-refused",
            Self::KeystoreUntrusted => "keystore-untrusted",
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
    verdict: Option<Box<Verdict>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, verdict: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// What to do next: a sentence or a command.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The verdict that made it fail, for JSON.
    pub(crate) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(Box::new(verdict));
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
pub(crate) fn sentence(error: &anyhow::Error) -> String {
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

/// Which code an error ends the program with.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    judge(error).0
}

/// The first cause that we know decides.
fn judge(error: &anyhow::Error) -> (Exit, Option<String>) {
    error.chain().find_map(judge_cause).unwrap_or((Exit::Failed, None))
}

fn judge_cause(cause: &(dyn std::error::Error + 'static)) -> Option<(Exit, Option<String>)> {
    fn is<'a, T: std::error::Error + 'static>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
        cause.downcast_ref()
    }
    if let Some(failure) = is::<Failure>(cause) {
        return Some((failure.exit, failure.hint.clone()));
    }
    if let Some(error) = is::<ClientError>(cause) {
        return Some(judge_keystore(error));
    }
    // Whoever was asked for a signature knows better why there is none.
    let remote_seal = |error: &SealError| matches!(error, SealError::Remote { .. });
    let remote_sign = |error: &SignError| matches!(error, SignError::Remote { .. });
    let remote_mail = |error: &MailSealError| match error {
        MailSealError::Seal(error) => remote_seal(error),
        MailSealError::Sign(error) => remote_sign(error),
        _ => false,
    };
    if is(cause).is_some_and(remote_seal)
        || is(cause).is_some_and(remote_sign)
        || is(cause).is_some_and(remote_mail)
    {
        return None;
    }
    let (exit, hint) = is(cause)
        .map(judge_open)
        .or_else(|| is(cause).map(judge_unwrap))
        .or_else(|| is(cause).map(judge_verify))
        .or_else(|| is(cause).map(judge_seal))
        .or_else(|| is(cause).map(judge_sign))
        .or_else(|| is(cause).map(judge_unlock))
        .or_else(|| is(cause).map(judge_certificate))
        .or_else(|| is(cause).map(judge_mail_open))
        .or_else(|| is(cause).map(judge_mail_seal))
        .or_else(|| is(cause).map(judge_address))
        .or_else(|| is(cause).map(judge_mime))
        .or_else(|| is(cause).map(judge_output))?;
    Some((exit, (!hint.is_empty()).then(|| hint.to_owned())))
}

fn judge_keystore(error: &ClientError) -> (Exit, Option<String>) {
    let (exit, hint) = match error {
        // What the keystore advises, it knows best.
        ClientError::Refused(problem) => return (Exit::KeystoreRefused, problem.hint.clone()),
        ClientError::NotLoggedIn => (
            Exit::KeystoreRefused,
            "log in again: `plombe login`; if this machine was revoked, `plombe logout --forget-everything` first",
        ),
        ClientError::DevicePending => (
            Exit::KeystoreRefused,
            "confirm it on a device that you use already, `plombe devices confirm`, or here with your passkey, `plombe devices confirm --passkey`; when all are lost: `plombe recover`",
        ),
        ClientError::CodeForAnotherKeystore => {
            (Exit::KeystoreUntrusted, "check the address with who gave you the code")
        }
        ClientError::IdentityChanged { .. } => (
            Exit::KeystoreUntrusted,
            "nothing was sent; ask your administrator whether its keys were changed on purpose",
        ),
        ClientError::Tampered => {
            (Exit::KeystoreUntrusted, "something between here and the keystore changes what passes")
        }
        ClientError::LogContradicts { .. } => (
            Exit::KeystoreUntrusted,
            "keep this machine's keystore folder as evidence, and tell people who do not run the keystore; if they say that a \
             backup was restored: `plombe audit accept-restored-history`",
        ),
        ClientError::Address(_) => (Exit::Usage, ""),
        ClientError::Unreachable(_) => {
            (Exit::Network, "check the address and the network; keys on this machine work without")
        }
        _ => (Exit::Network, ""),
    };
    (exit, (!hint.is_empty()).then(|| hint.to_owned()))
}

/// Where the error does not say whose certificate it is about.
fn advice_on(reason: Unusable) -> Hint {
    match reason {
        Unusable::Expired => {
            "if it is yours, extend it: `plombe key expire`; otherwise ask its owner for a new one"
        }
        Unusable::NotYetValid => "check the clock of this machine: `date`",
        _ => "if it is yours, renew it: `plombe key rotate`; otherwise ask its owner for a new one",
    }
}

/// What to do next; empty where the message says it all.
type Hint = &'static str;

const FETCH_AGAIN: Hint = "fetch the message again, or ask the sender to send it once more";
const ASK_SENDER: Hint = "ask the sender to send it again with current software";

fn judge_open(error: &OpenError) -> (Exit, Hint) {
    match error {
        OpenError::BadSignature(_) => {
            (Exit::BadSignature, "nothing was written; ask the sender to send it again")
        }
        OpenError::NotSealed => {
            (Exit::Damaged, "for signed messages there is `plombe verify`, for mails `plombe mail open`")
        }
        OpenError::Unreadable => (Exit::Damaged, FETCH_AGAIN),
        OpenError::NoIntegrity | OpenError::Policy(_) => (Exit::Refused, ASK_SENDER),
        OpenError::Nested | OpenError::TooDeep | OpenError::TooLarge => {
            (Exit::Refused, "nothing was written; no honest program makes such messages")
        }
        OpenError::Output(source) => judge_writing(source),
        OpenError::Unsupported(_) => {
            (Exit::Refused, "if it was not damaged on its way, a newer version of plombe may read it")
        }
        OpenError::Input(_) => (Exit::Failed, ""),
        _ => (Exit::Damaged, ""),
    }
}

fn judge_unwrap(error: &UnwrapError) -> (Exit, Hint) {
    match error {
        UnwrapError::WrongPassword => (Exit::WrongPassphrase, "give the password with --password-file FILE"),
        UnwrapError::TooExpensive => (Exit::Refused, ASK_SENDER),
        _ => (
            Exit::NoKey,
            "`plombe key list --secret` shows the keys that are here; `plombe key import FILE` brings one in",
        ),
    }
}

fn judge_verify(error: &VerifyError) -> (Exit, Hint) {
    match error {
        VerifyError::NotSigned => (
            Exit::NotSigned,
            "a signature in a file of its own goes with --signature SIG; for mails there is `plombe mail open`",
        ),
        VerifyError::BadSignature(_) => (Exit::BadSignature, ""),
        VerifyError::Open(error) => judge_open(error),
        VerifyError::Output(source) => judge_writing(source),
        VerifyError::Input(_) => (Exit::Failed, ""),
        _ => (Exit::Damaged, FETCH_AGAIN),
    }
}

fn judge_seal(error: &SealError) -> (Exit, Hint) {
    match error {
        SealError::RecipientUnusable { .. } => (
            Exit::CertificateUnusable,
            "ask its owner for a new certificate, or try `plombe key find ADDRESS`",
        ),
        SealError::SignerUnusable { reason, .. } => (Exit::CertificateUnusable, advice_on(*reason)),
        SealError::EmptyPassword | SealError::NoRecipient => (Exit::Usage, ""),
        SealError::Output(source) => judge_writing(source),
        _ => (Exit::Failed, ""),
    }
}

fn judge_sign(error: &SignError) -> (Exit, Hint) {
    match error {
        SignError::SignerUnusable { reason, .. } => (Exit::CertificateUnusable, advice_on(*reason)),
        SignError::NoSigner | SignError::NotText => (Exit::Usage, ""),
        SignError::Output(source) => judge_writing(source),
        _ => (Exit::Failed, ""),
    }
}

fn judge_unlock(error: &UnlockError) -> (Exit, Hint) {
    match error {
        UnlockError::WrongPassphrase | UnlockError::PassphraseNeeded => {
            (Exit::WrongPassphrase, "give it with --passphrase-file FILE or --passphrase-fd N")
        }
        UnlockError::KeyMismatch => {
            (Exit::Damaged, "do not use this key file; restore it from a copy that nobody else could change")
        }
        UnlockError::TooCostly => (Exit::Refused, "this key file was not made by an honest program"),
        _ => (Exit::CertificateUnusable, "use the copy of the key that has its secret part"),
    }
}

fn judge_certificate(error: &CertError) -> (Exit, Hint) {
    match error {
        CertError::Malformed | CertError::NoSecretKey | CertError::SeveralCertificates => (Exit::Damaged, ""),
        CertError::NotItsRevocation => (Exit::Damaged, ""),
        CertError::TooLarge { .. } => (Exit::Refused, "export single certificates and import those"),
        CertError::BadUserId | CertError::BadTime => (Exit::Usage, ""),
        CertError::PrimarySecretMissing => (Exit::CertificateUnusable, ""),
        CertError::Unusable(reason) => (Exit::CertificateUnusable, advice_on(*reason)),
        _ => (Exit::Failed, ""),
    }
}

fn judge_mail_open(error: &MailOpenError) -> (Exit, Hint) {
    match error {
        MailOpenError::Mime(error) => judge_mime(error),
        MailOpenError::Open(error) => judge_open(error),
        MailOpenError::Unwrap(error) => judge_unwrap(error),
        MailOpenError::BadSignature(_) => {
            (Exit::BadSignature, "nothing was written; ask the sender to send it again")
        }
        MailOpenError::TooManyLayers => {
            (Exit::Refused, "nothing was written; no honest program makes such mails")
        }
        MailOpenError::NoSuchPart => (Exit::Usage, "`plombe mail inspect` lists the parts with their paths"),
        _ => (Exit::Damaged, FETCH_AGAIN),
    }
}

fn judge_mail_seal(error: &MailSealError) -> (Exit, Hint) {
    match error {
        MailSealError::Mime(error) => judge_mime(error),
        MailSealError::Seal(error) => judge_seal(error),
        MailSealError::Sign(error) => judge_sign(error),
        MailSealError::NoCertificate { .. } => (
            Exit::CertificateUnusable,
            "`plombe key find ADDRESS` looks for it, `plombe key import FILE` brings one in",
        ),
        MailSealError::AlreadySealed => (Exit::Failed, "open it first: `plombe mail open`"),
        MailSealError::UnsafeHeader { .. } | MailSealError::NoAuthor | MailSealError::NoRecipient => {
            (Exit::Damaged, "")
        }
        _ => (Exit::Failed, ""),
    }
}

fn judge_address(error: &AddressError) -> (Exit, Hint) {
    match error {
        AddressError::Mime(error) => judge_mime(error),
        _ => (Exit::Damaged, ""),
    }
}

fn judge_mime(_: &MimeError) -> (Exit, Hint) {
    (Exit::Refused, "nothing was written; no honest program makes such mails")
}

fn judge_output(error: &OutputError) -> (Exit, Hint) {
    match error {
        OutputError::Exists(_) => (Exit::OutputExists, "choose another name, or replace it with --force"),
        OutputError::IsDirectory(_) => (Exit::OutputFailed, "name a file in it"),
        OutputError::BinaryOnTerminal => (Exit::Usage, "write it to a file with -o FILE"),
        OutputError::Failed { source, .. } | OutputError::Stdout(source) => judge_writing(source),
    }
}

/// Core hands our own errors back inside an [`io::Error`].
fn judge_writing(error: &io::Error) -> (Exit, Hint) {
    if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<OutputError>()) {
        return judge_output(own);
    }
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            (Exit::OutputExists, "choose another name, or replace it with --force")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Exit::OutputFailed, "the disk is full; nothing was left behind under the output's name")
        }
        _ => (Exit::OutputFailed, ""),
    }
}

fn verdict_of(error: &anyhow::Error) -> Option<&Verdict> {
    error.chain().find_map(|cause| {
        if let Some(OpenError::BadSignature(verdict)) = cause.downcast_ref() {
            return Some(verdict.as_ref());
        }
        if let Some(VerifyError::BadSignature(verdict)) = cause.downcast_ref() {
            return Some(verdict.as_ref());
        }
        if let Some(MailOpenError::BadSignature(verdict)) = cause.downcast_ref() {
            return Some(verdict.as_ref());
        }
        cause.downcast_ref::<Failure>()?.verdict.as_deref()
    })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
