// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask fuzz`: looks for crashes with cargo-fuzz (libFuzzer), which needs a nightly toolchain.
//!
//! What it finds belongs into `tests/fuzz/corpus/TARGET/`: `cargo test` opens every file there. `--long` runs every
//! target for five minutes and writes what came of it into `docs/fuzzing.md`.

mod page;
mod session;

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    root, setup,
    steps::{cargo, output_of, run, say},
    target,
};
use session::Session;

/// Runs one target for a while, or each of them; without arguments, lists them.
pub(crate) fn run_targets(args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |seconds: &str| seconds.parse().context("--seconds takes a number");
    match args.as_slice() {
        [] => {
            println!("targets: {}", targets()?.join(" "));
            Ok(())
        }
        ["--long"] => long(300),
        ["--long", "--seconds", seconds] => long(number(seconds)?),
        [name] => short(name, 60),
        [name, "--seconds", seconds] => short(name, number(seconds)?),
        _ => bail!("usage: cargo xtask fuzz TARGET|--long [--seconds N]"),
    }
}

fn short(name: &str, seconds: u64) -> Result<()> {
    if !targets()?.iter().any(|target| target == name) {
        bail!("there is no fuzz target {name}; there are: {}", targets()?.join(" "));
    }
    if !fuzz(&cargo_fuzz()?, name, seconds)?.clean {
        bail!("found something, see above; the input lies in tests/fuzz/artifacts/{name}");
    }
    say("nothing found");
    Ok(())
}

fn long(seconds: u64) -> Result<()> {
    let program = cargo_fuzz()?;
    let (origin, names) = (page::origin(), targets()?);
    let sessions = names.iter().map(|name| fuzz(&program, name, seconds)).collect::<Result<Vec<_>>>()?;
    fs::write(root().join("docs/fuzzing.md"), page::render(&origin, &sessions, seconds))
        .context("cannot write docs/fuzzing.md")?;
    println!("    written: docs/fuzzing.md");
    let found: Vec<&str> = sessions.iter().filter(|run| !run.clean).map(|run| run.target.as_str()).collect();
    if !found.is_empty() {
        bail!("found something with {}; the inputs lie in tests/fuzz/artifacts", found.join(" and "));
    }
    Ok(())
}

fn fuzz(program: &PathBuf, name: &str, seconds: u64) -> Result<Session> {
    // Finds go to a corpus of their own first: what is checked in stays small and chosen by hand.
    let found = target().join("fuzz-corpus").join(name);
    fs::create_dir_all(&found)?;
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).arg(program).args(["run", "--fuzz-dir", "tests/fuzz", name]);
    command.arg(&found).arg(root().join("tests/fuzz/corpus").join(name)).current_dir(root());
    command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-rss_limit_mb=2048"]);
    say(&format!("fuzzing {name} for {seconds} s"));
    session::watch(name, &mut command)
}

/// Names of the targets: one file each.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("tests/fuzz/targets")).context("cannot list tests/fuzz/targets")? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// The program that fuzzes; made when it is not there.
fn cargo_fuzz() -> Result<PathBuf> {
    if output_of("rustup", &["run", "nightly", "cargo", "--version"]).is_none() {
        bail!("fuzzing needs a nightly toolchain. Please run:\n\n    rustup toolchain install nightly\n");
    }
    setup::for_building()?;
    setup::packages("fuzzing", &["g++"])?;
    if output_of("cargo-fuzz", &["--version"]).is_some() {
        return Ok(PathBuf::from("cargo-fuzz"));
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-fuzz");
    if !program.exists() {
        let mut install = cargo(["install", "--quiet", "--debug", "--locked", "cargo-fuzz"]);
        run("building cargo-fuzz (once)", install.arg("--root").arg(&tools))?;
    }
    Ok(program)
}
