// SPDX-License-Identifier: LGPL-2.0-or-later
//! One process, from start to exit: time and peak memory.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) time: Duration,
    pub(super) peak_kib: u64,
}

/// All runs of one program at one job.
#[derive(Clone, Debug, Default)]
pub(super) struct Measurement {
    runs: Vec<Run>,
}

impl Measurement {
    pub(super) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// `None` when the program cannot do this.
    pub(super) fn median(&self) -> Option<Run> {
        let mut times: Vec<Duration> = self.runs.iter().map(|run| run.time).collect();
        times.sort();
        let time = *times.get(times.len() / 2)?;
        let peak_kib = self.runs.iter().map(|run| run.peak_kib).max()?;
        Some(Run { time, peak_kib })
    }
}

/// Runs `command` under `time`, which asks the system for its peak memory. The program's own start, about a
/// millisecond, is in the result.
pub(super) fn run(command: Command) -> Result<Run> {
    let mut timed = Command::new("time");
    timed.args(["--quiet", "--format", "peak %M"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let begun = Instant::now();
    let output =
        timed.stdin(Stdio::null()).output().context("cannot start `time` (Debian package `time`)")?;
    let time = begun.elapsed();
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} failed: {messages}", crate::steps::shown(&command));
    }
    let peak =
        messages.lines().rev().find_map(|line| line.strip_prefix("peak ")).and_then(|n| n.parse().ok());
    Ok(Run { time, peak_kib: peak.context("`time` said nothing about memory")? })
}

/// Waits until what was written before is on the disk, so that nobody is held up by what another program wrote.
pub(super) fn settle() -> Result<()> {
    let status = Command::new("sync").status().context("cannot start sync")?;
    if !status.success() {
        bail!("sync ended with {status}");
    }
    Ok(())
}
