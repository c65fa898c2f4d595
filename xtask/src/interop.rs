// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask interop`: runs the tests beside other OpenPGP programs and writes what happened into
//! `docs/interop.md`. `--thunderbird` runs the job with Thunderbird instead, which takes a minute and 400 MB. Each job
//! writes its own part of the page.

use std::{env, fs, path::PathBuf};

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
        [] => {
            peers::install()?;
            let outcome = tests("beside other OpenPGP programs", &["--skip", THUNDERBIRD]);
            // Written after failures too: the table is where they can be seen at a glance.
            write(|page| interop_table::with_matrix(page, &results()?))?;
            outcome
        }
        [flag] if flag == "--thunderbird" => {
            peers::install_thunderbird()?;
            tests("beside Thunderbird", &[THUNDERBIRD])?;
            write(|page| interop_table::with_thunderbird(page, &results()?))
        }
        _ => bail!("cargo xtask interop takes no arguments but --thunderbird"),
    }
}

/// Module of the tests with Thunderbird.
const THUNDERBIRD: &str = "thunderbird::";

fn tests(what: &str, filter: &[&str]) -> Result<()> {
    let post_quantum = steps::plombe_with_rust_backend()?;
    let plombe = env::var_os("PLOMBE_BIN").map_or_else(steps::plombe, |built| Ok(built.into()))?;
    if results_file().exists() {
        fs::remove_file(results_file())?;
    }
    let mut tests = cargo(["test", "--package", "plombe-tests", "--test", "interop", "--"]);
    tests.args(filter).env("PLOMBE_INTEROP_RESULTS", results_file()).env("PLOMBE_REQUIRE_PEERS", "1");
    tests.env("PLOMBE_BIN", plombe).env("PLOMBE_PQC_BIN", post_quantum);
    steps::run(what, &mut tests)
}

fn results_file() -> PathBuf {
    target().join("interop-results.jsonl")
}

fn results() -> Result<String> {
    fs::read_to_string(results_file()).context("the tests wrote no results")
}

fn write(change: impl Fn(&str) -> Result<String>) -> Result<()> {
    let path = root().join("docs/interop.md");
    let page = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, change(&page)?).context("cannot write docs/interop.md")?;
    println!("    written: docs/interop.md");
    Ok(())
}
