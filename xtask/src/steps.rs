// SPDX-License-Identifier: LGPL-2.0-or-later
//! Runs a program as one named step and says in plain words what is going on.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{root, target};

/// Cargo, the one that runs us. Works in the repository's root.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Builds `plombe` without optimising our own code (that is the quickest to have) and says where it lies.
pub(crate) fn plombe() -> Result<PathBuf> {
    run("building plombe", &mut cargo(["build", "--package", "plombe"]))?;
    Ok(target().join("debug").join("plombe"))
}

/// The same for the keystore.
pub(crate) fn plombe_keystore() -> Result<PathBuf> {
    run("building plombe-keystore", &mut cargo(["build", "--package", "plombe-keystore"]))?;
    Ok(target().join("debug").join("plombe-keystore"))
}

/// Builds `plombe` on Sequoia's own crypto, which knows post-quantum algorithms where the system's OpenSSL does not. In
/// the same target folder, so that both share what has no backend; so it has to be built before the usual one.
pub(crate) fn plombe_with_rust_backend() -> Result<PathBuf> {
    let args = ["build", "--package", "plombe", "--no-default-features", "--features", "crypto-rust"];
    run("building plombe with the Rust backend", &mut cargo(args))?;
    let folder = target().join("debug");
    let kept = folder.join("plombe-rust-backend");
    fs::copy(folder.join("plombe"), &kept).context("cannot keep plombe with the Rust backend")?;
    Ok(kept)
}

/// Says what happens, runs it, says how long it took; a failure names the command.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    say(what);
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{what}: `{}` ended with {status}", shown(command));
    }
    println!("    done in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// What a program prints, when it could be started and succeeded.
pub(crate) fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A line that stands out from what the programs print themselves.
pub(crate) fn say(what: &str) {
    println!("==> {what}");
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
