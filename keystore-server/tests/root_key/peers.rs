// SPDX-License-Identifier: LGPL-2.0-or-later
//! What these tests need from the system.

use std::path::Path;

/// Is `program` somewhere on the path? If not, that is said aloud, and is a failure where nothing may be missing.
#[track_caller]
pub(crate) fn has_program(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    has(program, std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The same of a file.
#[track_caller]
pub(crate) fn has_file(file: &str) -> bool {
    has(file, Path::new(file).is_file())
}

#[track_caller]
fn has(what: &str, is_there: bool) -> bool {
    if !is_there {
        let required = std::env::var_os("PLOMBE_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "missing: {what}; `cargo xtask peers` installs it");
        println!("skipped: {what}");
    }
    is_there
}
