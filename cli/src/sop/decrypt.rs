// SPDX-License-Identifier: LGPL-2.0-or-later
//! `decrypt`. Stricter than the draft in one point: when the signature of a signer whom we know is wrong, nothing
//! comes out and the code is `NO_SIGNATURE`; the draft would print the data beside an empty list of verifications.

use std::io;

use plombe_core::{
    Fingerprint,
    message::{OpenContext, SealedMessage, UnwrapError},
    session_key::SessionKey,
};

use super::{
    Context,
    args::Decrypt,
    designator::{self, Output},
    encrypt,
    failure::{Code, Failure, Result},
    material,
    moment::Window,
    password, plaintext_stdout, verify,
};

pub(super) fn run(context: &Context, args: &Decrypt) -> Result<()> {
    let window = window(context, args)?;
    let session_key_out = Output::prepare_optional(args.session_key_out.as_ref())?;
    let verifications_out = Output::prepare_optional(args.verifications_out.as_ref())?;
    let signers = material::certificates(&args.verify_with)?;
    if args.keys.is_empty() && args.with_password.is_empty() && args.with_session_key.is_empty() {
        return Err(Failure::new(Code::MissingArg, "name KEYS, a password or a session key"));
    }

    let sealed = SealedMessage::parse(io::BufReader::with_capacity(1 << 18, io::stdin()))?;
    let (session_key, readers) = session_key(context, args, &sealed)?;
    let judging = OpenContext { readers: &readers, ..verify::judging(context, &signers) };
    let opened = sealed.open(&session_key, &judging, plaintext_stdout()?)?;

    // Before the data, so that who reads it finds them; not at all when the data will not be released.
    if opened.verdict().releases() {
        if let Some(output) = session_key_out {
            output.write(encrypt::session_key_line(&session_key).as_bytes())?;
        }
        if let Some(output) = verifications_out {
            output.write(verify::acceptable(opened.signatures(), window).as_bytes())?;
        }
    }
    opened.release()?;
    Ok(())
}

/// Asking for verification takes both: by whom, and where to say so.
fn window(context: &Context, args: &Decrypt) -> Result<Window> {
    let by_whom = !args.verify_with.is_empty();
    let when = args.verify_not_before.is_some() || args.verify_not_after.is_some();
    if by_whom != args.verifications_out.is_some() || (when && !by_whom) {
        return Err(Failure::new(
            Code::IncompleteVerification,
            "--verify-with and --verifications-out belong together, and dates to both",
        ));
    }
    let not_before = args.verify_not_before.as_deref().unwrap_or("-");
    Window::parse(not_before, args.verify_not_after.as_deref().unwrap_or("now"), context.now)
}

/// The session key from wherever it can be had, and who reads, when that is known.
fn session_key(
    context: &Context,
    args: &Decrypt,
    sealed: &SealedMessage<'_>,
) -> Result<(SessionKey, Vec<Fingerprint>)> {
    if let Some(designator) = args.with_session_key.first() {
        // One message has one session key; which of several fits shows only at the end, when it is too late.
        if args.with_session_key.len() > 1 {
            return Err(Failure::new(Code::UnsupportedOption, "only one --with-session-key can be tried"));
        }
        return Ok((encrypt::parse_session_key(&designator::read(designator)?)?, Vec::new()));
    }
    let (tsks, locked) = material::tsks_that_unlock(&args.keys, &password::to_try(&args.with_key_password)?)?;
    let mut failed = None;
    if !args.keys.is_empty() {
        match sealed.unwrap_session_key(&tsks, &context.policy, context.now) {
            Ok(key) => return Ok((key, tsks.iter().map(|tsk| tsk.certificate().fingerprint()).collect())),
            Err(error) => failed = Some(error),
        }
    }
    if !args.with_password.is_empty() {
        match sealed.unwrap_with_passwords(&password::to_try(&args.with_password)?) {
            Ok(key) => return Ok((key, Vec::new())),
            Err(error) => failed = Some(error),
        }
    }
    Err(match failed {
        Some(UnwrapError::NoMatchingKey { .. }) if locked > 0 => {
            Failure::new(Code::KeyIsProtected, "no key that could be unlocked opens this message")
        }
        Some(error) => error.into(),
        None => Failure::new(Code::CannotDecrypt, "nothing to open this message with"),
    })
}
