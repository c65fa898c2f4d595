// SPDX-License-Identifier: LGPL-2.0-or-later
//! Recognises cryptographic layers: where they belong (the envelope), where they do not (errant), and damaged ones.
//!
//! RFC 9787 section 4: only the outermost, contiguous layers are the mail's protection. Whatever lies below a
//! multipart is somebody's attachment, and is treated as such.

use super::{Finding, FindingCode};
use crate::mime::{Document, EntityId, transfer};

const BEGIN_MESSAGE: &str = "-----BEGIN PGP MESSAGE-----";
const END_MESSAGE: &str = "-----END PGP MESSAGE-----";
const BEGIN_SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";

/// A cryptographic layer that begins at some entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// PGP/MIME encryption; the entity that holds the message.
    Encrypted(EntityId),
    /// PGP/MIME signature over the exact bytes of one entity.
    Signed { content: EntityId, signature: EntityId },
    /// A text that is one armored message and nothing else.
    InlineEncrypted,
    /// A text that is one cleartext-signed block and nothing else.
    InlineSigned,
}

impl Layer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Encrypted(_) => "encrypted",
            Self::Signed { .. } => "signed",
            Self::InlineEncrypted => "inline-encrypted",
            Self::InlineSigned => "inline-signed",
        }
    }
}

/// The layer that begins at `id`, and what had to be repaired to see it.
pub(super) fn layer_at(document: &Document<'_>, id: EntityId) -> (Option<Layer>, Vec<Finding>) {
    let entity = document.entity(id);
    let mut findings = Vec::new();
    let layer = match (entity.media_type.kind.as_str(), entity.media_type.subtype.as_str()) {
        ("multipart", "encrypted") => encrypted(document, id, &mut findings),
        ("multipart", "mixed") => mixed_up(document, id, &mut findings),
        ("multipart", "signed") => signed(document, id, &mut findings),
        ("text", "plain") => inline(document, id),
        _ => None,
    };
    (layer, findings)
}

/// Encrypted or signed content anywhere below `id` (or at it) that is not the envelope. The outermost of each.
pub(super) fn errant_layers(document: &Document<'_>, id: EntityId) -> Vec<(EntityId, &'static str)> {
    let mut found: Vec<(EntityId, &'static str)> = Vec::new();
    for at in document.descendants(id) {
        let path = &document.entity(at).path;
        let inside =
            |&(outer, _): &(EntityId, &str)| path.starts_with(&format!("{}.", document.entity(outer).path));
        if found.iter().any(inside) {
            continue;
        }
        // Repairs are for envelopes; down here a mixed-up multipart is just a multipart, unless it is whole.
        if let (Some(layer), _) = layer_at(document, at) {
            found.push((at, layer.name()));
        } else if document.entity(at).media_type.is("text", "*") {
            let body = document.decoded_body(at);
            let holds = |armor: &str| memchr::memmem::find(&body, armor.as_bytes()).is_some();
            if holds(BEGIN_MESSAGE) {
                found.push((at, "inline-encrypted"));
            } else if holds(BEGIN_SIGNED) {
                found.push((at, "inline-signed"));
            }
        }
    }
    found
}

/// Does this entity say that it is S/MIME?
pub(super) fn is_smime(document: &Document<'_>, id: EntityId) -> bool {
    let media_type = &document.entity(id).media_type;
    let protocol = media_type.parameter("protocol").unwrap_or_default().to_ascii_lowercase();
    let named = ["pkcs7-mime", "x-pkcs7-mime"].iter().any(|subtype| media_type.is("application", subtype));
    named || media_type.is("multipart", "signed") && protocol.contains("pkcs7-signature")
}

fn encrypted(document: &Document<'_>, id: EntityId, findings: &mut Vec<Finding>) -> Option<Layer> {
    let entity = document.entity(id);
    let protocol = entity.media_type.parameter("protocol");
    if protocol.is_some_and(|protocol| !protocol.eq_ignore_ascii_case("application/pgp-encrypted")) {
        return None;
    }
    let message = entity.children.iter().copied().find(|&child| holds_message(document, child))?;
    let has_version = entity.children.iter().any(|&child| is_version_part(document, child));
    let path = &entity.path;
    if !has_version || protocol.is_none() {
        findings.push(Finding::at(
            FindingCode::RepairedVersionPart,
            path,
            "the encrypted mail lacked its version part or protocol; read without it",
        ));
    }
    note_transfer_encoding(document, message, findings);
    if entity.children.iter().any(|&child| child != message && !is_version_part(document, child)) {
        let text = "parts beside the encrypted message were left out: encryption does not cover them";
        findings.push(Finding::at(FindingCode::IgnoredParts, path, text));
    }
    Some(Layer::Encrypted(message))
}

/// multipart/mixed { empty text, application/pgp-encrypted, application/octet-stream }: what Exchange, Outlook.com
/// and others make of multipart/encrypted. With anything else in it, it is a multipart with an errant layer.
fn mixed_up(document: &Document<'_>, id: EntityId, findings: &mut Vec<Finding>) -> Option<Layer> {
    let children = &document.entity(id).children;
    let mut version = None;
    let mut message = None;
    for &child in children {
        if is_version_part(document, child) && version.is_none() {
            version = Some(child);
        } else if version.is_some() && message.is_none() && holds_message(document, child) {
            message = Some(child);
        } else if !is_empty_text(document, child) {
            return None;
        }
    }
    let message = message?;
    findings.push(Finding::at(
        FindingCode::RepairedMixedUp,
        &document.entity(id).path,
        "a mail server took the encrypted mail apart (multipart/mixed); put together again",
    ));
    note_transfer_encoding(document, message, findings);
    Some(Layer::Encrypted(message))
}

fn note_transfer_encoding(document: &Document<'_>, message: EntityId, findings: &mut Vec<Finding>) {
    let encoding = document.transfer_encoding(message);
    if matches!(encoding, transfer::Encoding::Base64 | transfer::Encoding::QuotedPrintable) {
        let text = "a mail server encoded the encrypted part again; taken off";
        findings.push(Finding::at(
            FindingCode::RepairedTransferEncoding,
            &document.entity(message).path,
            text,
        ));
    }
}

fn is_version_part(document: &Document<'_>, id: EntityId) -> bool {
    document.entity(id).media_type.is("application", "pgp-encrypted") && !holds_message(document, id)
}

fn holds_message(document: &Document<'_>, id: EntityId) -> bool {
    if !document.entity(id).children.is_empty() {
        return false;
    }
    let body = document.decoded_body(id);
    let start = body.trim_ascii_start();
    let binary = document.entity(id).media_type.is("application", "octet-stream")
        // A PKESK, SKESK or SEIPD packet, old or new format.
        && matches!(start.first(), Some(0x84..=0x87 | 0x8c..=0x8f | 0xc1 | 0xc3 | 0xd2));
    start.starts_with(BEGIN_MESSAGE.as_bytes()) || binary
}

fn is_empty_text(document: &Document<'_>, id: EntityId) -> bool {
    let entity = document.entity(id);
    if !entity.media_type.is("text", "*") {
        return false;
    }
    let view = crate::mime::view::text(&entity.media_type, &document.decoded_body(id));
    view.is_some_and(|view| view.text.trim().is_empty() && view.dropped == Default::default())
}

fn signed(document: &Document<'_>, id: EntityId, findings: &mut Vec<Finding>) -> Option<Layer> {
    if is_smime(document, id) {
        return None;
    }
    let entity = document.entity(id);
    let is_signature = |child: EntityId| document.entity(child).media_type.is("application", "pgp-signature");
    let protocol = entity.media_type.parameter("protocol").unwrap_or("application/pgp-signature");
    match entity.children.as_slice() {
        &[content, signature]
            if is_signature(signature) && protocol.eq_ignore_ascii_case("application/pgp-signature") =>
        {
            Some(Layer::Signed { content, signature })
        }
        _ => {
            findings.push(Finding::at(
                FindingCode::MalformedSigned,
                &entity.path,
                "says that it is signed, but does not consist of one content and one OpenPGP signature",
            ));
            None
        }
    }
}

fn inline(document: &Document<'_>, id: EntityId) -> Option<Layer> {
    let body = document.decoded_body(id);
    let text = body.trim_ascii();
    let whole = |begin: &str, end: &str| {
        text.starts_with(begin.as_bytes())
            && text.ends_with(end.as_bytes())
            && memchr::memmem::find_iter(text, begin.as_bytes()).count() == 1
            && memchr::memmem::find_iter(text, end.as_bytes()).count() == 1
    };
    if whole(BEGIN_MESSAGE, END_MESSAGE) {
        Some(Layer::InlineEncrypted)
    } else if whole(BEGIN_SIGNED, END_SIGNATURE) {
        Some(Layer::InlineSigned)
    } else {
        None
    }
}

/// The first inline block of a text, for one that has text around it.
pub(super) fn inline_block(body: &[u8]) -> Option<(Layer, std::ops::Range<usize>)> {
    let kinds = [
        (Layer::InlineEncrypted, BEGIN_MESSAGE, END_MESSAGE),
        (Layer::InlineSigned, BEGIN_SIGNED, END_SIGNATURE),
    ];
    let blocks = kinds.into_iter().filter_map(|(layer, begin, end)| {
        let start = memchr::memmem::find(body, begin.as_bytes())?;
        let length = memchr::memmem::find(&body[start..], end.as_bytes())? + end.len();
        Some((layer, start..start + length))
    });
    blocks.min_by_key(|(_, range)| range.start)
}
