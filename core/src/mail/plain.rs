// SPDX-License-Identifier: LGPL-2.0-or-later
//! An opened mail as plain RFC 5322 message, for other mail software.

use super::{
    OpenedMail,
    edit::{Edit, apply},
    legacy_display::{self, without_parameters},
    part,
    wire::{OutField, crlf},
};
use crate::mime::{self, Document, EntityId};

/// Parameters that make sense inside cryptographic layers only. Left in place they would claim a protection that the
/// plain mail does not have.
const PROTECTION_PARAMETERS: &[&str] = &["hp", "protected-headers", "hp-legacy-display"];

impl OpenedMail {
    /// The mail without its cryptographic layers, as RFC 5322 message with CRLF line ends, for other mail software.
    ///
    /// Fields of the transport stay; what the sender protected takes the place of what stood outside. An encrypted
    /// mail whose sender left the subject outside keeps that one (see [`super::FindingCode::SubjectUnprotected`]):
    /// an archive that is opened in place must not lose it.
    pub fn to_plain_mail(&self) -> Vec<u8> {
        if self.layers.is_empty() {
            // Nothing was taken off, so the mail stays what it was.
            let binary = is_binary(&self.outer, 0);
            return if binary { self.outer.bytes().to_vec() } else { crlf(self.outer.bytes()) };
        }
        let mut mail = Vec::new();
        let (inside, outside): (Vec<_>, Vec<_>) = self.fields.iter().partition(|field| field.inside);
        for field in outside.into_iter().chain(inside) {
            OutField { name: field.name.clone(), value: field.raw.clone() }.write(&mut mail);
        }
        let (structural, body) = plain_body(&self.document, self.payload);
        OutField::new("MIME-Version", "1.0").write(&mut mail);
        structural.iter().filter(|field| !field.is("MIME-Version")).for_each(|field| field.write(&mut mail));
        mail.extend_from_slice(b"\r\n");
        mail.extend(body);
        mail
    }
}

/// Structural fields and body of the payload, legacy display taken off.
fn plain_body(document: &Document<'_>, payload: EntityId) -> (Vec<OutField>, Vec<u8>) {
    let mut edits = legacy_display::removals(document, payload);
    edits.extend(legacy_part_removal(document, payload));
    let edited = apply(document.bytes(), document.entity(payload).range.clone(), &edits);
    let structural = |document: &Document<'_>, id: EntityId| -> Vec<OutField> {
        let fields = document.fields(id).filter(|field| field.is_structural());
        fields.map(|field| OutField::copy(&field)).map(without_protection).collect()
    };
    // The edits keep the structure within its bounds, so this cannot fail; if it did, nothing is lost but the edits.
    match mime::parse(edited) {
        Ok(edited) => (structural(&edited, 0), body(&edited, 0)),
        Err(_) => (structural(document, payload), body(document, payload)),
    }
}

/// Line ends of binary parts are data.
pub(super) fn body(document: &Document<'_>, id: EntityId) -> Vec<u8> {
    if is_binary(document, id) { document.raw_body(id).to_vec() } else { crlf(document.raw_body(id)) }
}

pub(super) fn is_binary(document: &Document<'_>, id: EntityId) -> bool {
    document.descendants(id).any(|id| document.transfer_encoding(id) == mime::transfer::Encoding::Binary)
}

fn without_protection(field: OutField) -> OutField {
    if !field.is("Content-Type") {
        return field;
    }
    OutField { value: without_parameters(field.value, PROTECTION_PARAMETERS), name: field.name }
}

/// The part in which the older scheme repeats hidden fields goes, with the boundary line behind it.
fn legacy_part_removal(document: &Document<'_>, payload: EntityId) -> Option<Edit> {
    let &[first, second, ..] = document.entity(payload).children.as_slice() else { return None };
    if !part::is_legacy_display_part(document, payload, first) {
        return None;
    }
    let range = document.entity(first).range.start..document.entity(second).range.start;
    Some(Edit { range, with: Vec::new() })
}
