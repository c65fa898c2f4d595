// SPDX-License-Identifier: LGPL-2.0-or-later
//! Is the clock to be believed? See `docs/decisions/0022-a-clock-that-jumps.md`.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustix::time::{ClockId, clock_gettime};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Time that nobody sets: since some moment, always forwards.
pub type Steady = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How far a clock may be set at once. What keeps clocks right makes smaller steps, or one when the machine starts.
pub(super) const STEP: Duration = Duration::from_secs(5 * 60);

/// A clock that was set further, and has gone steadily for so long, was meant to be.
const BELIEVED_AFTER: Duration = Duration::from_secs(15 * 60);

/// Since the machine started, and while it slept.
pub(super) fn since_boot() -> Steady {
    Arc::new(|| {
        let time = clock_gettime(ClockId::Boottime);
        let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
    })
}

/// The clock was set further than clocks are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the machine's clock was set by more than five minutes; nothing is done until it is right, or has gone steadily for a quarter of an hour"
)]
pub struct Jumped;

/// The same moment on both clocks.
#[derive(Clone, Copy)]
struct Moment {
    clock: SystemTime,
    steady: Duration,
}

impl Moment {
    /// What the clock should say later.
    fn clock_at(self, steady: Duration) -> SystemTime {
        self.clock + steady.saturating_sub(self.steady)
    }
}

/// Compares the clock with one that nobody sets.
pub(super) struct Timekeeper {
    clock: Clock,
    steady: Steady,
    believed: Moment,
    /// Since when it says something else.
    doubted: Option<Moment>,
}

impl Timekeeper {
    /// What the clock says at the start is believed, unless the log has entries of a later time. That it is ahead cannot be told from a
    /// keystore that did not run for a while.
    pub(super) fn new(clock: Clock, steady: Steady, newest_entry: SystemTime) -> Self {
        let now = clock();
        let is_behind = now + STEP < newest_entry;
        let believed = Moment { clock: if is_behind { newest_entry } else { now }, steady: steady() };
        Self { clock, steady, believed, doubted: None }
    }

    /// The time, if it is to be believed. To be asked often: only what happens between two times is noticed.
    pub(super) fn now(&mut self) -> Result<SystemTime, Jumped> {
        let now = Moment { clock: (self.clock)(), steady: (self.steady)() };
        if is_near(now, self.believed) {
            if self.doubted.take().is_some() {
                tracing::warn!("the clock is right again");
            }
            self.believed = now;
            return Ok(now.clock);
        }
        match self.doubted {
            Some(doubted) if is_near(now, doubted) => {
                if now.steady.saturating_sub(doubted.steady) < BELIEVED_AFTER {
                    return Err(Jumped);
                }
                tracing::warn!("the clock stays as it was set, and is believed");
                (self.believed, self.doubted) = (now, None);
                Ok(now.clock)
            }
            _ => {
                tracing::error!("{Jumped}");
                self.doubted = Some(now);
                Err(Jumped)
            }
        }
    }
}

fn is_near(now: Moment, then: Moment) -> bool {
    let expected = then.clock_at(now.steady);
    let apart = now.clock.duration_since(expected).unwrap_or_else(|behind| behind.duration());
    apart <= STEP
}
