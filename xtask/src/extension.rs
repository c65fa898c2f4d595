// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask extension`: the extension for Chromium and Firefox, in `target/extension`.
//!
//! One source becomes two folders and two packages (`extension/build.mjs`), which are the same bytes whenever the source is
//! the same. Types, style and catalogues are checked, and Mozilla's linter looks at the Firefox package.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{peers, root, setup, steps::run, target, wasm};

/// `cargo xtask extension`.
pub(crate) fn run_build(args: &[String]) -> Result<()> {
    if !args.is_empty() {
        bail!("cargo xtask extension takes no arguments");
    }
    setup::for_building()?;
    peers::node()?;
    let wasm = wasm::build()?;
    build(&wasm)?;
    check(&wasm)
}

/// Builds both packages around what [`wasm::build`] made.
pub(crate) fn build(wasm: &Path) -> Result<()> {
    peers::node_modules("installing what the extension is built with", &folder())?;
    run("the extension", node("build.mjs").arg(wasm.join("web")).arg(target().join("extension")))
}

/// What can be said about it without a browser.
pub(crate) fn check(wasm: &Path) -> Result<()> {
    run("its types", tool("tsc").args(["--project", "."]))?;
    run("its style", tool("biome").args(["ci", "--colors=off", "--error-on-warnings", "."]))?;
    run("its words", node("words.mjs").arg(wasm.join("web/plombe.d.ts")))?;
    run("Mozilla's linter", node("lint.mjs").arg(target().join("extension/firefox")))
}

fn folder() -> PathBuf {
    root().join("extension")
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(script).current_dir(folder()).stdin(Stdio::null());
    command
}

/// A program of npm's.
fn tool(name: &str) -> Command {
    let mut command = Command::new(folder().join("node_modules/.bin").join(name));
    command.current_dir(folder()).stdin(Stdio::null());
    command
}
