// SPDX-License-Identifier: LGPL-2.0-or-later
//! The programs that are measured, each with its own keys in the scratch directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::steps::output_of;

/// What a program is asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    /// For itself; `signed` by itself.
    Seal {
        signed: bool,
    },
    Open,
}

/// A program with its keys.
pub(super) enum Program {
    /// `address` decides between SEIPDv1 and SEIPDv2.
    Plombe {
        name: &'static str,
        program: PathBuf,
        home: PathBuf,
        address: &'static str,
    },
    Gpg {
        home: PathBuf,
    },
    Age {
        recipient: String,
        identity: PathBuf,
    },
    Sq {
        key: PathBuf,
    },
}

pub(super) const OLD: &str = "old@bench.example";
pub(super) const NEW: &str = "new@bench.example";

/// Plombe, and what is installed beside it.
pub(super) fn available(scratch: &Path, plombe: &Path) -> Result<Vec<Program>> {
    let home = scratch.join("plombe");
    for (address, profile) in [(OLD, "rfc4880"), (NEW, "rfc9580")] {
        let generate = ["key", "generate", address, "--no-passphrase", "--profile", profile];
        quiet(Command::new(plombe).env("PLOMBE_HOME", &home).args(generate))?;
    }
    let plombe =
        |name, address| Program::Plombe { name, program: plombe.to_owned(), home: home.clone(), address };
    let mut programs = vec![plombe("plombe SEIPDv2", NEW), plombe("plombe SEIPDv1", OLD)];
    if output_of("gpg", &["--version"]).is_some() {
        programs.push(gpg(scratch)?);
    }
    if output_of("age", &["--version"]).is_some() {
        programs.push(age(scratch)?);
    }
    if output_of("sq", &["--version"]).is_some() {
        let key = scratch.join("sq.key");
        quiet(Command::new("sq").args(["key", "generate", "-u", OLD, "-e"]).arg(&key))?;
        programs.push(Program::Sq { key });
    }
    Ok(programs)
}

fn gpg(scratch: &Path) -> Result<Program> {
    use std::os::unix::fs::DirBuilderExt as _;

    let home = scratch.join("gnupg");
    fs::DirBuilder::new().mode(0o700).create(&home)?;
    let generate =
        ["--batch", "--passphrase", "", "--quick-generate-key", OLD, "future-default", "default", "never"];
    quiet(Command::new("gpg").env("GNUPGHOME", &home).args(generate))?;
    Ok(Program::Gpg { home })
}

fn age(scratch: &Path) -> Result<Program> {
    let identity = scratch.join("age.key");
    quiet(Command::new("age-keygen").arg("-o").arg(&identity))?;
    let text = fs::read_to_string(&identity)?;
    let recipient =
        text.lines().find_map(|line| line.strip_prefix("# public key: ")).context("age-keygen")?;
    Ok(Program::Age { recipient: recipient.to_owned(), identity })
}

fn quiet(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        crate::steps::shown(command),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

impl Program {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Plombe { name, .. } => name,
            Self::Gpg { .. } => "gpg -z 0",
            Self::Age { .. } => "age",
            Self::Sq { .. } => "sq",
        }
    }

    /// `None` when the program cannot do that.
    pub(super) fn command(&self, job: Job, input: &Path, output: &Path) -> Option<Command> {
        let command = match self {
            Self::Plombe { program, home, address, .. } => {
                let mut command = Command::new(program);
                command.env("PLOMBE_HOME", home);
                match job {
                    Job::Seal { signed } => {
                        command.args(["encrypt", "--to", address]);
                        command.args(signed.then_some(["--sign-as", address]).into_iter().flatten());
                    }
                    Job::Open => {
                        command.arg("decrypt");
                    }
                }
                command.arg("-o").arg(output).arg(input);
                command
            }
            Self::Gpg { home } => {
                let mut command = Command::new("gpg");
                command.env("GNUPGHOME", home).args(["--batch", "--quiet", "--yes", "-o"]).arg(output);
                match job {
                    Job::Seal { signed } => {
                        command.args(["-z", "0", "--trust-model", "always", "-r", OLD]);
                        command.arg(if signed { "-se" } else { "-e" });
                    }
                    Job::Open => {
                        command.arg("-d");
                    }
                }
                command.arg(input);
                command
            }
            Self::Age { recipient, identity } => {
                let mut command = Command::new("age");
                match job {
                    Job::Seal { signed: true } => return None,
                    Job::Seal { signed: false } => command.args(["-r", recipient]),
                    Job::Open => command.arg("-d").arg("-i").arg(identity),
                };
                command.arg("-o").arg(output).arg(input);
                command
            }
            Self::Sq { key } => {
                let mut command = Command::new("sq");
                match job {
                    Job::Seal { signed } => {
                        command.args(["encrypt", "--binary", "--compression", "none", "--recipient-cert"]);
                        command.arg(key);
                        if signed {
                            command.arg("--signer-key").arg(key);
                        }
                    }
                    Job::Open => {
                        command.args(["decrypt", "--recipient-key"]).arg(key).arg("--signer-cert").arg(key);
                        // Without this it wants a signature as soon as it is told whose to check.
                        command.args(["--signatures", "0"]);
                    }
                }
                command.arg("-o").arg(output).arg(input);
                command
            }
        };
        Some(command)
    }
}
