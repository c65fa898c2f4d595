// SPDX-License-Identifier: LGPL-2.0-or-later
//! The house itself: licence lines, names, and documentation that says what is there.

mod claims;
mod commands;
mod files;
mod links;
mod source;
