// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who asks, how often, and how long it took.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Result;
use plombe_client::Session;
use plombe_core::keystore::calls::custody::{SignDigest, Unwrap};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unwrap,
    Sign,
}

/// How it is asked.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// Each connection asks again as soon as it has its answer.
    Full { connections: usize, time: Duration },
    /// So many per second in all, whether or not the last answer came in time: waiting counts.
    Paced { connections: usize, time: Duration, per_second: f64 },
}

/// Somebody with a key in custody, and what they ask for.
pub(crate) struct Caller {
    pub(crate) session: Session,
    pub(crate) unwrap: Unwrap,
    pub(crate) sign: SignDigest,
}

impl Caller {
    fn call(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Unwrap => drop(self.session.call(&self.unwrap)?),
            Kind::Sign => drop(self.session.call(&self.sign)?),
        }
        Ok(())
    }
}

/// Latencies of every answer, sorted, and the time that it took in all.
pub(crate) fn run(callers: &[Mutex<Caller>], kind: Kind, load: Load) -> Result<(Vec<Duration>, Duration)> {
    let (connections, time, pause) = match load {
        Load::Full { connections, time } => (connections, time, Duration::ZERO),
        Load::Paced { connections, time, per_second } => {
            (connections, time, Duration::from_secs_f64(connections as f64 / per_second.max(1.0)))
        }
    };
    let begun = Instant::now();
    let latencies = std::thread::scope(|scope| {
        let workers: Vec<_> = callers[..connections]
            .iter()
            .zip(0u32..)
            .map(|(caller, index)| {
                // Not all at once.
                let first = begun + pause * index / u32::try_from(connections).unwrap_or(1);
                scope.spawn(move || work(caller, kind, first, pause, begun + time))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("it does not panic"))
            .collect::<Result<Vec<_>>>()
    })?;
    let mut latencies = latencies.concat();
    latencies.sort_unstable();
    Ok((latencies, begun.elapsed()))
}

fn work(
    caller: &Mutex<Caller>,
    kind: Kind,
    first: Instant,
    pause: Duration,
    until: Instant,
) -> Result<Vec<Duration>> {
    let mut caller = caller.lock().expect("nobody panicked");
    let mut latencies = Vec::new();
    let mut due = first;
    while Instant::now() < until {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let begun = if pause.is_zero() { Instant::now() } else { due };
        caller.call(kind)?;
        latencies.push(begun.elapsed());
        due += pause;
    }
    Ok(latencies)
}
