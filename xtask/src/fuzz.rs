// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask fuzz`: looks for crashes with cargo-fuzz (libFuzzer), which needs a nightly toolchain.
//!
//! What it finds belongs into `tests/fuzz/corpus/TARGET/`: `cargo test` opens every file there.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    root, setup,
    steps::{cargo, output_of, run, say},
    target,
};

/// Runs one target for a while; without one, lists them.
pub(crate) fn run_targets(args: &[String]) -> Result<()> {
    let (target_name, seconds) = match args {
        [] => {
            println!("targets: {}", targets()?.join(" "));
            return Ok(());
        }
        [name] => (name, 60),
        [name, flag, seconds] if flag == "--seconds" => {
            (name, seconds.parse().context("--seconds takes a number")?)
        }
        _ => bail!("usage: cargo xtask fuzz TARGET [--seconds N]"),
    };
    if !targets()?.contains(target_name) {
        bail!("there is no fuzz target {target_name}; there are: {}", targets()?.join(" "));
    }
    fuzz(target_name, seconds)
}

fn fuzz(name: &str, seconds: u64) -> Result<()> {
    if output_of("rustup", &["run", "nightly", "cargo", "--version"]).is_none() {
        bail!("fuzzing needs a nightly toolchain. Please run:\n\n    rustup toolchain install nightly\n");
    }
    setup::for_building()?;
    setup::packages("fuzzing", &["g++"])?;
    let program = cargo_fuzz()?;
    // Finds go to a corpus of their own first: what is checked in stays small and chosen by hand.
    let found = target().join("fuzz-corpus").join(name);
    fs::create_dir_all(&found)?;
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]).arg(program).args(["run", "--fuzz-dir", "tests/fuzz", name]);
    command.arg(&found).arg(root().join("tests/fuzz/corpus").join(name)).current_dir(root());
    command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-rss_limit_mb=2048"]);
    run(&format!("fuzzing {name} for {seconds} s"), &mut command)?;
    say("nothing found");
    Ok(())
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

fn cargo_fuzz() -> Result<PathBuf> {
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
