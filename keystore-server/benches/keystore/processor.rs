// SPDX-License-Identifier: LGPL-2.0-or-later
//! Processor time, of processes and of this thread.

use std::{fs, time::Duration};

use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};

/// What these processes have used so far, in kernel and user mode. Those that are gone count nothing.
pub(crate) fn of(processes: &[u32]) -> Duration {
    processes.iter().filter_map(|process| ticks(*process)).map(in_time).sum()
}

/// A process and its children: PostgreSQL has one for each connection.
pub(crate) fn family(parent: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| *id == parent || field(*id, 1) == Some(u64::from(parent))).collect()
}

/// What this thread needs for one of `count` times `act`.
pub(crate) fn each(count: u32, mut act: impl FnMut()) -> Duration {
    act();
    let begun = this_thread();
    (0..count).for_each(|_| act());
    (this_thread() - begun) / count
}

fn this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn ticks(process: u32) -> Option<u64> {
    Some(field(process, 11)? + field(process, 12)?)
}

/// The n-th field of `/proc/PID/stat` behind the name, from 0: see proc(5).
fn field(process: u32, n: usize) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(n)?.parse().ok()
}

fn in_time(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64)
}
