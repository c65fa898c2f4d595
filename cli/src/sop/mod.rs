// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe sop`: the Stateless OpenPGP interface. Its arguments and exit codes are its own.

use std::{ffi::OsString, process::ExitCode};

/// `args` is everything behind `plombe sop`, untouched.
pub(crate) fn main(_args: Vec<OsString>) -> ExitCode {
    // 69: UNSUPPORTED_SUBCOMMAND
    ExitCode::from(69)
}
