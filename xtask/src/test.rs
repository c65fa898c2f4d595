// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask test`: everything that CI checks, from a fresh machine on. Ends with one line that counts.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    bench, demo, deny, peers, setup,
    steps::{self, cargo, say},
    tally::{Reader, Tally},
    wasm,
};

/// Tests and doc tests that cargo finds, then core's once more on Sequoia's own crypto.
const TEST_RUNS: &[(&str, &[&str])] = &[
    ("tests, OpenSSL backend", &["test", "--workspace", "--no-fail-fast"]),
    (
        "core's tests, Rust backend",
        &["test", "--package", "plombe-core", "--features", "crypto-rust", "--no-fail-fast"],
    ),
];

/// Sets up, checks and tests. `--no-peers` leaves other people's programs alone: tests that need a missing one skip.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let with_peers = match args {
        [] => true,
        [flag] if flag == "--no-peers" => false,
        _ => bail!("cargo xtask test takes no arguments but --no-peers"),
    };
    run_all(with_peers, is_set("CI") || is_set("PLOMBE_REQUIRE_PEERS"))
}

/// What CI runs: nothing may be skipped.
pub(crate) fn run_with_every_peer(args: &[String]) -> Result<()> {
    if !args.is_empty() {
        bail!("cargo xtask ci takes no arguments");
    }
    run_all(true, true)
}

fn run_all(with_peers: bool, nothing_may_be_skipped: bool) -> Result<()> {
    let begun = Instant::now();
    setup::for_building()?;
    if with_peers {
        peers::install()?;
        peers::install_thunderbird()?;
    }

    // Go on after a failure: who mends the formatting wants to know about the tests too.
    let mut tally = Tally::default();
    let mut failed_checks = Vec::new();
    run_checks(CHECKS, &mut tally, &mut failed_checks);
    let post_quantum = with_peers.then(steps::plombe_with_rust_backend).transpose()?;
    // Browsers and Node run this.
    let wasm = with_peers.then(wasm::build).transpose()?;
    // Tests of the command line run this binary.
    let plombe = steps::plombe()?;
    let keystore = steps::plombe_keystore()?;
    run_checks(CHECKS_OF_WHAT_WAS_BUILT, &mut tally, &mut failed_checks);
    for (name, args) in TEST_RUNS {
        let mut command = cargo(*args);
        command.env("PLOMBE_BIN", &plombe).env("PLOMBE_KEYSTORE_BIN", &keystore);
        if let Some(wasm) = &wasm {
            command.env("PLOMBE_WASM", wasm);
        }
        if let Some(post_quantum) = &post_quantum {
            command.env("PLOMBE_PQC_BIN", post_quantum);
        }
        tally += test_run(name, &mut command, nothing_may_be_skipped)?;
    }

    println!();
    for what in &tally.skipped {
        println!("skipped: {what}");
    }
    if !failed_checks.is_empty() {
        println!("failed checks: {}", failed_checks.join(", "));
    }
    println!("took {} minutes", begun.elapsed().as_secs().div_ceil(60));
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped.len());
    std::io::stdout().flush()?;
    if tally.failed > 0 {
        bail!("something failed, see above");
    }
    if tally.passed == 0 {
        bail!("no test ran");
    }
    if nothing_may_be_skipped && !tally.skipped.is_empty() {
        bail!("something was skipped, and CI may skip nothing");
    }
    Ok(())
}

/// What a reader of the code relies on without running it. Each counts as one test.
const CHECKS: &[(&str, Check)] = &[
    ("formatting", || steps::run("formatting", &mut cargo(["fmt", "--all", "--check"]))),
    ("clippy", || {
        let args = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
        steps::run("clippy, OpenSSL backend", &mut cargo(args))
    }),
    ("clippy on the Rust backend", || {
        let args = [
            "clippy",
            "--package",
            "plombe",
            "--no-default-features",
            "--features",
            "crypto-rust",
            "--quiet",
        ];
        steps::run("clippy, Rust backend", cargo(args).args(["--", "--deny", "warnings"]))
    }),
    ("documentation", || {
        let mut doc = cargo(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
        steps::run("rustdoc without warnings", doc.env("RUSTDOCFLAGS", "--deny warnings"))
    }),
    ("dependencies", deny::check),
    ("benchmark of the keystore", bench::try_keystore),
];

/// With the programs that tests run.
const CHECKS_OF_WHAT_WAS_BUILT: &[(&str, Check)] = &[("demo", demo::check)];

type Check = fn() -> Result<()>;

fn run_checks(checks: &[(&'static str, Check)], tally: &mut Tally, failed: &mut Vec<&'static str>) {
    for (name, check) in checks {
        match check() {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("    {error:#}");
                tally.failed += 1;
                failed.push(name);
            }
        }
    }
}

/// Runs `cargo test …`, shows what matters of its output, counts.
fn test_run(name: &str, command: &mut Command, require_peers: bool) -> Result<Tally> {
    say(name);
    command.args(["--", "--show-output"]).stdout(Stdio::piped());
    if require_peers {
        command.env("PLOMBE_REQUIRE_PEERS", "1");
    }
    let mut child = command.spawn().context("cannot start cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no standard output")?;
    let mut reader = Reader::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if reader.line(&line) && !line.is_empty() {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    let mut tally = reader.finish();
    // It did not compile, or a test binary died without its last line.
    if !status.success() && tally.failed == 0 {
        println!("    `{}` ended with {status}", steps::shown(command));
        tally.failed = 1;
    }
    Ok(tally)
}

/// Set, and not to something that means no.
fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
