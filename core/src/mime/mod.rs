// SPDX-License-Identifier: LGPL-2.0-or-later
//! MIME as exact byte ranges: what was signed is exactly what was signed.
//!
//! [`parse()`] only finds where things are; it never changes, joins or decodes a byte. Decoding ([`transfer`],
//! [`words`], [`media_type`]) happens on request, and what is shown to people goes through [`view`], which drops
//! everything active, remote, hidden or conditional.

pub mod charset;
pub mod date;
pub mod media_type;
pub mod transfer;
pub mod view;
pub mod words;

mod address;
mod document;
mod error;
mod field;
mod file_name;
mod html;
mod parse;

pub use address::{Mailbox, comparable_address, mailboxes};
pub use document::{Document, Entity, EntityId};
pub use error::MimeError;
pub use field::FieldRef;
pub(crate) use field::unfold;
pub use file_name::harmless_file_name;
pub use media_type::MediaType;
pub use parse::{Limits, parse};
