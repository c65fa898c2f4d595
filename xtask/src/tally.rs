// SPDX-License-Identifier: LGPL-2.0-or-later
//! Reads what Rust's test harness prints (with `--show-output`) and counts.
//!
//! A test that finds its peer or its corpus missing prints a line `skipped: WHAT` and returns
//! (`plombe_tests::peers::skip`); the harness calls that passed, we do not.

use std::{collections::BTreeSet, ops::AddAssign};

/// How many tests did what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// What was skipped, one line each.
    pub(crate) skipped: Vec<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
    }
}

/// Follows the output of one `cargo test` line by line.
#[derive(Default)]
pub(crate) struct Reader {
    tally: Tally,
    /// Inside the output of tests that passed: of no interest, but for `skipped:` lines.
    in_successes: bool,
    /// The test whose output we are in.
    section: String,
    /// Tests of this binary that passed in the harness' eyes, but skipped something.
    half_passed: BTreeSet<String>,
}

impl Reader {
    /// Takes one line and says whether a person wants to see it.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.section = name.to_owned();
        } else if let Some(what) = skipped(line) {
            self.tally.skipped.push(what.to_owned());
            if self.in_successes {
                self.half_passed.insert(self.section.clone());
            }
            return true;
        } else if line == "successes:" {
            self.in_successes = true;
        } else if line == "failures:" {
            self.in_successes = false;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.in_successes = false;
            self.binary_ended(counts);
            return true;
        } else if let Some((name, reason)) = ignored(line) {
            self.tally.skipped.push(format!("{name}: {reason}"));
        }
        // One line per passed test would bury the rest.
        let passed_test = line.starts_with("test ") && line.ends_with(" ... ok");
        !(self.in_successes || passed_test)
    }

    /// `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
    fn binary_ended(&mut self, counts: &str) {
        let count = |what: &str| -> u32 {
            let before = counts.split(what).next().unwrap_or_default();
            before.split_whitespace().last().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let half = u32::try_from(self.half_passed.len()).unwrap_or(u32::MAX);
        self.tally.passed += count(" passed;").saturating_sub(half);
        self.tally.failed += count(" failed;");
        self.half_passed.clear();
    }

    pub(crate) fn finish(self) -> Tally {
        self.tally
    }
}

fn skipped(line: &str) -> Option<&str> {
    line.strip_prefix("skipped: ").or_else(|| line.strip_prefix("SKIPPED: "))
}

/// `test slow_sweep ... ignored, takes an hour`
fn ignored(line: &str) -> Option<(&str, &str)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let reason = outcome.strip_prefix("ignored")?;
    Some((name, reason.strip_prefix(", ").unwrap_or("marked #[ignore]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Tally {
        let mut reader = Reader::default();
        for line in output.lines() {
            reader.line(line);
        }
        reader.finish()
    }

    const OUTPUT: &str = "
running 4 tests
test opens ... ok
test gpg_opens_it ... ok
test slow_sweep ... ignored, takes an hour
test refuses ... FAILED

successes:

---- gpg_opens_it stdout ----
skipped: gpg
SKIPPED: no sq

successes:
    gpg_opens_it
    opens

failures:

---- refuses stdout ----
thread 'refuses' panicked

failures:
    refuses

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn a_test_that_skipped_something_did_not_pass() {
        let tally = read(OUTPUT);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.skipped, ["slow_sweep: takes an hour", "gpg", "no sq"]);
    }

    #[test]
    fn several_binaries_add_up() {
        let tally = read(&OUTPUT.repeat(3));
        assert_eq!((tally.passed, tally.failed, tally.skipped.len()), (3, 3, 9));
    }

    #[test]
    fn output_of_passed_tests_is_hidden_but_failures_are_shown() {
        let mut reader = Reader::default();
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| reader.line(line)).collect();
        assert!(shown.contains(&"thread 'refuses' panicked"));
        assert!(shown.contains(&"skipped: gpg"));
        assert!(!shown.contains(&"test opens ... ok"));
        assert!(!shown.contains(&"    gpg_opens_it"));
    }
}
