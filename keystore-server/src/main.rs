// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore`: set up, run and look after a keystore.

fn main() {}
