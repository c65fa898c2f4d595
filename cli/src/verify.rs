// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe verify`: is this what was signed, and by whom? Exit code 0 means good, and nothing else does.

use std::path::{Path, PathBuf};

use plombe_core::{
    message::{Limits, OpenContext, OpenError, VerifyError, verify},
    verdict::{Verdict, VerdictKind},
};
use serde_json::json;

use crate::{
    app::App,
    args::OutputArgs,
    contacts,
    input::{self, Input},
    output::{self, Content, Output},
    progress::Watched,
    verdict as words,
};

/// Which signature over what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The detached signature; without it, FILE is a signed message
    #[arg(short, long, value_name = "SIG")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    /// What was signed; standard input if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let owners: Vec<_> = app.tsks.all()?.iter().map(|tsk| tsk.fingerprint()).collect();
    let context = OpenContext {
        signers: &contacts::Signers::known(app)?,
        readers: &owners,
        policy: &app.policy,
        now: app.now,
        limits: Limits::default(),
        hash_content: app.terminal.json,
    };
    let verdict = match &args.signature {
        Some(signature) => detached(app, &args, signature, &context)?,
        None => inline(app, &args, &context)?,
    };
    if app.terminal.json {
        let content_on_stdout = args.output.output.as_deref() == Some(Path::new("-"));
        app.terminal.json_result(content_on_stdout, &json!({"verdict": verdict}))?;
    }
    if verdict.verdict != VerdictKind::Good {
        return Err(words::not_good(verdict).into());
    }
    words::tell(app.terminal, &verdict);
    Ok(())
}

fn detached(
    app: &App<'_>,
    args: &Args,
    signature: &Path,
    context: &OpenContext<'_>,
) -> anyhow::Result<Verdict> {
    let signature = input::read_small(signature, app.terminal)?;
    let input = Input::open(args.file.as_deref(), app.terminal)?;
    Ok(verify::detached(&signature, &mut Watched::new(input, app.terminal), context)?.verdict)
}

/// The content goes to `-o`, and nowhere without it: who verifies wants an answer, not a copy.
fn inline(app: &App<'_>, args: &Args, context: &OpenContext<'_>) -> anyhow::Result<Verdict> {
    let output = match args.output.output {
        Some(_) => output::open(&args.output, Content::Plaintext)?,
        None => Output::Nowhere,
    };
    let input = Input::open(args.file.as_deref(), app.terminal)?;
    match verify::inline(&mut Watched::new(input, app.terminal), context, output) {
        Ok(opened) if opened.verdict().verdict == VerdictKind::Good => Ok(opened.release()?.1),
        Ok(opened) => Ok(opened.verdict().clone()),
        Err(VerifyError::BadSignature(verdict) | VerifyError::Open(OpenError::BadSignature(verdict))) => {
            Ok(*verdict)
        }
        Err(error) => Err(error.into()),
    }
}
