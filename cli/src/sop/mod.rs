// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe sop`: the Stateless OpenPGP interface (draft-dkg-openpgp-stateless-cli-14), for other programs and test
//! suites.
//!
//! Nothing here looks at `PLOMBE_HOME`, a terminal or a configuration: arguments and standard input go in, standard
//! output and the files that were named come out. Arguments and exit codes are the draft's ([`args`], [`failure`]).
//! Where the draft lets plaintext out beside a wrong signature, we do not: see `decrypt`.
//!
//! Reading order: [`args`] (what can be said), [`designator`] (`@ENV:`, `@FD:`, files), [`password`], [`moment`], then
//! one module per group of subcommands.

mod args;
mod armor;
mod decrypt;
mod designator;
mod encrypt;
mod failure;
mod keys;
mod material;
mod moment;
mod password;
mod profile;
mod sign;
mod text;
mod userid;
mod verify;
mod version;

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    process::ExitCode,
    time::SystemTime,
};

use plombe_core::crypto_policy::CryptoPolicy;

use crate::{
    args::OutputArgs,
    output::{self, Content, Output},
};
use args::Subcommand;
use failure::{Code, Failure, Result};

/// `args` is everything behind `plombe sop`, untouched.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    let subcommand = match args::parse(args) {
        Ok(subcommand) => subcommand,
        Err(code) => return code,
    };
    match run(subcommand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("plombe sop: {failure}");
            failure.code.into()
        }
    }
}

/// What every subcommand gets. The clock is read once, so that everything in a run is judged at the same moment.
struct Context {
    policy: CryptoPolicy,
    now: SystemTime,
}

fn run(subcommand: Subcommand) -> Result<()> {
    let context = Context { policy: CryptoPolicy::standard(), now: SystemTime::now() };
    match subcommand {
        Subcommand::Version(args) => version::version(&args),
        Subcommand::ListProfiles(args) => profile::list(&args),
        Subcommand::GenerateKey(args) => keys::generate(&context, &args),
        Subcommand::ChangeKeyPassword(args) => keys::change_password(&args),
        Subcommand::RevokeKey(args) => keys::revoke(&context, &args),
        Subcommand::ExtractCert(args) => keys::extract(&args),
        Subcommand::UpdateKey(args) => keys::update(&context, &args),
        Subcommand::MergeCerts(args) => keys::merge(&args),
        Subcommand::CertifyUserid(args) => userid::certify(&context, &args),
        Subcommand::ValidateUserid(args) => userid::validate(&context, &args),
        Subcommand::Sign(args) => sign::detached(&context, &args),
        Subcommand::Verify(args) => verify::detached(&context, &args),
        Subcommand::Encrypt(args) => encrypt::run(&context, &args),
        Subcommand::Decrypt(args) => decrypt::run(&context, &args),
        Subcommand::InlineSign(args) => sign::inline(&context, &args),
        Subcommand::InlineVerify(args) => verify::inline(&context, &args),
        Subcommand::InlineDetach(args) => verify::split(&args),
        Subcommand::Armor(_) => armor::on(),
        Subcommand::Dearmor => armor::off(),
    }
}

/// Standard input to its end, for what has to be in memory anyway (keys, certificates).
fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where data waits for its verdict: it reaches standard output when the value is released, or not at all.
fn plaintext_stdout() -> Result<Output> {
    output::open(&OutputArgs::default(), Content::Plaintext)
        .map_err(|error| Failure::new(Code::Unspecified, error.to_string()))
}

/// A result that is small enough to be written in one go.
fn write_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}
