// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a reader should know about a mail beside its verdicts.

use serde::Serialize;

/// Something odd, repaired or dangerous. Holds no plaintext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// For programs.
    pub code: FindingCode,
    /// One sentence for people.
    pub text: String,
    /// MIME path of the part it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingCode {
    /// Encrypted or signed content below a multipart: not part of the mail's protection, not opened.
    ErrantLayer,
}
