// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask bench`: Plombe beside its peers, on the same input, in turn.
//!
//! Whole processes are measured, from start to exit, with their peak memory. What a peer cannot do is left out of
//! its row. `docs/benchmarks.md` has the last result.

mod mails;
mod measure;
mod programs;
mod report;
mod web;

use std::{fs, io::Read, path::Path};

use anyhow::{Context, Result};

use self::{
    measure::Measurement,
    programs::{Job, Program},
    report::Row,
};
use crate::{
    steps::{cargo, run as step, say},
    target,
};

/// Runs it.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if args.first().is_some_and(|what| what == "keystore") {
        return keystore(&args[1..]);
    }
    if args.first().is_some_and(|what| what == "web") {
        return web::run(&args[1..]);
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let json = args.iter().any(|arg| arg == "--json");
    step("building plombe, optimised", &mut cargo(["build", "--release", "--package", "plombe"]))?;
    let scratch = target().join("bench");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(&scratch)?;
    let rows = measure_all(&scratch, &target().join("release/plombe"), quick)?;
    fs::remove_dir_all(&scratch)?;
    if json {
        println!("{}", report::json(&rows));
    } else {
        println!("\n{}", report::markdown(&rows));
    }
    Ok(())
}

/// The running keystore; `docs/keystore/benchmarks.md` has the last result. It measures itself, since it needs its own parts for that.
fn keystore(args: &[String]) -> Result<()> {
    let known = ["--long", "load", "log", "directory"];
    if let Some(unknown) = args.iter().find(|arg| !known.contains(&arg.as_str())) {
        anyhow::bail!(
            "cargo xtask bench keystore takes --long and names of parts (load, log, directory), not {unknown}"
        );
    }
    let mut bench = cargo(["bench", "--package", "plombe-keystore", "--bench", "keystore", "--"]);
    step("measuring the keystore, optimised", bench.args(args))
}

/// The same in small and not optimised: that it runs at all.
pub(crate) fn try_keystore() -> Result<()> {
    let args = ["test", "--package", "plombe-keystore", "--bench", "keystore", "--quiet"];
    step("benchmark of the keystore, in small", cargo(args).stdout(std::process::Stdio::null()))
}

fn measure_all(scratch: &Path, plombe: &Path, quick: bool) -> Result<Vec<Row>> {
    let programs = programs::available(scratch, plombe)?;
    let mut rows = vec![report::row("start-up", startup(plombe, if quick { 5 } else { 50 })?)];
    let sizes: &[(&str, u64)] =
        if quick { &[("32 MiB", 32 << 20)] } else { &[("256 MiB", 256 << 20), ("1 GiB", 1 << 30)] };
    let rounds = if quick { 1 } else { 3 };
    for (label, size) in sizes {
        let plain = scratch.join("plain");
        random_file(&plain, *size)?;
        for signed in [false, true] {
            say(&format!("{label}, {}", if signed { "signed" } else { "unsigned" }));
            rows.extend(files(&programs, &plain, label, signed, rounds)?);
        }
        fs::remove_file(&plain)?;
    }
    say("mails of 10 KB");
    rows.extend(mails::measure(scratch, plombe, &programs, if quick { 50 } else { 1_000 }, rounds)?);
    Ok(rows)
}

/// Every program once per round, so that a slow minute of the machine falls on all of them.
fn files(programs: &[Program], plain: &Path, label: &str, signed: bool, rounds: usize) -> Result<Vec<Row>> {
    let (sealed, opened) = (plain.with_extension("sealed"), plain.with_extension("opened"));
    let mut sealing = vec![Measurement::default(); programs.len()];
    let mut opening = sealing.clone();
    for _ in 0..rounds {
        for (i, program) in programs.iter().enumerate() {
            let Some(command) = program.command(Job::Seal { signed }, plain, &sealed) else { continue };
            measure::settle()?;
            sealing[i].add(measure::run(command)?);
            if let Some(command) = program.command(Job::Open, &sealed, &opened) {
                measure::settle()?;
                opening[i].add(measure::run(command)?);
                let whole = fs::metadata(&opened)?.len() == fs::metadata(plain)?.len();
                anyhow::ensure!(whole, "{} lost something", program.name());
                fs::remove_file(&opened)?;
            }
            fs::remove_file(&sealed)?;
        }
    }
    let what = |verb: &str| format!("{label}, {}, {verb}", if signed { "signed" } else { "unsigned" });
    let rows = |verb: &str, measured: Vec<Measurement>| Row {
        what: what(verb),
        results: programs.iter().map(|p| p.name().to_owned()).zip(measured).collect(),
    };
    Ok(vec![rows("seal", sealing), rows("open", opening)])
}

fn startup(plombe: &Path, rounds: usize) -> Result<Vec<(String, Measurement)>> {
    let mut measurement = Measurement::default();
    for _ in 0..rounds {
        let mut command = std::process::Command::new(plombe);
        command.arg("--version");
        measurement.add(measure::run(command)?);
    }
    Ok(vec![("plombe".into(), measurement)])
}

/// Random, so that a program that compresses gains nothing.
fn random_file(path: &Path, size: u64) -> Result<()> {
    let random = fs::File::open("/dev/urandom").context("cannot open the random device")?;
    let mut file = fs::File::create(path)?;
    std::io::copy(&mut random.take(size), &mut file)?;
    // Writing back would fall on whoever is measured first.
    file.sync_all()?;
    Ok(())
}
