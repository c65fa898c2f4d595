// SPDX-License-Identifier: LGPL-2.0-or-later
//! One header field.

use std::ops::Range;

use super::words;

/// One header field of an entity, borrowed from its document.
#[derive(Clone, Debug)]
pub struct FieldRef<'a> {
    /// As written.
    pub name: &'a str,
    /// Everything behind the colon, folds and final line end included.
    pub value: &'a [u8],
    /// Name, value and final line end, in the document.
    pub range: Range<usize>,
    /// The bytes of `range`.
    pub bytes: &'a [u8],
}

impl FieldRef<'_> {
    /// Is this its name? Case-insensitive.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value on one line, without surrounding white space. Encoded words stay encoded.
    pub fn unfolded(&self) -> Vec<u8> {
        unfold(self.value)
    }

    /// The value for people: unfolded, encoded words decoded, without control characters.
    pub fn decoded(&self) -> String {
        words::decode(&self.unfolded())
    }

    /// Does the field hold a byte that some programs take for the end of a line (bare CR, NUL)?
    pub fn is_ambiguous(&self) -> bool {
        let bytes = self.bytes;
        bytes.contains(&0)
            || bytes.iter().enumerate().any(|(at, &byte)| byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
    }

    /// Structural fields describe the body and are never protected by copying (RFC 9788 section 1.8).
    pub fn is_structural(&self) -> bool {
        self.is("MIME-Version")
            || self.name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("Content-"))
    }
}

/// Removes line ends (the white space that follows them stays) and trims.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(value.len());
    for (at, &byte) in value.iter().enumerate() {
        let ends_line = byte == b'\n' || (byte == b'\r' && matches!(value.get(at + 1), Some(b'\n') | None));
        if !ends_line {
            line.push(byte);
        }
    }
    line.trim_ascii().to_vec()
}
