// SPDX-License-Identifier: LGPL-2.0-or-later
//! MIME as exact byte ranges: what was signed is exactly what was signed.
//!
//! [`parse`] only finds where things are; it never changes, joins or decodes a byte. What is shown to people goes
//! through a safe view, which drops everything active, remote, hidden or conditional.

mod address;
mod error;

pub use address::Mailbox;
pub use error::MimeError;
