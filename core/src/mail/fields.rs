// SPDX-License-Identifier: LGPL-2.0-or-later
//! Header fields of an opened mail, each with how it was protected (RFC 9788).

use serde::Serialize;

/// How a header field was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Covered by a good signature, and not readable on the way.
    SignedAndEncrypted,
    /// Not readable on the way; anybody could have written it.
    EncryptedOnly,
    /// Covered by a good signature, readable on the way.
    SignedOnly,
    /// Anybody could have written or read it.
    Unprotected,
}

/// One header field as the sender meant it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As it was written: `Subject`.
    pub name: String,
    /// Unfolded, encoded words decoded, without control characters.
    pub value: String,
    /// What it looked like on the wire, unfolded but not decoded.
    pub raw: Vec<u8>,
    /// How it was protected.
    pub protection: Protection,
}
