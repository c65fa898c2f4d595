// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask bench web`: plombe-wasm beside OpenPGP.js in the same page of Chromium; writes `docs/wasm-benchmarks.md`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    peers, root,
    steps::{output_of, say},
    wasm,
};

/// Fresh browsers that start each library.
const COLD_STARTS: usize = 7;

/// Runs it. `--quick` measures less, and writes nothing.
pub(super) fn run(args: &[String]) -> Result<()> {
    let quick = match args {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => bail!("cargo xtask bench web takes no arguments but --quick"),
    };
    peers::install()?;
    let wasm = wasm::build()?;
    let scratch = wasm.join("facts.json");
    let page = |place: &str, module: &str, facts: &Value| -> Result<Value> {
        fs::write(&scratch, facts.to_string())?;
        in_page(place, module, &scratch, &wasm)
    };
    let mut rows = Vec::new();
    for (profile, v6) in [("v4", false), ("v6", true)] {
        say(&format!("cold starts, {profile}"));
        let first = page("node", "first.mjs", &json!({ "v6": v6 }))?;
        let mut times: [Vec<f64>; 2] = Default::default();
        for _ in 0..if quick { 1 } else { COLD_STARTS } {
            for (library, times) in ["plombe", "openpgp"].into_iter().zip(&mut times) {
                let facts = json!({ "library": library, "key": first["key"], "message": first["message"] });
                times.push(page("chromium", "cold.mjs", &facts)?.as_f64().context("a time")?);
            }
        }
        let [plombe, openpgp] = times.map(median);
        rows.push(row(&format!("cold start to the first message, {profile}"), "10 KB", plombe, openpgp));
    }
    say("messages and signatures");
    let rounds = |usual: usize| if quick { 3 } else { usual };
    let sizes = json!([
        { "name": "10 KB", "size": 10_000, "rounds": rounds(40) },
        { "name": "1 MB", "size": 1_000_000, "rounds": rounds(20) },
        { "name": "25 MB", "size": 25_000_000, "rounds": rounds(9) },
    ]);
    let measured = page("chromium", "bench.mjs", &json!({ "sizes": sizes }))?;
    for one in measured.as_array().context("a list")? {
        let number = |name: &str| one[name].as_f64().unwrap_or(f64::NAN);
        let text = |name: &str| one[name].as_str().unwrap_or_default();
        rows.push(row(text("what"), text("how"), number("plombe"), number("openpgp")));
    }
    let report = report(&rows);
    println!("\n{report}");
    if !quick {
        fs::write(root().join("docs/wasm-benchmarks.md"), report)?;
    }
    Ok(())
}

fn in_page(place: &str, module: &str, facts: &Path, wasm: &Path) -> Result<Value> {
    let mut node = Command::new("node");
    node.arg(root().join("tests/web/run.mjs")).args([place, module]).arg(facts).arg(wasm);
    let output = node.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start node")?;
    if !output.status.success() {
        bail!("{module} failed in {place}");
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{module} did not answer"))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn row(what: &str, how: &str, plombe: f64, openpgp: f64) -> String {
    format!("| {what} | {how} | {plombe:.1} ms | {openpgp:.1} ms | {:.1} |\n", openpgp / plombe)
}

fn report(rows: &[String]) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let chromium = output_of("chromium", &["--version"]).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = output_of("date", &["+%Y-%m-%d"]).unwrap_or_default();
    format!(
        "# Benchmarks in the browser\n\n\
         `cargo xtask bench web` runs plombe-wasm and OpenPGP.js in one page, in turn, on the same random content. Both seal for the same\n\
         key and open the same message (the one that OpenPGP.js wrote); before that each reads what the other wrote. Medians; the last column says how\n\
         many times as long OpenPGP.js takes. A cold start is measured in a browser that has just been started, from fetching the library over loopback to the\n\
         first opened message.\n\n\
         {}, {}, {cores} cores, load {load} at the end.\n\n\
         | what | how | plombe-wasm | OpenPGP.js 6 | ratio |\n|---|---|---|---|---|\n{}",
        date.trim(),
        chromium.trim(),
        rows.concat()
    )
}
