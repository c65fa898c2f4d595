// SPDX-License-Identifier: LGPL-2.0-or-later
//! `armor` and `dearmor`.

use std::io::{self, Write};

use plombe_core::message::armor;

use super::failure::Result;

pub(super) fn on() -> Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout());
    armor::enarmor(&mut io::stdin(), &mut stdout)?;
    stdout.flush()?;
    Ok(())
}

pub(super) fn off() -> Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout());
    armor::dearmor(&mut io::stdin(), &mut stdout)?;
    stdout.flush()?;
    Ok(())
}
