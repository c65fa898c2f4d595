// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask interop`.

use anyhow::{Result, bail};

/// Runs it.
pub(crate) fn run(_args: &[String]) -> Result<()> {
    bail!("cargo xtask interop is not written yet")
}
