// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which other OpenPGP programs are here. What is missing is said aloud, and is a failure where nothing may be missing.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Path of `program`, looked up as a shell would.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// First line that `program` prints about its version, or `None` when it is not installed.
pub fn version(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(find(program)?)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// True when a missing peer or corpus is a failure: `PLOMBE_REQUIRE_PEERS=1`, as CI sets it.
pub fn required() -> bool {
    std::env::var_os("PLOMBE_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// Says that a test goes without `what`; fails where nothing may be missing.
#[track_caller]
pub fn skip(what: &str) {
    assert!(!required(), "missing: {what}; `cargo xtask peers` installs the programs");
    println!("skipped: {what}");
}
