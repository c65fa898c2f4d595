// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit`: what was done with one's keys, and whether the record of it is whole.

mod accept;
mod acknowledge;
mod entries;
mod export;
mod exported;
mod lost;
mod names;
mod show;
mod verify;
mod witness;

use plombe_client::Session;
use plombe_core::{keystore::calls::audit::Scope, log::entry::Entry};

use crate::app::App;

/// What can be done with the log.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show what was done with your keys and your account, each entry proven
    Show(show::Args),
    /// Check that the log has only grown since you last saw it, and that your entries are all in it; or check an export
    Verify(Box<exported::FileArgs>),
    /// Write entries with their proofs to a file, for somebody who checks them without an account
    Export(export::Args),
    /// Keep the log's last checkpoint elsewhere, and raise an alarm when the log contradicts it
    Witness(Box<witness::Args>),
    /// Go on with a keystore that was restored from a backup, after showing what is lost and who has acknowledged it
    AcceptRestoredHistory(accept::Args),
    /// For administrators: let a keystore go on that was restored from a backup; takes two of them
    AcknowledgeLostHistory(acknowledge::Args),
}

pub(super) use lost::time;

/// All entries of a scope with their positions, each proven to be in the log.
pub(super) fn proven(session: &mut Session, scope: &Scope) -> anyhow::Result<Vec<(u64, Option<Entry>)>> {
    let proven = entries::all(session, scope)?;
    Ok(proven.into_iter().map(|one| (one.position, one.entry)).collect())
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show(args) => show::run(app, &args),
        Command::Verify(args) => match &args.file {
            Some(file) => exported::run(app, &args, file),
            None => verify::run(app),
        },
        Command::Export(args) => export::run(app, &args),
        Command::Witness(args) => witness::run(app, &args),
        Command::AcceptRestoredHistory(args) => accept::run(app, &args),
        Command::AcknowledgeLostHistory(args) => acknowledge::run(app, &args),
    }
}
