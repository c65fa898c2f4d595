// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask drill`: keystores that are killed, starved and cut off under load. CI runs the short ones with all other tests.

use anyhow::{Result, bail};

use crate::{
    peers, setup,
    steps::{self, cargo},
};

/// Runs them.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let kills = match args {
        [] => "5",
        [flag] if flag == "--long" => "100",
        _ => bail!("cargo xtask drill takes no arguments but --long"),
    };
    setup::for_building()?;
    peers::install()?;
    let mut test = cargo(["test", "--package", "plombe-keystore", "--test", "drills", "--", "--nocapture"]);
    test.env("PLOMBE_DRILL_KILLS", kills).env("PLOMBE_REQUIRE_PEERS", "1");
    steps::run("drills", &mut test)
}
