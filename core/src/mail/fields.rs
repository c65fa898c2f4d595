// SPDX-License-Identifier: LGPL-2.0-or-later
//! Header fields of an opened mail, each with how it was protected (RFC 9788).

use serde::Serialize;

use super::{Addresses, Finding, FindingCode, payload::is_trace, wire::OutField};
use crate::mime::{Document, EntityId, FieldRef, words};

/// How a header field was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
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
    /// As it was written, folds included.
    pub raw: Vec<u8>,
    /// How it was protected.
    pub protection: Protection,
    /// Did it stand inside the cryptographic layers?
    pub inside: bool,
}

impl Field {
    /// Is this its name? Case-insensitive.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Fields that people or their programs act on. Where a mail protects its header, one of these that stands outside
/// only was put there by somebody on the way.
const USER_FACING: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Keywords",
    "Comments",
    "Followup-To",
    "Newsgroups",
    "Mail-Followup-To",
    "Mail-Reply-To",
];

/// Fields that must not stand twice (RFC 5322 section 3.6).
const ONCE: &[&str] =
    &["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References"];

/// How a payload says that its header is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Not at all.
    None,
    /// RFC 9788, `hp="clear"`.
    Clear,
    /// RFC 9788, `hp="cipher"`, with HP-Outer fields.
    Cipher,
    /// `protected-headers="v1"`, or a wrapped message/rfc822 after RFC 8551.
    Legacy,
}

impl Scheme {
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Clear => Some("clear"),
            Self::Cipher => Some("cipher"),
            Self::Legacy => Some("legacy"),
        }
    }
}

/// Reads the scheme of a payload, and contradictions in it. `hp` counts only inside a cryptographic layer.
pub(super) fn scheme(
    document: &Document<'_>,
    payload: EntityId,
    encrypted: bool,
    findings: &mut Vec<Finding>,
) -> Scheme {
    let media_type = &document.entity(payload).media_type;
    let contradiction = |findings: &mut Vec<Finding>, text: &str| {
        findings.push(Finding::new(FindingCode::HeaderProtectionContradiction, text));
    };
    match media_type.parameter("hp").map(str::to_ascii_lowercase).as_deref() {
        Some("cipher") if !encrypted => {
            // A signer alone cannot make a field confidential: no field gets better than signed.
            contradiction(findings, "says that its header was encrypted, but nothing was");
            Scheme::Clear
        }
        Some("cipher") => Scheme::Cipher,
        Some("clear") => Scheme::Clear,
        Some(_) => {
            contradiction(findings, "protects its header in a way that is not known");
            Scheme::None
        }
        None if media_type.parameter_is("protected-headers", "v1") => Scheme::Legacy,
        None => Scheme::None,
    }
}

/// What is known when fields are judged.
pub(super) struct HeaderContext<'a> {
    /// The mail as it came.
    pub(super) outer: &'a Document<'a>,
    /// The entity in it whose header stands outside: the mail, or a forwarded mail that was opened by itself.
    pub(super) outer_id: EntityId,
    /// The document that holds the payload.
    pub(super) document: &'a Document<'a>,
    /// Where the payload is in it.
    pub(super) payload: EntityId,
    /// How it protects its header.
    pub(super) scheme: Scheme,
    /// Was there an encryption layer?
    pub(super) encrypted: bool,
    /// Is there a good signature by the sender?
    pub(super) signed: bool,
}

/// Every field of the mail: the protected ones in their order, then those that stand outside only.
pub(super) fn fields(context: &HeaderContext<'_>, findings: &mut Vec<Finding>) -> Vec<Field> {
    let outside: Vec<FieldRef<'_>> =
        context.outer.fields(context.outer_id).filter(|field| !field.is_structural()).collect();
    if context.scheme == Scheme::None {
        return outside.iter().map(|field| read(field, Protection::Unprotected, false)).collect();
    }
    let exposed = exposed(context);
    note_changes(context, &outside, &exposed, findings);
    let mut read_fields: Vec<Field> = protected(context)
        .map(|field| {
            let confidential = context.encrypted && !is_exposed(&field, &exposed);
            let protection = match (context.signed, confidential) {
                (true, true) => Protection::SignedAndEncrypted,
                (false, true) => Protection::EncryptedOnly,
                (true, false) => Protection::SignedOnly,
                (false, false) => Protection::Unprotected,
            };
            read(&field, protection, true)
        })
        .collect();
    // Without a signature that binds it, the From inside is only a claim; the one outside may at least have been
    // checked by the receiving provider (RFC 9788 section 4.4).
    if !context.signed && from_mismatch(context) {
        read_fields.retain(|field| !field.is("From"));
        let from = outside.iter().filter(|field| field.is("From"));
        read_fields.splice(0..0, from.map(|field| read(field, Protection::Unprotected, false)));
    }
    for field in &outside {
        let known = read_fields.iter().any(|other| other.is(field.name));
        // The older scheme may protect the subject alone. RFC 9788 protects everything: what is only outside now was
        // put there on the way.
        let partial = context.scheme == Scheme::Legacy || field.is("From");
        if !known && (partial || !USER_FACING.iter().any(|name| field.is(name))) {
            read_fields.push(read(field, Protection::Unprotected, false));
        }
    }
    read_fields
}

/// Fields that stand several times where one is allowed, or that hold bytes which end lines in some programs.
pub(super) fn note_ambiguities(document: &Document<'_>, id: EntityId, findings: &mut Vec<Finding>) {
    let path = &document.entity(id).path;
    let structural = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"];
    for name in ONCE.iter().chain(&structural) {
        if document.fields(id).filter(|field| field.is(name)).count() > 1 {
            let text = format!("{name} stands several times; programs disagree on which one counts");
            findings.push(Finding::at(FindingCode::DuplicateHeader, path, text));
        }
    }
    if document.fields(id).any(|field| field.is_ambiguous()) {
        let text = "the header holds bare carriage returns or NUL bytes; programs disagree on its lines";
        findings.push(Finding::at(FindingCode::AmbiguousHeader, path, text));
    }
}

/// The payload's own non-structural fields, without those that speak about the outside. What only transports write
/// (`Authentication-Results`) is never the sender's to say, and must not take the place of the real one.
fn protected<'a>(context: &'a HeaderContext<'_>) -> impl Iterator<Item = FieldRef<'a>> {
    let about_outside =
        |field: &FieldRef<'_>| field.is("HP-Outer") || field.is("Autocrypt-Gossip") || is_trace(field.name);
    context
        .document
        .fields(context.payload)
        .filter(move |field| !field.is_structural() && !about_outside(field))
}

fn read(field: &FieldRef<'_>, protection: Protection, inside: bool) -> Field {
    let copy = OutField::copy(field);
    Field { name: copy.name, value: field.decoded(), raw: copy.value, protection, inside }
}

/// Two spellings of one value are equal: folds, runs of white space, encoded words.
fn same_value(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// What the sender says stands outside: (name, decoded value).
fn hp_outer(context: &HeaderContext<'_>) -> Vec<(String, String)> {
    let named = |field: FieldRef<'_>| {
        let value = field.unfolded();
        let colon = memchr::memchr(b':', &value)?;
        let name = std::str::from_utf8(value[..colon].trim_ascii()).ok()?.to_owned();
        Some((name, words::decode(value[colon + 1..].trim_ascii())))
    };
    context.document.fields(context.payload).filter(|field| field.is("HP-Outer")).filter_map(named).collect()
}

/// Fields that could be read on the way, as far as the payload tells.
fn exposed(context: &HeaderContext<'_>) -> Vec<(String, String)> {
    let named = |field: FieldRef<'_>| (field.name.to_owned(), field.decoded());
    match context.scheme {
        Scheme::Cipher => hp_outer(context),
        Scheme::Clear => protected(context).map(named).collect(),
        // The older scheme does not say what stood outside, so what stands there now has to do.
        Scheme::Legacy => context.outer.fields(context.outer_id).map(named).collect(),
        Scheme::None => Vec::new(),
    }
}

fn is_exposed(field: &FieldRef<'_>, exposed: &[(String, String)]) -> bool {
    let value = field.decoded();
    exposed.iter().any(|(name, other)| field.is(name) && same_value(&value, other))
}

fn from_mismatch(context: &HeaderContext<'_>) -> bool {
    let authors = |document: &Document<'_>, id: EntityId| -> Vec<String> {
        Addresses::of(document, id).from.iter().map(|mailbox| mailbox.comparable()).collect()
    };
    let inside = authors(context.document, context.payload);
    !inside.is_empty() && inside != authors(context.outer, context.outer_id)
}

fn note_changes(
    context: &HeaderContext<'_>,
    outside: &[FieldRef<'_>],
    exposed: &[(String, String)],
    findings: &mut Vec<Finding>,
) {
    if context.scheme == Scheme::Legacy {
        let text = "the header is protected by an older scheme";
        findings.push(Finding::new(FindingCode::LegacyHeaderProtection, text));
    }
    if from_mismatch(context) {
        let text = "the From outside names somebody else than the protected one";
        findings.push(Finding::new(FindingCode::FromMismatch, text));
    }
    if context.scheme == Scheme::Legacy {
        return;
    }
    let mut changed: Vec<&str> = Vec::new();
    for name in USER_FACING {
        let sent = exposed
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        let found: Vec<String> =
            outside.iter().filter(|field| field.is(name)).map(FieldRef::decoded).collect();
        let sent: Vec<&str> = sent.collect();
        let same =
            sent.len() == found.len() && sent.iter().zip(&found).all(|(sent, found)| same_value(sent, found));
        if !same {
            changed.push(name);
        }
    }
    if !changed.is_empty() {
        let text = format!("changed, added or removed outside on the way: {}", changed.join(", "));
        findings.push(Finding::new(FindingCode::HeaderChangedInTransit, text));
    }
}
