// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe decrypt`

use crate::{
    app::App,
    exit::{Exit, Failure},
};

/// Options.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_app: &App<'_>, _args: Args) -> anyhow::Result<()> {
    Err(Failure::new(Exit::Failed, "not built yet").into())
}
