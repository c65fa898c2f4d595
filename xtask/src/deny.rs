// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo deny`: licences, sources and banned crates of everything in the lock file. Rules and reasons: `deny.toml`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    root,
    steps::{cargo, output_of, run},
    target,
};

/// Installed when there is none; a newer one that is already there is as good.
const VERSION: &str = "0.20.2";

/// Checks the dependency tree. Advisories are left out: they need the network and change without us, so they are
/// looked at when a release is made (`cargo deny check advisories`).
pub(crate) fn check() -> Result<()> {
    let program = installed()?;
    let mut check = Command::new(program);
    check.args(["--workspace", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    run("licences, sources and banned crates", check.current_dir(root()).stdin(Stdio::null()))
}

/// Path of cargo-deny; built when it is missing. Unoptimised: that takes two minutes instead of ten, and it runs for a
/// second.
fn installed() -> Result<PathBuf> {
    if output_of("cargo-deny", &["--version"]).is_some() {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let mut install =
            cargo(["install", "--quiet", "--debug", "--locked", "cargo-deny", "--version", VERSION]);
        install.arg("--root").arg(&tools).env("CARGO_PROFILE_DEV_DEBUG", "0");
        run("building cargo-deny (once)", &mut install)?;
    }
    Ok(program)
}
