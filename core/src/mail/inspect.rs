// SPDX-License-Identifier: LGPL-2.0-or-later
//! Structure and verdicts of a mail, without its text.

use serde::Serialize;

use super::{Finding, MailOpenError};
use crate::{message::OpenContext, verdict::Verdict};

/// What a mail is made of. Holds no plaintext, subject or name of an attachment.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// One per part that a person would see.
    pub verdicts: Vec<Verdict>,
    /// The tree of parts, cryptographic layers included.
    pub structure: Structure,
    /// Repairs, errant layers, contradictions.
    pub findings: Vec<Finding>,
}

/// The parts of the outer mail in document order.
#[derive(Clone, Debug, Serialize)]
pub struct Structure {
    /// Every entity.
    pub parts: Vec<PartSummary>,
}

/// One entity.
#[derive(Clone, Debug, Serialize)]
pub struct PartSummary {
    /// `1` is the mail itself, `1.1` its first child.
    pub path: String,
    /// `type/subtype`.
    pub media_type: String,
    /// First byte of the entity in its document.
    pub offset: u64,
    /// Bytes, header included.
    pub length: u64,
    /// `encrypted`, `signed`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Key handles that the layer is encrypted to; `null` for a hidden recipient.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Option<String>>,
}

/// Looks at a mail without opening what is encrypted.
pub fn inspect(mail: &[u8], context: &OpenContext<'_>) -> Result<Inspection, MailOpenError> {
    let _ = (mail, context);
    todo!()
}
