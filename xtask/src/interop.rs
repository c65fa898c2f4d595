// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask interop`: runs the tests beside other OpenPGP programs and writes what happened into
//! `docs/interop.md`. `--thunderbird` runs the job with Thunderbird instead, which takes a minute and 400 MB.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    interop_table, peers, root, setup,
    steps::{self, cargo},
    target,
};

/// Runs it.
pub(crate) fn run(args: &[String]) -> Result<()> {
    setup::for_building()?;
    match args {
        [] => matrix(),
        [flag] if flag == "--thunderbird" => thunderbird(),
        _ => bail!("cargo xtask interop takes no arguments but --thunderbird"),
    }
}

fn matrix() -> Result<()> {
    peers::install()?;
    let plombe = build()?;
    let results = target().join("interop-results.jsonl");
    if results.exists() {
        fs::remove_file(&results)?;
    }
    let mut tests = cargo(["test", "--package", "plombe-tests", "--test", "interop"]);
    tests.env("PLOMBE_INTEROP_RESULTS", &results).env("PLOMBE_REQUIRE_PEERS", "1").env("PLOMBE_BIN", plombe);
    tests.env("PLOMBE_PQC_BIN", build_with_rust_backend()?);
    let outcome = steps::run("beside other OpenPGP programs", &mut tests);
    // Written after failures too: the table is where they can be seen at a glance.
    let lines = fs::read_to_string(&results).context("the tests wrote no results")?;
    let page = root().join("docs/interop.md");
    fs::write(&page, interop_table::render(&lines)?).context("cannot write docs/interop.md")?;
    println!("    written: docs/interop.md");
    outcome
}

fn thunderbird() -> Result<()> {
    peers::install_thunderbird()?;
    let plombe = build()?;
    let script = root().join("tests/interop/thunderbird/run.py");
    let mut command = Command::new(peers::python_interpreter());
    steps::run("beside Thunderbird", command.arg(script).arg(plombe).stdin(Stdio::null()))
}

/// Debian's OpenSSL has no post-quantum algorithms, the Rust backend has. A folder of its own, because there is one
/// `plombe` per target folder.
fn build_with_rust_backend() -> Result<PathBuf> {
    let folder = target().join("rust-backend");
    let mut build =
        cargo(["build", "--package", "plombe", "--no-default-features", "--features", "crypto-rust"]);
    steps::run("building plombe with the Rust backend", build.arg("--target-dir").arg(&folder))?;
    Ok(folder.join("debug/plombe"))
}

fn build() -> Result<PathBuf> {
    if let Some(built) = env::var_os("PLOMBE_BIN") {
        return Ok(built.into());
    }
    steps::run("building plombe", &mut cargo(["build", "--package", "plombe"]))?;
    Ok(target().join("debug/plombe"))
}
