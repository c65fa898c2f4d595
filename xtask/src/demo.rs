// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask demo [MAIL.eml]`.

use anyhow::{Result, bail};

/// Runs it.
pub(crate) fn run(_args: &[String]) -> Result<()> {
    bail!("cargo xtask demo is not written yet")
}
