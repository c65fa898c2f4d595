// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key show`: everything about one certificate.

use serde_json::json;

use super::describe;
use crate::{app::App, output, who::Who};

/// Whose.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    who: Who,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let certificate = args.who.certificate(app)?;
    if app.terminal.json {
        return output::print_json(&json!({"certificate": describe::json(app, &certificate)?}));
    }
    Ok(output::print(&describe::text(app, &certificate)?)?)
}
