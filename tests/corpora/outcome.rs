// SPDX-License-Identifier: LGPL-2.0-or-later
//! What came of a mail, in the words of `expect.toml`.

use plombe_core::mail::{Finding, MailOpenError, OpenOptions};
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// What came of a mail.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// One per part that a reader sees.
    #[serde(default)]
    pub(crate) verdicts: Vec<String>,
    /// `part path: finding`, sorted.
    #[serde(default)]
    pub(crate) findings: Vec<String>,
    /// Layers of the envelope, outermost first.
    #[serde(default)]
    pub(crate) layers: Vec<String>,
    /// Why it stays closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<String>,
}

/// Opens a mail, or looks at it when no key opens it.
pub(crate) fn of(mail: &[u8], keys: &Keys) -> Outcome {
    let (inspection, closed) = match keys.open(mail, &OpenOptions::default()) {
        Ok(opened) => (Ok(opened.inspect()), None),
        Err(MailOpenError::Unwrap(_)) => (keys.inspect(mail), Some("no-key".to_owned())),
        Err(error) => (Err(error), None),
    };
    let inspection = match inspection {
        Ok(inspection) => inspection,
        Err(error) => return Outcome { closed: Some(kind(&error).to_owned()), ..Outcome::default() },
    };
    let word = |value: serde_json::Value| value.as_str().expect("a word").to_owned();
    let verdict_word = |kind| word(serde_json::to_value(kind).expect("a verdict"));
    let mut findings: Vec<String> = inspection.findings.iter().map(describe).collect();
    findings.sort();
    findings.dedup();
    Outcome {
        verdicts: inspection.verdicts.iter().map(|verdict| verdict_word(verdict.verdict)).collect(),
        findings,
        layers: inspection.layers.iter().map(|layer| layer.kind.to_owned()).collect(),
        closed,
    }
}

/// The kind of an error, for a table.
pub(crate) fn kind(error: &MailOpenError) -> &'static str {
    match error {
        MailOpenError::BadSignature(_) => "bad-signature",
        MailOpenError::Damaged => "damaged",
        MailOpenError::Mime(_) => "structure",
        MailOpenError::TooManyLayers => "too-many-layers",
        MailOpenError::Unwrap(_) => "no-key",
        MailOpenError::NoSuchPart => "no-such-part",
        _ => "unreadable",
    }
}

fn describe(finding: &Finding) -> String {
    let code = serde_json::to_value(finding.code).expect("a code");
    let code = code.as_str().expect("a word");
    match &finding.path {
        Some(path) => format!("{path}: {code}"),
        None => code.to_owned(),
    }
}
