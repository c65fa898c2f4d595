// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask bench keystore`: the running keystore beside what it cannot be faster than.
//!
//! The yardsticks are taken in the same run: the cryptography of one request alone, HTTP alone ([`echo`]), and the disk's own sync.
//! Processor time is counted per process, so that the share of whoever makes the load can be told apart; on a machine that does
//! other things at the same time, those figures still hold, and latencies do not.

mod bare;
mod directory;
mod echo;
mod history;
mod load;
mod processor;
mod report;
mod stage;

use std::time::Duration;

use anyhow::Result;
use plombe_tests::Postgres;

use crate::{
    load::{Kind, Load},
    report::say,
    stage::Stage,
};

/// How much is measured.
struct Extent {
    connections: &'static [usize],
    each: Duration,
    log_sizes: &'static [u64],
    directory_sizes: &'static [u64],
}

/// Not optimised: that it runs at all.
const TINY: Extent = Extent {
    connections: &[1, 8],
    each: Duration::from_millis(200),
    log_sizes: &[1_000, 5_000],
    directory_sizes: &[100],
};

const SHORT: Extent = Extent {
    connections: &[1, 8, 64],
    each: Duration::from_secs(2),
    log_sizes: &[1_000, 100_000],
    directory_sizes: &[1_000, 20_000],
};

const LONG: Extent = Extent {
    connections: &[1, 8, 64],
    each: Duration::from_secs(10),
    log_sizes: &[1_000, 100_000, 10_000_000],
    directory_sizes: &[1_000, 100_000, 1_000_000],
};

/// Measured alone when they are named.
const PARTS: [&str; 3] = ["load", "log", "directory"];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--echo") {
        return echo::serve();
    }
    if has("--fill") {
        return directory::fill_from(&arguments);
    }
    let extent = match (has("--long"), cfg!(debug_assertions)) {
        (true, _) => LONG,
        (false, false) => SHORT,
        (false, true) => TINY,
    };
    if cfg!(debug_assertions) {
        say("not optimised: this shows that it runs, not how fast");
    }
    let is_all = !PARTS.iter().any(|part| has(part));
    if is_all || has("load") {
        measure_load(&extent)?;
    }
    if is_all || has("log") {
        say("\n## The log, by its size\n");
        history::measure(extent.log_sizes)?;
    }
    if is_all || has("directory") {
        say("\n## The directory, by its size\n");
        directory::measure(extent.directory_sizes, extent.each)?;
    }
    Ok(())
}

fn measure_load(extent: &Extent) -> Result<()> {
    say("## One request, in processor time on one core\n");
    let bare = bare::measure()?;
    let http = echo::measure(extent.each)?;
    report::bare(&bare, http);

    let mut databases = vec![("SQLite", None)];
    match Postgres::shared() {
        Some(server) => databases.push(("PostgreSQL", Some(server.database()))),
        None => say("PostgreSQL is not installed, so it is left out"),
    }
    for (name, location) in databases {
        let stage = Stage::start(location.as_deref(), *extent.connections.iter().max().unwrap_or(&1))?;
        let disk = stage::disk(stage.folder())?;
        say(&format!("\n## Keystore on {name}\n"));
        report::heading();
        for kind in [Kind::Unwrap, Kind::Sign] {
            for connections in extent.connections {
                let full = stage.run(kind, Load::Full { connections: *connections, time: extent.each })?;
                report::full(kind, *connections, &full, bare.of(kind) + http);
                if *connections == 8 {
                    let half = full.rate() / 2.0;
                    let load = Load::Paced { connections: 8, time: extent.each, per_second: half };
                    report::paced(kind, &stage.run(kind, load)?, disk);
                }
            }
        }
    }
    Ok(())
}
