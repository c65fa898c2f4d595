// SPDX-License-Identifier: LGPL-2.0-or-later
//! Finds the entities of a mail.
//!
//! A line ends in CRLF or in LF; a bare CR ends none. A boundary is a whole line (RFC 2046 section 5.1.1), never the
//! beginning of a longer one, and that of an outer multipart wins over everything inside. The work list is explicit:
//! a mail that nests ten thousand deep costs an error, not the stack.

use std::{borrow::Cow, ops::Range};

use memchr::memmem;

use super::{Document, Entity, MediaType, MimeError, document::FieldRange, field::unfold};

/// Several times what RFC 2046 section 5.1.1 allows.
const LONGEST_BOUNDARY: usize = 256;

/// Bounds on what a stranger's mail may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entities within entities.
    pub depth: usize,
    /// Entities altogether.
    pub parts: usize,
    /// Bytes of one header section.
    pub header_bytes: usize,
    /// Fields of one header section.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 100, parts: 1_000, header_bytes: 1 << 20, fields: 5_000 }
    }
}

/// Finds every entity of `bytes` within the default [`Limits`].
pub fn parse<'a>(bytes: impl Into<Cow<'a, [u8]>>) -> Result<Document<'a>, MimeError> {
    parse_within(bytes, &Limits::default())
}

/// Finds every entity of `bytes` within `limits`.
pub(crate) fn parse_within<'a>(
    bytes: impl Into<Cow<'a, [u8]>>,
    limits: &Limits,
) -> Result<Document<'a>, MimeError> {
    let bytes = bytes.into();
    let mut entities: Vec<Entity> = Vec::new();
    let mut waiting = vec![Waiting {
        range: 0..bytes.len(),
        parent: None,
        path: "1".to_owned(),
        boundaries: Vec::new(),
        in_digest: false,
    }];
    // A stack whose siblings are pushed in reverse yields document order.
    while let Some(next) = waiting.pop() {
        if entities.len() == limits.parts {
            return Err(MimeError::TooManyParts { limit: limits.parts });
        }
        let id = entities.len();
        if let Some(parent) = next.parent {
            entities[parent].children.push(id);
        }
        let mut entity = entity(&bytes, &next, limits)?;
        let parts = split(&bytes, &mut entity, &next.boundaries, limits.parts)?;
        if !parts.is_empty() && next.path.bytes().filter(|&byte| byte == b'.').count() + 1 >= limits.depth {
            return Err(MimeError::TooDeep { limit: limits.depth });
        }
        let in_digest = entity.media_type.is("multipart", "digest");
        let mut boundaries = next.boundaries;
        boundaries.extend(boundary(&entity));
        for (at, range) in parts.into_iter().enumerate().rev() {
            waiting.push(Waiting {
                range,
                parent: Some(id),
                path: format!("{}.{}", next.path, at + 1),
                boundaries: boundaries.clone(),
                in_digest,
            });
        }
        entities.push(entity);
    }
    Ok(Document { bytes, entities })
}

/// An entity whose place is known and whose inside is not.
struct Waiting {
    range: Range<usize>,
    parent: Option<usize>,
    path: String,
    boundaries: Vec<String>,
    in_digest: bool,
}

fn entity(bytes: &[u8], waiting: &Waiting, limits: &Limits) -> Result<Entity, MimeError> {
    let section = header_section(bytes, waiting.range.clone(), limits)?;
    let declared = section.fields.iter().find_map(|field| {
        let is_type = bytes[field.name.clone()].eq_ignore_ascii_case(b"Content-Type");
        is_type.then(|| MediaType::parse(&unfold(&bytes[field.value.clone()])))?
    });
    let default =
        if waiting.in_digest { MediaType::new("message", "rfc822") } else { MediaType::new("text", "plain") };
    Ok(Entity {
        path: waiting.path.clone(),
        parent: waiting.parent,
        children: Vec::new(),
        range: waiting.range.clone(),
        header: section.header,
        preamble: section.body.start..section.body.start,
        epilogue: section.body.end..section.body.end,
        body: section.body,
        declared: declared.is_some(),
        media_type: declared.unwrap_or(default),
        unclosed: false,
        ambiguous_boundary: false,
        broken_header: section.broken,
        fields: section.fields,
    })
}

struct HeaderSection {
    header: Range<usize>,
    body: Range<usize>,
    fields: Vec<FieldRange>,
    broken: bool,
}

fn header_section(bytes: &[u8], range: Range<usize>, limits: &Limits) -> Result<HeaderSection, MimeError> {
    let mut fields: Vec<FieldRange> = Vec::new();
    let mut at = range.start;
    loop {
        if at - range.start > limits.header_bytes {
            return Err(MimeError::HeaderTooLarge { limit_bytes: limits.header_bytes });
        }
        let window = &bytes[at..range.end];
        let length = memchr::memchr(b'\n', window).map_or(window.len(), |end| end + 1);
        let line = &window[..length];
        let next = at + length;
        let section = |body: usize, broken: bool, fields| HeaderSection {
            header: range.start..at,
            body: body..range.end,
            fields,
            broken,
        };
        if matches!(line, b"\n" | b"\r\n") {
            return Ok(section(next, false, fields));
        }
        if line.is_empty() {
            return Ok(section(at, false, fields));
        }
        let continues = matches!(line[0], b' ' | b'\t');
        let full = fields.len() == limits.fields;
        match (continues, fields.last_mut(), name_length(line)) {
            (true, Some(field), _) => {
                field.value.end = next;
                field.all.end = next;
            }
            (false, _, Some(_)) if full => {
                return Err(MimeError::TooManyFields { limit: limits.fields });
            }
            (false, _, Some((name, colon))) => {
                fields.push(FieldRange { name: at..at + name, value: at + colon + 1..next, all: at..next })
            }
            // "From alice Mon Jan ..." or ">From ...": mbox stores and some relays put it in front.
            _ if at == range.start && is_mbox_line(line) => {}
            _ => return Ok(section(at, true, fields)),
        }
        at = next;
    }
}

/// Length of the field name and position of its colon. White space before the colon is obsolete but legal to read.
fn name_length(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let printable = name.iter().all(|&byte| byte.is_ascii_graphic());
    (printable && !name.is_empty()).then_some((name.len(), colon))
}

fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

fn boundary(entity: &Entity) -> Option<String> {
    if !entity.media_type.is("multipart", "*") {
        return None;
    }
    // RFC 2046 allows 70 characters; a boundary as long as a book is there to cost memory for every part.
    let usable = |boundary: &&str| (1..=LONGEST_BOUNDARY).contains(&boundary.len());
    entity.media_type.parameter("boundary").filter(usable).map(str::to_owned)
}

/// Ranges of the parts of a multipart, or of the mail in a message/rfc822.
fn split(
    bytes: &[u8],
    entity: &mut Entity,
    outer: &[String],
    most: usize,
) -> Result<Vec<Range<usize>>, MimeError> {
    let body = entity.body.clone();
    if entity.media_type.is("message", "rfc822") || entity.media_type.is("message", "global") {
        return Ok(if body.is_empty() { Vec::new() } else { vec![body] });
    }
    if !entity.media_type.is("multipart", "*") {
        return Ok(Vec::new());
    }
    let Some(boundary) = boundary(entity) else {
        entity.unclosed = true;
        return Ok(Vec::new());
    };
    entity.ambiguous_boundary =
        outer.iter().any(|other| other.starts_with(&boundary) || boundary.starts_with(other.as_str()));

    let delimiter = format!("--{boundary}");
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut open: Option<usize> = None;
    let mut closed = false;
    for found in memmem::find_iter(&bytes[body.clone()], delimiter.as_bytes()) {
        let line_start = body.start + found;
        let Some((line_end, closes)) = boundary_line(bytes, &body, line_start, delimiter.len()) else {
            continue;
        };
        let before = without_line_end(bytes, body.start, line_start);
        match open {
            Some(start) => parts.push(start.min(before)..before),
            None => entity.preamble = body.start..before,
        }
        if parts.len() > most {
            return Err(MimeError::TooManyParts { limit: most });
        }
        open = Some(line_end);
        if closes {
            entity.epilogue = line_end..body.end;
            closed = true;
            break;
        }
    }
    if !closed {
        entity.unclosed = true;
        if let Some(start) = open {
            parts.push(start..body.end);
        }
    }
    Ok(parts)
}

/// Is the delimiter at `start` a whole line? Gives the end of that line, and whether it closes the multipart.
fn boundary_line(bytes: &[u8], body: &Range<usize>, start: usize, length: usize) -> Option<(usize, bool)> {
    if start != body.start && bytes[start - 1] != b'\n' {
        return None;
    }
    let rest = &bytes[start + length..body.end];
    let (rest, closes) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let after = &rest[padding..];
    let line_end = match after {
        [] => 0,
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        [b'\r'] => 1,
        _ => return None,
    };
    Some((body.end - after.len() + line_end, closes))
}

fn without_line_end(bytes: &[u8], start: usize, end: usize) -> usize {
    match &bytes[start..end] {
        [.., b'\r', b'\n'] => end - 2,
        [.., b'\n'] => end - 1,
        _ => end,
    }
}

#[cfg(test)]
mod tests;
