// SPDX-License-Identifier: LGPL-2.0-or-later
//! What happened, for people now and for `cargo xtask interop` later.

use std::{fs::OpenOptions, io::Write};

use serde_json::json;

use crate::{
    matrix::versions_are_ours,
    peer::Outcome,
    task::{Kind, Maker, Task},
};

/// Results of one peer.
pub(crate) struct Report {
    peer: String,
    version: String,
    /// JSON, one object each.
    lines: Vec<String>,
    passed: usize,
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn new(peer: &str, version: &str) -> Self {
        let lines = vec![json!({"peer": peer, "version": version}).to_string()];
        Self { peer: peer.to_owned(), version: version.to_owned(), lines, passed: 0, failures: Vec::new() }
    }

    pub(crate) fn result(&mut self, task: &Task<'_>, outcome: &Outcome<()>) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                self.line(task, "passed", "");
            }
            Err(error) => {
                self.line(task, "failed", error);
                self.fail(&format!("{task}: {error}"));
            }
        }
    }

    /// Something that the peer's table says it cannot do. It is a failure when it can, where versions are ours.
    pub(crate) fn cannot(&mut self, task: &Task<'_>, reason: &str, works: bool) {
        self.line(task, "cannot", reason);
        if works {
            let stale = format!("{task}: works, although the table says: {reason}");
            if versions_are_ours() {
                self.fail(&stale);
            } else {
                println!("{} {}: {stale}", self.peer, self.version);
            }
        }
    }

    /// Nothing of this kind could be tried, and it is not the peer's fault.
    pub(crate) fn not_here(&mut self, kind: Kind, reason: &str) {
        let line =
            json!({"peer": self.peer, "profile": kind.profile(), "outcome": "not here", "reason": reason});
        self.lines.push(line.to_string());
    }

    pub(crate) fn failed_to_make_keys(&mut self, kind: Kind, maker: Maker, error: &str) {
        self.fail(&format!("{}, making {}: {error}", kind.profile(), maker.name()));
    }

    fn fail(&mut self, what: &str) {
        self.failures.push(format!("{} {}: {what}", self.peer, self.version));
    }

    fn line(&mut self, task: &Task<'_>, outcome: &str, reason: &str) {
        let line = json!({
            "peer": self.peer,
            "profile": task.kind.profile(),
            "operation": task.operation.name(),
            "direction": task.direction.name(),
            "keys": task.maker.name(),
            "sample": task.sample.name,
            "outcome": outcome,
            "reason": reason,
        });
        self.lines.push(line.to_string());
    }

    /// Keeps the lines, and fails the test when there was a failure.
    pub(crate) fn finish(self) {
        keep(&self.lines);
        println!("{} {}: {} passed, {} failed", self.peer, self.version, self.passed, self.failures.len());
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        assert!(self.passed > 0, "nothing was tried with {}", self.peer);
    }
}

/// For a peer that is no row of the matrix: what was seen to work, in words.
pub(crate) fn checked(peer: &str, version: &str, checks: &[&str]) {
    let checks = checks.iter().map(|check| json!({"peer": peer, "check": check}));
    let lines = std::iter::once(json!({"peer": peer, "version": version})).chain(checks);
    keep(&lines.map(|line| line.to_string()).collect::<Vec<_>>());
}

/// Appends the lines to `$PLOMBE_INTEROP_RESULTS`, when it is set.
fn keep(lines: &[String]) {
    let Some(path) = std::env::var_os("PLOMBE_INTEROP_RESULTS") else { return };
    let mut text = lines.join("\n");
    text.push('\n');
    // One write with O_APPEND: tests of several peers run at the same time.
    let written = OpenOptions::new().create(true).append(true).open(&path);
    written.and_then(|mut file| file.write_all(text.as_bytes())).expect("the results file is writable");
}
