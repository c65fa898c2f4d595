// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe`: seal and open mail and files on the command line.

fn main() {}
