// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe`: seal, open, sign and verify files and mail, and keep the certificates that it takes.
//!
//! This binary does all the I/O that `plombe-core` refuses to do: arguments, files, terminal, clock, network. Reading
//! order: [`args`] (what can be said), [`app`] (what every command gets), then one module per command; [`exit`] is
//! the one place that turns an error into an exit code and advice.

mod agent;
mod app;
mod args;
mod completions;
mod config;
mod confirm;
mod contacts;
mod date;
mod decrypt;
mod discovery;
mod doctor;
mod encrypt;
mod exit;
mod harden;
mod input;
mod key;
mod keyring;
mod keystore;
mod mail;
mod man;
mod output;
mod passphrase;
mod progress;
mod recipient;
mod sign;
mod sop;
mod store;
mod terminal;
mod verdict;
mod verify;
mod who;

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    harden::process();
    let argv: Vec<OsString> = std::env::args_os().collect();
    // `plombe sop` is another program's interface with rules of its own: our options do not apply there.
    if argv.get(1).is_some_and(|word| word == "sop") {
        return sop::main(argv.into_iter().skip(2).collect());
    }
    let args = match args::parse(argv) {
        Ok(args) => args,
        Err(code) => return code,
    };
    let terminal = terminal::Terminal::new(args.global.json, args.global.quiet);
    match run(args, &terminal) {
        Ok(()) => exit::Exit::Ok.into(),
        Err(error) => exit::report(&error, &terminal),
    }
}

fn run(args: args::Args, terminal: &terminal::Terminal) -> anyhow::Result<()> {
    use args::Command;
    // It has to work where nothing else does.
    if let Command::Doctor(args) = args.command {
        return doctor::run(terminal, args);
    }
    let app = app::App::new(terminal)?;
    match args.command {
        Command::Key(command) => key::run(&app, command),
        Command::Encrypt(args) => encrypt::run(&app, args),
        Command::Decrypt(args) => decrypt::run(&app, args),
        Command::Sign(args) => sign::run(&app, args),
        Command::Verify(args) => verify::run(&app, args),
        Command::Mail(command) => mail::run(&app, command),
        Command::Completions(args) => completions::run(&app, args),
        Command::Man(args) => man::run(&app, args),
        Command::Login(args) => keystore::login(&app, args),
        Command::Logout(args) => keystore::logout(&app, &args),
        Command::Whoami => keystore::whoami(&app),
        Command::Devices(args) => keystore::devices(&app, args),
        Command::Passkey(command) => keystore::passkey(&app, command),
        Command::Recover(args) => keystore::recover(&app, args),
        Command::People(command) => keystore::people(&app, command),
        Command::Approvals(command) => keystore::approvals(&app, command),
        Command::BreakGlass(command) => keystore::break_glass(&app, command),
        Command::Revoke(args) => keystore::revoke(&app, args),
        Command::Agent(command) => agent::run(&app, command),
        Command::Audit(command) => keystore::audit(&app, command),
        Command::Rules(command) => keystore::rules(&app, command),
        Command::Doctor(_) | Command::Sop { .. } => unreachable!("both were served before"),
    }
}
