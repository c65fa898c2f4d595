// SPDX-License-Identifier: LGPL-2.0-or-later
//! The root key: in a token, under a passphrase, in a file, and absent from a core dump.

mod core_dump;
mod hardened;
mod needles;
mod outside;
mod program;
mod token;
