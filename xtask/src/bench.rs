// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask bench`.

use anyhow::{Result, bail};

/// Runs it.
pub(crate) fn run(_args: &[String]) -> Result<()> {
    bail!("cargo xtask bench is not written yet")
}
