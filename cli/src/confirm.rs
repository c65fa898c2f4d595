// SPDX-License-Identifier: LGPL-2.0-or-later
//! What does not come back is asked for twice.

use std::io::{IsTerminal as _, Write as _};

use crate::exit::Failure;

/// Goes on when whoever sits at the terminal says so; `hint` is for programs, which cannot be asked.
pub(crate) fn ends_for_ever(what: &str, hint: &'static str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("this would end {what} for ever")).hint(hint).into());
    }
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "This ends {what} for ever. Go on? [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::usage("nothing was changed").into()),
    }
}
