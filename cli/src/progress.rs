// SPDX-License-Identifier: LGPL-2.0-or-later
//! A bar on the terminal for work that lasts. Nothing is drawn in the first second, into pipes, or with `--quiet`.

use std::{
    io::{self, IsTerminal as _, Read},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{input::Input, terminal::Terminal};

/// Work shorter than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Bytes,
    Mails,
    Entries,
}

/// Counts what was done and draws it when it lasts.
pub(crate) struct Progress {
    unit: Unit,
    total: Option<u64>,
    done: u64,
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(unit: Unit, total: Option<u64>, terminal: &Terminal) -> Self {
        let wanted = !terminal.quiet && !terminal.json && io::stderr().is_terminal();
        Self { unit, total, done: 0, started: Instant::now(), wanted, bar: None }
    }

    pub(crate) fn advance(&mut self, by: u64) {
        self.done += by;
        if !self.wanted {
            return;
        }
        if self.bar.is_none() && self.started.elapsed() >= PATIENCE {
            self.bar = Some(self.draw());
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    fn draw(&self) -> ProgressBar {
        let template = match (self.unit, self.total.is_some()) {
            (Unit::Bytes, true) => "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}",
            (Unit::Bytes, false) => "{spinner} {bytes} {binary_bytes_per_sec}",
            (Unit::Mails, true) => "{wide_bar} {pos}/{len} mails {eta}",
            (Unit::Mails, false) => "{spinner} {pos} mails {per_sec}",
            (Unit::Entries, _) => "{spinner} {pos} entries {per_sec}",
        };
        let bar = ProgressBar::with_draw_target(self.total, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).expect("templates above are valid");
        bar.set_style(style);
        bar.with_elapsed(self.started.elapsed())
    }
}

impl Drop for Progress {
    /// The bar goes away whatever happened: what remains on the screen is what was said.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// An input whose reading is shown.
pub(crate) struct Watched {
    input: Input,
    progress: Progress,
}

impl Watched {
    pub(crate) fn new(input: Input, terminal: &Terminal) -> Self {
        Self { progress: Progress::new(Unit::Bytes, input.length, terminal), input }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
