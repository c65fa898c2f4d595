// SPDX-License-Identifier: LGPL-2.0-or-later
//! Runs a module of this folder in Node or in a browser.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use plombe_tests::{Scratch, peers};
use serde_json::Value;

/// Where plombe-wasm has to work.
pub(crate) const PLACES: [&str; 3] = ["node", "chromium", "firefox"];

/// What `module` returns for `facts`; `None` when something is missing that may be missing.
pub(crate) fn run(place: &str, module: &str, facts: &Value) -> Option<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let wasm = match std::env::var_os("PLOMBE_WASM") {
        Some(folder) => folder.into(),
        None => here.join("../../target/wasm"),
    };
    let program = if place == "firefox" { "firefox-esr" } else { place };
    let is_there = [(program, peers::find(program).is_some()), ("node", peers::find("node").is_some())];
    let folders = [
        ("plombe-wasm (`cargo xtask wasm` builds it)", wasm.join("web/plombe_bg.wasm")),
        ("puppeteer-core", here.join("node_modules/puppeteer-core")),
    ];
    let folders = folders.iter().map(|(what, path)| (*what, path.exists()));
    if let Some((what, _)) = is_there.into_iter().chain(folders).find(|(_, there)| !there) {
        peers::skip(what);
        return None;
    }
    let scratch = Scratch::new();
    let facts_file = scratch.path().join("facts.json");
    fs::write(&facts_file, facts.to_string()).expect("facts");
    let output = Command::new("node")
        .arg(here.join("run.mjs"))
        .args([place, module])
        .arg(&facts_file)
        .arg(&wasm)
        .stdin(Stdio::null())
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}, {module}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{place}: {error}: {said}")))
}
