// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe mail`: whole RFC 5322 messages, one by standard input and output or many in place.

mod copies;
mod in_place;
mod inspect;
mod line_ends;
mod news;
mod open;
mod opener;
mod seal;
mod sealer;
mod text;

pub(crate) use open::{Args as OpenArgs, run_with as open_with};

use crate::app::App;

/// Larger mails are not sent by anybody; each is held in memory as a whole.
const MAIL_LIMIT: u64 = 256 << 20;

/// What can be done with mails.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Seal a mail for its recipients, signed by its sender
    Seal(seal::Args),
    /// Open a sealed mail and say what its signature is worth
    Open(open::Args),
    /// Show structure and verdict of a mail, and no plaintext
    Inspect(inspect::Args),
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Seal(args) => seal::run(app, args),
        Command::Open(args) => open::run(app, args),
        Command::Inspect(args) => inspect::run(app, args),
    }
}
