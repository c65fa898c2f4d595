// SPDX-License-Identifier: LGPL-2.0-or-later
//! One part that a person would see, with its verdict.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Finding, FindingCode, legacy_display};
use crate::{
    mime::{Document, EntityId, MediaType, harmless_file_name, view},
    verdict::{Covered, Verdict, VerdictKind},
};

/// One part that a person would see: text, picture, attachment.
pub struct Part {
    pub(super) verdict: Verdict,
    pub(super) document: Arc<Document<'static>>,
    pub(super) payload: EntityId,
    pub(super) id: EntityId,
}

impl Part {
    /// What the part's signature is worth, and the bytes that this speaks of.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// `1` is the mail itself, `1.1` its first child; counted in the document that the part was found in.
    pub fn path(&self) -> &str {
        &self.document.entity(self.id).path
    }

    /// `text/plain`, lower case.
    pub fn media_type(&self) -> String {
        self.document.entity(self.id).media_type.to_string()
    }

    /// An attachment's name, made harmless: no directories, no control characters, never empty.
    pub fn file_name(&self) -> Option<String> {
        file_name(&self.document, self.id).map(|name| harmless_file_name(&name))
    }

    /// Shown in the mail itself, or to be saved?
    pub fn is_attachment(&self) -> bool {
        let media_type = &self.document.entity(self.id).media_type;
        let text = media_type.is("text", "plain") || media_type.is("text", "html");
        legacy_display::is_attachment(&self.document, self.id)
            || !text
            || (self.id != self.payload && file_name(&self.document, self.id).is_some())
    }

    /// The content with its transfer encoding taken off, beside what it is worth.
    pub fn content(&self) -> (Vec<u8>, &Verdict) {
        (self.bytes(), &self.verdict)
    }

    /// What may be displayed of a text part: plain text without anything active, remote, hidden or conditional.
    pub fn text(&self) -> Option<(String, &Verdict)> {
        let view = view::text(&self.document.entity(self.id).media_type, &self.bytes())?;
        Some((view.text, &self.verdict))
    }

    fn bytes(&self) -> Vec<u8> {
        legacy_display::without(&self.document, self.payload, self.id)
    }
}

/// The parts of a payload that a person would see, each judged by `verdict`.
pub(super) fn parts(
    document: &Arc<Document<'static>>,
    payload: EntityId,
    verdict: &Verdict,
    inline: Option<&Covered>,
    findings: &mut Vec<Finding>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for id in visible(document, payload) {
        let mut verdict = Verdict {
            covered: Some(inline.cloned().unwrap_or_else(|| covered(document, id))),
            ..verdict.clone()
        };
        note_view(document, id, &mut verdict, findings);
        parts.push(Part { verdict, document: Arc::clone(document), payload, id });
    }
    parts
}

/// Leaves of the tree, without what is there for programs only.
pub(super) fn visible(document: &Document<'_>, payload: EntityId) -> Vec<EntityId> {
    let mut found: Vec<EntityId> = Vec::new();
    let mut below: Option<String> = None;
    for id in document.descendants(payload) {
        let entity = document.entity(id);
        if below.as_ref().is_some_and(|prefix| entity.path.starts_with(prefix.as_str())) {
            continue;
        }
        let media_type = &entity.media_type;
        // An encrypted part that was not opened, or a forwarded mail, is one thing to a reader.
        let opaque = media_type.is("multipart", "encrypted") || media_type.kind == "message";
        if opaque {
            below = Some(format!("{}.", entity.path));
        }
        let for_programs = media_type.is("application", "pgp-signature")
            || media_type.is("application", "pgp-encrypted")
            || is_legacy_display_part(document, payload, id);
        if (opaque || entity.children.is_empty()) && (!for_programs || id == payload) {
            found.push(id);
        }
    }
    found
}

/// The part of its own in which the older scheme repeats hidden fields: first child of the payload.
pub(super) fn is_legacy_display_part(document: &Document<'_>, payload: EntityId, id: EntityId) -> bool {
    let entity = document.entity(id);
    let payload_type = &document.entity(payload).media_type;
    entity.parent == Some(payload)
        && document.entity(payload).children.first() == Some(&id)
        && document.entity(payload).children.len() > 1
        && payload_type.is("multipart", "mixed")
        && payload_type.parameter_is("protected-headers", "v1")
        && entity.media_type.parameter_is("protected-headers", "v1")
        && (entity.media_type.is("text", "plain") || entity.media_type.is("text", "rfc822-headers"))
}

/// The exact bytes of an entity, its header included.
pub(super) fn covered(document: &Document<'_>, id: EntityId) -> Covered {
    let entity = document.entity(id);
    let bytes = &document.bytes()[entity.range.clone()];
    Covered {
        path: entity.path.clone(),
        offset: entity.range.start as u64,
        length: bytes.len() as u64,
        sha256: sha256_hex(bytes),
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_name(document: &Document<'_>, id: EntityId) -> Option<String> {
    let disposition = document.field(id, "Content-Disposition").map(|field| field.unfolded());
    let disposition = disposition.and_then(|value| MediaType::parse_disposition(&value));
    let named = disposition.as_ref().and_then(|disposition| disposition.parameter("filename"));
    named.or_else(|| document.entity(id).media_type.parameter("name")).map(str::to_owned)
}

/// What a view leaves out is a finding; a good verdict over such a part says so.
fn note_view(document: &Document<'_>, id: EntityId, verdict: &mut Verdict, findings: &mut Vec<Finding>) {
    let entity = document.entity(id);
    if !entity.media_type.is("text", "html") {
        return;
    }
    let Some(view) = view::text(&entity.media_type, &document.decoded_body(id)) else { return };
    let mut note = |found: bool, code: FindingCode, text: &str| {
        if found {
            findings.push(Finding::at(code, &entity.path, text));
        }
    };
    let dropped = view.dropped;
    note(
        dropped.conditional,
        FindingCode::ConditionalContent,
        "shows differently in different programs, so a signature does not say what a reader saw",
    );
    note(dropped.hidden, FindingCode::HiddenContent, "holds text that is hidden from readers; left out");
    note(dropped.active, FindingCode::ActiveContent, "holds scripts, forms or embedded objects; left out");
    note(
        dropped.remote,
        FindingCode::RemoteContent,
        "holds content that would be fetched from elsewhere; left out",
    );
    if verdict.verdict == VerdictKind::Good && (dropped.conditional || dropped.hidden) {
        verdict
            .reason
            .push_str("; hidden or conditional content in it counts as unsigned and is left out of the text");
    }
}
