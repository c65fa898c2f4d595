// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe completions`: a completion script for a shell, from the same definitions that parse the arguments.

use std::io::Write as _;

use anyhow::Context as _;
use clap_complete::Shell;

use crate::{app::App, args};

/// Which shell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(crate) fn run(_app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "plombe", &mut script);
    std::io::stdout().lock().write_all(&script).context("cannot write to standard output")
}
