// SPDX-License-Identifier: LGPL-2.0-or-later
//! A parsed mail: its bytes, and where each entity lies in them.

use std::{borrow::Cow, ops::Range};

use super::{FieldRef, MediaType, transfer};

/// Position of an entity in [`Document::entities`]; parents come before their children.
pub type EntityId = usize;

/// One mail, or one decrypted payload, with the tree of its entities. Bytes stay as they came.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) entities: Vec<Entity>,
}

/// One entity (RFC 2045 section 2.4): a header section and a body, as byte ranges of the document.
#[derive(Clone, Debug)]
pub struct Entity {
    /// `1` is the document itself, `1.1` its first child.
    pub path: String,
    /// The entity that holds this one.
    pub parent: Option<EntityId>,
    /// Parts of a multipart, or the mail in a `message/rfc822`.
    pub children: Vec<EntityId>,
    /// Header and body. The line end before a boundary belongs to the boundary.
    pub range: Range<usize>,
    /// Header fields, without the empty line.
    pub header: Range<usize>,
    /// Everything after the empty line.
    pub body: Range<usize>,
    /// Text before the first boundary of a multipart, which no mail program shows.
    pub preamble: Range<usize>,
    /// Text after the closing boundary.
    pub epilogue: Range<usize>,
    /// Declared type, or what RFC 2045 and RFC 2046 say when there is none.
    pub media_type: MediaType,
    /// Was there a Content-Type that could be read?
    pub declared: bool,
    /// A multipart whose closing boundary is missing, or whose boundary is not there at all.
    pub unclosed: bool,
    /// A multipart whose boundary repeats or begins that of a surrounding one: programs disagree on its parts.
    pub ambiguous_boundary: bool,
    /// The header section ended in a line that is no field, without an empty line.
    pub broken_header: bool,
    pub(super) fields: Vec<FieldRange>,
}

/// Where a header field lies. The value begins behind the colon and still holds its folds.
#[derive(Clone, Debug)]
pub(super) struct FieldRange {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) all: Range<usize>,
}

impl<'a> Document<'a> {
    /// The bytes that all ranges count in.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Every entity in document order; the first is the document itself.
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// The document itself.
    pub fn root(&self) -> &Entity {
        &self.entities[0]
    }

    /// One entity.
    pub fn entity(&self, id: EntityId) -> &Entity {
        &self.entities[id]
    }

    /// The entity at a MIME path.
    pub fn find(&self, path: &str) -> Option<EntityId> {
        self.entities.iter().position(|entity| entity.path == path)
    }

    /// Header fields of an entity in order.
    pub fn fields(&self, id: EntityId) -> impl Iterator<Item = FieldRef<'_>> {
        self.entities[id].fields.iter().map(|field| FieldRef {
            name: std::str::from_utf8(&self.bytes[field.name.clone()]).unwrap_or_default(),
            value: &self.bytes[field.value.clone()],
            range: field.all.clone(),
            bytes: &self.bytes[field.all.clone()],
        })
    }

    /// The first header field of that name, case-insensitive.
    pub fn field(&self, id: EntityId, name: &str) -> Option<FieldRef<'_>> {
        self.fields(id).find(|field| field.is(name))
    }

    /// The body as it lies in the mail.
    pub fn raw_body(&self, id: EntityId) -> &[u8] {
        &self.bytes[self.entities[id].body.clone()]
    }

    /// The body with its transfer encoding taken off. Multiparts have none.
    pub fn decoded_body(&self, id: EntityId) -> Vec<u8> {
        let raw = self.raw_body(id);
        if self.entities[id].media_type.is("multipart", "*") {
            return raw.to_vec();
        }
        transfer::decode(self.transfer_encoding(id), raw)
    }

    /// Declared transfer encoding of an entity.
    pub fn transfer_encoding(&self, id: EntityId) -> transfer::Encoding {
        let value = self.field(id, "Content-Transfer-Encoding").map(|field| field.unfolded());
        transfer::Encoding::parse(value.as_deref().unwrap_or(b"7bit"))
    }

    /// An entity and everything below it.
    pub fn descendants(&self, id: EntityId) -> impl Iterator<Item = EntityId> + '_ {
        // Parents come first and a subtree is contiguous, so the end is the next entity that is not below.
        let prefix = format!("{}.", self.entities[id].path);
        (id..self.entities.len())
            .take_while(move |&at| at == id || self.entities[at].path.starts_with(&prefix))
    }

    /// Takes a copy of borrowed bytes, so that the document can outlive the mail it was read from.
    pub fn into_owned(self) -> Document<'static> {
        Document { bytes: Cow::Owned(self.bytes.into_owned()), entities: self.entities }
    }
}
