// SPDX-License-Identifier: LGPL-2.0-or-later
//! `docs/fuzzing.md`.

use std::fmt::Write;

use super::session::Session;
use crate::steps::output_of;

/// What is about to be fuzzed. To be asked before: a run takes half an hour, and work goes on meanwhile.
pub(super) fn origin() -> String {
    let said = |arguments: &[&str]| output_of("git", arguments).unwrap_or_default().trim().to_owned();
    let changed = !said(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let commit = said(&["log", "-1", "--format=commit %h of %cs"]);
    if changed { commit + ", with changes that were not committed" } else { commit }
}

/// The page about the last long run.
pub(super) fn render(origin: &str, sessions: &[Session], seconds: u64) -> String {
    let mut page = String::from(HEAD);
    let _ = writeln!(page, "The last one: `cargo xtask fuzz --long --seconds {seconds}`, {origin}.\n");
    page.push_str(
        "| target | seconds | executions | edges reached | found |\n| --- | --- | --- | --- | --- |\n",
    );
    for session in sessions {
        let found = if session.clean { "nothing" } else { "**something**" };
        let Session { target, seconds, executions, coverage, .. } = session;
        let _ = writeln!(page, "| {target} | {seconds} | {executions} | {coverage} | {found} |");
    }
    page
}

const HEAD: &str = "\
# Fuzzing

Written by `cargo xtask fuzz --long` from what happened; do not edit. Each target is one function of
`tests/fuzz/entry/mod.rs`: it takes any bytes, and besides crashes, hangs (10 s) and memory (2 GiB) it looks whether
a *good* verdict stands over anything that was not signed. The fuzzer starts from `tests/fuzz/corpus` and from what it found
interesting before. `cargo test` opens every file of that corpus, so that a crash that was found once stays fixed; long runs
are made by hand.

";
