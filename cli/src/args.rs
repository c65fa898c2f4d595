// SPDX-License-Identifier: LGPL-2.0-or-later
//! What can be said on the command line. Each command's own options stand in that command's file.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    agent, completions, decrypt, doctor, encrypt, exit::Exit, key, keystore, mail, man, sign, verify,
};

/// Seal, open, sign and verify files and mail with OpenPGP.
#[derive(Parser)]
#[command(name = "plombe", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 ok, 1 other failure, 2 usage, 3 bad signature, 4 not signed acceptably, 5 no key opens it, \
6 wrong passphrase, 7 damaged input, 8 refused by policy, 9 certificate unusable or not found, 10 output exists, \
11 output cannot be written, 12 a decision is needed, 13 network, 14 the keystore says no, \
15 the keystore cannot be trusted.";

/// Options that every command knows.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Answer in JSON (docs/json.md says in what form)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// What plombe can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make, find, change and hand out certificates and keys
    #[command(subcommand)]
    Key(key::Command),
    /// Encrypt a file or standard input
    Encrypt(encrypt::Args),
    /// Decrypt a file or standard input
    Decrypt(decrypt::Args),
    /// Sign a file or standard input
    Sign(sign::Args),
    /// Check the signature of a file or standard input
    Verify(verify::Args),
    /// Seal, open and inspect whole mails
    #[command(subcommand)]
    Mail(mail::Command),
    /// Log in at a keystore, where your keys can live
    Login(keystore::LoginArgs),
    /// End this machine's session at the keystore
    Logout(keystore::LogoutArgs),
    /// Whose device this machine is, and at which keystore
    Whoami,
    /// Your devices: list, confirm, revoke
    Devices(keystore::DevicesArgs),
    /// Your passkeys: add, list, remove
    #[command(subcommand)]
    Passkey(keystore::PasskeyCommand),
    /// Confirm this device with your recovery code, or set a new one
    Recover(keystore::RecoverArgs),
    /// What was done with your keys, and whether the record of it is whole
    #[command(subcommand)]
    Audit(keystore::AuditCommand),
    /// What your organisation forbids at its keystore beyond what is built in (administrators, auditors)
    #[command(subcommand)]
    Rules(keystore::RulesCommand),
    /// Who has an account at the keystore: list, add, suspend, end (administrators)
    #[command(subcommand)]
    People(keystore::PeopleCommand),
    /// What needs several administrators: list it, agree, refuse
    #[command(subcommand)]
    Approvals(keystore::ApprovalsCommand),
    /// Open somebody's mail without them, by two administrators and on record
    #[command(subcommand)]
    BreakGlass(keystore::BreakGlassCommand),
    /// End an account, a device or a session at the keystore for good
    Revoke(keystore::RevokeArgs),
    /// Keys in the keystore for programs on this machine that know nothing of keystores
    #[command(subcommand)]
    Agent(agent::Command),
    /// Name what is wrong on this machine, and how to mend it
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Write the manual pages into a directory
    Man(man::Args),
    /// The Stateless OpenPGP interface, for other programs and test suites
    #[command(disable_help_flag = true)]
    Sop {
        /// Everything behind `sop` is handed on as it is
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// Where passphrases come from when not from the terminal. Never from arguments or the environment: others can
/// read those.
#[derive(clap::Args, Default, Clone)]
pub(crate) struct PassphraseArgs {
    /// Take the key's passphrase from the first line of FILE; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Vec<PathBuf>,
    /// Take the key's passphrase from the first line of the open file descriptor N
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Vec<u32>,
}

impl PassphraseArgs {
    /// Did anybody say where one comes from?
    pub(crate) fn is_given(&self) -> bool {
        !self.passphrase_file.is_empty() || !self.passphrase_fd.is_empty()
    }
}

/// Where the result goes.
#[derive(clap::Args, Default, Clone)]
pub(crate) struct OutputArgs {
    /// Write to FILE instead of standard output; appears only when everything went well
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace FILE if it is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

impl OutputArgs {
    /// Does the result go to standard output?
    pub(crate) fn to_stdout(&self) -> bool {
        self.output.as_deref().is_none_or(|path| path == Path::new("-"))
    }
}

/// The parsed arguments; or, when help was asked for or they make no sense, clap's answer already printed.
pub(crate) fn parse(argv: Vec<OsString>) -> Result<Args, ExitCode> {
    Args::try_parse_from(argv).map_err(|error| {
        // A closed pipe behind `--help` is nobody's concern.
        let _ = error.print();
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
    })
}

/// The whole command line as data, for completions and manual pages.
pub(crate) fn command() -> clap::Command {
    Args::command()
}
