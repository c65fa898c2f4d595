// SPDX-License-Identifier: LGPL-2.0-or-later
//! Address lists (RFC 5322 section 3.4).

/// One address with the name that a person sees beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name, decoded. Never evidence of anything: anybody writes there what they like.
    pub name: Option<String>,
    /// `local@domain`, as it was written apart from comments and white space.
    pub address: String,
}
