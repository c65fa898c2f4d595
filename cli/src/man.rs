// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe man`: one manual page per command, from the same definitions that parse the arguments.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use serde_json::json;

use crate::{app::App, args, output, terminal::Tone};

/// Where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory that the pages are written into; it is made if it is not there
    dir: PathBuf,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    clap_mangen::generate_to(args::command(), &args.dir)
        .with_context(|| format!("cannot write the manual pages into {}", args.dir.display()))?;
    if app.terminal.json {
        return output::print_json(&json!({"manual_pages": args.dir.display().to_string()}));
    }
    app.terminal.note(Tone::Good, "done", &format!("manual pages are in {}", args.dir.display()));
    Ok(())
}
