// SPDX-License-Identifier: LGPL-2.0-or-later
//! `cargo xtask`: everything that is done to this repository besides editing it.

fn main() {}
