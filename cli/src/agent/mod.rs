// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe agent`: keys in the keystore for programs on this machine that know nothing of keystores.
//!
//! It speaks PKS over HTTP on the loopback interface. Any program and any web page on this machine can knock there; what lets one in
//! is the path, which holds 256 random bits and lies in a file that only its owner reads.

mod http;
mod operation;
mod raw;
mod serve;

use crate::app::App;

/// What the agent does.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Answer programs on this machine until it is stopped
    Serve(serve::Args),
    /// Let programs on this machine decrypt with a key in the keystore, for a while; read docs/user-guide.md first
    AllowRawDecryptionByUnmodifiedPrograms(raw::AllowArgs),
    /// End that, on all your machines
    ForbidRawDecryptionByUnmodifiedPrograms(raw::ForbidArgs),
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(app, &args),
        Command::AllowRawDecryptionByUnmodifiedPrograms(args) => raw::allow(app, &args),
        Command::ForbidRawDecryptionByUnmodifiedPrograms(args) => raw::forbid(app, &args),
    }
}
