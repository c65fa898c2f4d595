// SPDX-License-Identifier: LGPL-2.0-or-later
//! `verify`, `inline-verify` and `inline-detach`.

use std::io::{self, Write};

use plombe_core::{
    cert::Certificate,
    message::{Limits, OpenContext, armor, verify},
    verdict::{SignatureVerdict, VerdictKind},
};

use super::{
    Context,
    args::{InlineDetach, InlineVerify, Verify},
    designator::{self, Output},
    failure::{Code, Failure, Result},
    material,
    moment::Window,
    plaintext_stdout, write_stdout,
};

/// `verify`.
pub(super) fn detached(context: &Context, args: &Verify) -> Result<()> {
    let window = Window::parse(&args.not_before, &args.not_after, context.now)?;
    let signatures = designator::read(&args.signatures)?;
    let certificates = material::certificates(&args.certs)?;
    let verified = verify::detached(&signatures, &mut io::stdin(), &judging(context, &certificates))?;
    write_stdout(verifications(&verified.signatures, window)?.as_bytes())
}

/// `inline-verify`: the data comes out only when a signature is acceptable.
pub(super) fn inline(context: &Context, args: &InlineVerify) -> Result<()> {
    let window = Window::parse(&args.not_before, &args.not_after, context.now)?;
    let verifications_out = Output::prepare_optional(args.verifications_out.as_ref())?;
    let certificates = material::certificates(&args.certs)?;
    let stdout = plaintext_stdout()?;
    let opened = verify::inline(&mut io::stdin(), &judging(context, &certificates), stdout)?;
    let lines = verifications(opened.signatures(), window)?;
    if let Some(output) = verifications_out {
        output.write(lines.as_bytes())?;
    }
    opened.release()?;
    Ok(())
}

/// `inline-detach`: takes apart, judges nothing.
pub(super) fn split(args: &InlineDetach) -> Result<()> {
    let signatures_out = Output::prepare(&args.signatures_out)?;
    let mut stdout = io::BufWriter::new(io::stdout());
    let mut signatures = verify::split_inline(&mut io::stdin(), &Limits::default(), &mut stdout)?;
    stdout.flush()?;
    if args.armoring.armor() {
        let binary = std::mem::take(&mut signatures);
        armor::enarmor(&mut &*binary, &mut signatures)?;
    }
    signatures_out.write(&signatures)
}

/// By whom and how signatures are judged when nobody in particular reads.
pub(super) fn judging<'a>(context: &'a Context, signers: &'a Vec<Certificate>) -> OpenContext<'a> {
    OpenContext {
        signers,
        readers: &[],
        policy: &context.policy,
        now: context.now,
        limits: Limits::default(),
        hash_content: false,
    }
}

/// One line per acceptable signature; none at all is a failure.
fn verifications(signatures: &[SignatureVerdict], window: Window) -> Result<String> {
    let lines = acceptable(signatures, window);
    if lines.is_empty() {
        let reason = signatures.first().map_or("there is none", |first| first.verdict.reason.as_str());
        return Err(Failure::new(Code::NoSignature, format!("no acceptable signature: {reason}")));
    }
    Ok(lines)
}

/// One line per acceptable signature: when, by which key, of which certificate, over what.
pub(super) fn acceptable(signatures: &[SignatureVerdict], window: Window) -> String {
    let mut lines = String::new();
    for signature in signatures {
        let (VerdictKind::Good, Some(key), Some(certificate), Some(signed_at)) =
            (signature.verdict.verdict, &signature.key, &signature.certificate, signature.signed_at)
        else {
            continue;
        };
        if window.contains(Some(signed_at)) {
            let signed_at = humantime::format_rfc3339_seconds(signed_at);
            let mode = if signature.text { "text" } else { "binary" };
            lines.push_str(&format!("{signed_at} {key} {certificate} mode:{mode}\n"));
        }
    }
    lines
}
