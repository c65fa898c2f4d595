// SPDX-License-Identifier: LGPL-2.0-or-later
//! One run of one target, and what libFuzzer says at its end.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::steps::shown;

/// What came of it.
pub(super) struct Session {
    pub(super) target: String,
    pub(super) executions: u64,
    pub(super) seconds: u64,
    /// Edges of the control flow graph that were reached.
    pub(super) coverage: u64,
    /// Nothing crashed, hung or took too much memory.
    pub(super) clean: bool,
}

/// Runs libFuzzer and shows what it says.
pub(super) fn watch(target: &str, command: &mut Command) -> Result<Session> {
    let mut child =
        command.stderr(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let stderr = child.stderr.take().context("the fuzzer has no standard error")?;
    let mut session =
        Session { target: target.to_owned(), executions: 0, seconds: 0, coverage: 0, clean: false };
    let mut ended = false;
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        ended |= session.read(&line);
    }
    session.clean = child.wait()?.success() && ended;
    Ok(session)
}

impl Session {
    /// True for the last line: `Done 12345 runs in 301 second(s)`.
    fn read(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(at) = words.iter().position(|word| *word == "cov:") {
            self.coverage = number(words.get(at + 1)).unwrap_or(self.coverage);
        }
        match words.as_slice() {
            ["Done", runs, "runs", "in", seconds, ..] => {
                self.executions = runs.parse().unwrap_or(0);
                self.seconds = seconds.parse().unwrap_or(0);
                true
            }
            _ => false,
        }
    }
}

fn number(word: Option<&&str>) -> Option<u64> {
    word.and_then(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::Session;

    #[test]
    fn the_last_lines_of_libfuzzer_are_understood() {
        let mut session =
            Session { target: String::new(), executions: 0, seconds: 0, coverage: 0, clean: false };
        assert!(!session.read("#4096\tpulse  cov: 5120 ft: 9000 corp: 80/12Kb exec/s: 2048 rss: 90Mb"));
        assert!(session.read("Done 4711 runs in 301 second(s)"));
        assert_eq!((session.executions, session.seconds, session.coverage), (4711, 301, 5120));
    }
}
