// SPDX-License-Identifier: LGPL-2.0-or-later
//! `sign` and `inline-sign`.

use std::io::{self, Read, Write};

use plombe_core::{cert::Tsk, message::Signing};

use super::{
    Context,
    args::{As, InlineAs, InlineSign, Sign},
    designator::Output,
    failure::Result,
    material, password,
    text::Utf8,
    write_stdout,
};

/// `sign`: the signatures are small, so nothing is written when something goes wrong half-way.
pub(super) fn detached(context: &Context, args: &Sign) -> Result<()> {
    let micalg_out = Output::prepare_optional(args.micalg_out.as_ref())?;
    let signers = material::tsks(&args.keys, &password::to_try(&args.with_key_password)?)?;
    let text = args.kind == As::Text;
    let signing = signing(context, &signers, text, args.armoring.armor());
    let mut signatures = Vec::new();
    let micalg = signing.detached(&mut *stdin(text), &mut signatures)?;
    if let Some(output) = micalg_out {
        output.write(micalg.as_bytes())?;
    }
    write_stdout(&signatures)
}

/// `inline-sign`.
pub(super) fn inline(context: &Context, args: &InlineSign) -> Result<()> {
    let signers = material::tsks(&args.keys, &password::to_try(&args.with_key_password)?)?;
    let text = args.kind != InlineAs::Binary;
    let signing = signing(context, &signers, text, args.armoring.armor());
    let mut stdout = io::BufWriter::new(io::stdout());
    match args.kind {
        InlineAs::Clearsigned => signing.cleartext(&mut *stdin(text), &mut stdout)?,
        InlineAs::Binary | InlineAs::Text => signing.inline(&mut *stdin(text), &mut stdout)?,
    }
    stdout.flush()?;
    Ok(())
}

fn signing<'a>(context: &'a Context, signers: &'a [Tsk], text: bool, armor: bool) -> Signing<'a> {
    Signing {
        signers: signers.iter().map(Into::into).collect(),
        text,
        armor,
        policy: &context.policy,
        now: context.now,
    }
}

/// Standard input, checked when it has to be text.
pub(super) fn stdin(text: bool) -> Box<dyn Read + Send> {
    let stdin = io::BufReader::with_capacity(1 << 18, io::stdin());
    if text { Box::new(Utf8::new(stdin)) } else { Box::new(stdin) }
}
