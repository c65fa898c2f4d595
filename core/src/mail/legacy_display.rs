// SPDX-License-Identifier: LGPL-2.0-or-later
//! Legacy display elements (RFC 9788 section 5.2): hidden fields repeated in the text, for readers who decrypt but
//! do not know header protection. Written on request, always taken off again.

use std::ops::Range;

use super::{
    edit::Edit,
    wire::{OutField, crlf},
};
use crate::mime::{
    Document, EntityId,
    media_type::parameter_ranges,
    transfer::{self, Encoding},
};

const DIV_OPEN: &str = "<div class=\"header-protection-legacy-display\">";
const PARAMETER: &str = "hp-legacy-display";

/// The parts that a reader sees first (RFC 9788 section 1.7, main body parts).
pub(super) fn main_bodies(document: &Document<'_>, payload: EntityId) -> Vec<EntityId> {
    let mut bodies = Vec::new();
    let mut waiting = vec![payload];
    while let Some(id) = waiting.pop() {
        let entity = document.entity(id);
        let (kind, subtype) = (entity.media_type.kind.as_str(), entity.media_type.subtype.as_str());
        match (kind, subtype) {
            ("text", "plain" | "html") if id == payload || !is_attachment(document, id) => bodies.push(id),
            ("multipart", "alternative") => waiting.extend(entity.children.iter().rev()),
            ("multipart", "mixed" | "related") => waiting.extend(entity.children.first()),
            _ => {}
        }
    }
    bodies
}

pub(super) fn is_attachment(document: &Document<'_>, id: EntityId) -> bool {
    let disposition = document.field(id, "Content-Disposition").map(|field| field.unfolded());
    disposition.is_some_and(|value| value.trim_ascii_start().to_ascii_lowercase().starts_with(b"attachment"))
}

/// Edits that put `hidden` (name and decoded value) into the main bodies.
pub(super) fn insertions(
    document: &Document<'_>,
    payload: EntityId,
    hidden: &[(String, String)],
) -> Vec<Edit> {
    if hidden.is_empty() {
        return Vec::new();
    }
    main_bodies(document, payload).into_iter().flat_map(|id| insertion(document, id, hidden)).collect()
}

fn insertion(document: &Document<'_>, id: EntityId, hidden: &[(String, String)]) -> Vec<Edit> {
    let entity = document.entity(id);
    let charset = entity.media_type.parameter("charset").unwrap_or("us-ascii").to_ascii_lowercase();
    // What is not a superset of ASCII cannot be prepended to byte by byte.
    if charset.starts_with("utf-16") || charset.starts_with("utf-32") || charset.starts_with("iso-2022") {
        return Vec::new();
    }
    let is_html = entity.media_type.is("text", "html");
    let lines: Vec<String> = hidden.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let is_utf8 = charset == "utf-8";
    let text = lines.join("\r\n");
    if !is_html && !text.is_ascii() && !is_utf8 {
        return transcoded(document, id, &text);
    }
    let element = if is_html {
        format!("{DIV_OPEN}<pre>{}</pre></div>", escape_html(&lines.join("\n")))
    } else {
        format!("{text}\r\n\r\n")
    };
    let mut edits = vec![declare(document, id, &[(PARAMETER, "1")])];
    let at = |body: &[u8]| if is_html { after_body_tag(body) } else { 0 };
    match document.transfer_encoding(id) {
        Encoding::Identity | Encoding::Binary => {
            let start = entity.body.start + at(document.raw_body(id));
            edits.push(Edit { range: start..start, with: element.clone().into_bytes() });
            if !element.is_ascii() {
                edits.extend(encoding_field(document, id, "8bit"));
            }
        }
        // Lines before the text, or inside an HTML line: quoted-printable can be inserted without touching the rest,
        // as long as it does not land in the middle of an escape; so HTML is decoded and encoded as a whole.
        Encoding::QuotedPrintable if !is_html => {
            let encoded = transfer::encode_quoted_printable(element.as_bytes());
            edits.push(Edit { range: entity.body.start..entity.body.start, with: encoded });
        }
        encoding => {
            let mut decoded = document.decoded_body(id);
            let start = at(&decoded);
            decoded.splice(start..start, element.into_bytes());
            edits.push(Edit { range: entity.body.clone(), with: encode(encoding, &decoded) });
        }
    }
    edits
}

/// For text whose character set has no room for the hidden fields: the whole part becomes UTF-8.
fn transcoded(document: &Document<'_>, id: EntityId, text: &str) -> Vec<Edit> {
    let entity = document.entity(id);
    let old =
        crate::mime::charset::decode(entity.media_type.parameter("charset"), &document.decoded_body(id));
    let body = format!("{text}\r\n\r\n{old}").into_bytes();
    let encoding = document.transfer_encoding(id);
    let mut edits = vec![declare(document, id, &[("charset", "utf-8"), (PARAMETER, "1")])];
    edits.push(Edit { range: entity.body.clone(), with: encode(encoding, &body) });
    if matches!(encoding, Encoding::Identity) {
        edits.extend(encoding_field(document, id, "8bit"));
    }
    edits
}

/// Edits that take legacy display elements and their parameter off again.
pub(super) fn removals(document: &Document<'_>, payload: EntityId) -> Vec<Edit> {
    let marked = |&id: &EntityId| document.entity(id).media_type.parameter_is(PARAMETER, "1");
    let parts = main_bodies(document, payload).into_iter().filter(marked);
    parts
        .flat_map(|id| {
            let mut edits: Vec<Edit> = removal(document, id).into_iter().collect();
            edits.extend(parameter_removal(document, id, &[PARAMETER]));
            edits
        })
        .collect()
}

/// A part's content without its legacy display element.
pub(super) fn without(document: &Document<'_>, payload: EntityId, id: EntityId) -> Vec<u8> {
    let mut decoded = document.decoded_body(id);
    let is_main = || main_bodies(document, payload).contains(&id);
    let entity = document.entity(id);
    if entity.media_type.parameter_is(PARAMETER, "1")
        && is_main()
        && let Some(range) = element(&decoded, entity.media_type.is("text", "html"))
    {
        decoded.drain(range);
    }
    decoded
}

fn removal(document: &Document<'_>, id: EntityId) -> Option<Edit> {
    let entity = document.entity(id);
    let is_html = entity.media_type.is("text", "html");
    let encoding = document.transfer_encoding(id);
    let raw_lines =
        !matches!(encoding, Encoding::Base64) && (!is_html || encoding != Encoding::QuotedPrintable);
    if raw_lines {
        // An empty line is an empty line in quoted-printable too: the rest keeps its very bytes.
        let range = element(document.raw_body(id), is_html)?;
        let start = entity.body.start;
        return Some(Edit { range: start + range.start..start + range.end, with: Vec::new() });
    }
    let mut decoded = document.decoded_body(id);
    decoded.drain(element(&decoded, is_html)?);
    Some(Edit { range: entity.body.clone(), with: encode(encoding, &decoded) })
}

/// Where the element lies in a body.
fn element(body: &[u8], is_html: bool) -> Option<Range<usize>> {
    if is_html {
        let start = memchr::memmem::find(body, DIV_OPEN.as_bytes())
            .or_else(|| memchr::memmem::find(body, b"<div class='header-protection-legacy-display'>"))?;
        let length = memchr::memmem::find(&body[start..], b"</div>")? + b"</div>".len();
        return Some(start..start + length);
    }
    let crlf = memchr::memmem::find(body, b"\r\n\r\n").map(|at| at + 4);
    let lf = memchr::memmem::find(body, b"\n\n").map(|at| at + 2);
    [crlf, lf].into_iter().flatten().min().map(|end| 0..end)
}

fn encode(encoding: Encoding, body: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Base64 => transfer::encode_base64(body),
        Encoding::QuotedPrintable => transfer::encode_quoted_printable(&crlf(body)),
        Encoding::Identity | Encoding::Binary => body.to_vec(),
    }
}

/// An edit that adds or replaces parameters of an entity's Content-Type.
pub(super) fn declare(document: &Document<'_>, id: EntityId, parameters: &[(&str, &str)]) -> Edit {
    let entity = document.entity(id);
    let added: String = parameters.iter().map(|(name, value)| format!("; {name}=\"{value}\"")).collect();
    let field = document.field(id, "Content-Type").filter(|_| entity.declared);
    let Some(field) = field else {
        let default = format!("Content-Type: {}{added}\r\n", entity.media_type);
        return Edit { range: entity.header.end..entity.header.end, with: default.into_bytes() };
    };
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let mut value = without_parameters(OutField::copy(&field).value, &names);
    value.extend_from_slice(added.replacen("; ", ";\r\n ", 1).as_bytes());
    let mut with = Vec::new();
    OutField { name: field.name.to_owned(), value }.write(&mut with);
    Edit { range: field.range, with }
}

/// An edit that takes parameters off an entity's Content-Type, when it has any of them.
pub(super) fn parameter_removal(document: &Document<'_>, id: EntityId, names: &[&str]) -> Option<Edit> {
    let field = document.field(id, "Content-Type")?;
    let old = OutField::copy(&field);
    let value = without_parameters(old.value.clone(), names);
    if value == old.value {
        return None;
    }
    let mut with = Vec::new();
    OutField { name: old.name, value }.write(&mut with);
    Some(Edit { range: field.range, with })
}

/// A Content-Type value without some of its parameters; a trailing semicolon goes too.
pub(super) fn without_parameters(mut value: Vec<u8>, names: &[&str]) -> Vec<u8> {
    for (name, range) in parameter_ranges(&value).into_iter().rev() {
        if names.contains(&name.as_str()) {
            value.drain(range);
        }
    }
    let trimmed = value.trim_ascii_end();
    trimmed.strip_suffix(b";").unwrap_or(trimmed).trim_ascii_end().to_vec()
}

fn encoding_field(document: &Document<'_>, id: EntityId, encoding: &str) -> Option<Edit> {
    let with = format!("Content-Transfer-Encoding: {encoding}\r\n").into_bytes();
    let header_end = document.entity(id).header.end;
    let range =
        document.field(id, "Content-Transfer-Encoding").map_or(header_end..header_end, |field| field.range);
    Some(Edit { range, with })
}

fn after_body_tag(html: &[u8]) -> usize {
    let lower = html.to_ascii_lowercase();
    let Some(start) = memchr::memmem::find(&lower, b"<body") else { return 0 };
    memchr::memchr(b'>', &lower[start..]).map_or(0, |end| start + end + 1)
}

/// ASCII only, so that it fits every character set.
fn escape_html(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            c if c.is_ascii() => c.to_string(),
            c => format!("&#{};", u32::from(c)),
        })
        .collect()
}
