// SPDX-License-Identifier: LGPL-2.0-or-later
//! What may be displayed of a text part: plain text, nothing active, remote, hidden or conditional.
//!
//! Each part is viewed by itself. There is no call that takes two parts, so nothing is ever joined across a
//! cryptographic boundary, and there is nothing here that could fetch anything.

use super::{MediaType, charset, html};

/// Text for display, and what had to go for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeText {
    /// Lines end in LF. No control characters but tabs.
    pub text: String,
    /// Kinds of content that were left out.
    pub dropped: Dropped,
}

/// Kinds of content that a view leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Scripts, forms, frames, embedded objects.
    pub active: bool,
    /// Anything that would be fetched: images, style sheets, fonts.
    pub remote: bool,
    /// Text that the sender's styles make invisible.
    pub hidden: bool,
    /// Content or styles that depend on the program, its window or its version: two readers see two texts.
    pub conditional: bool,
}

/// The text of a decoded body, when it is one that can be shown.
pub fn text(media_type: &MediaType, decoded: &[u8]) -> Option<SafeText> {
    if media_type.kind != "text" {
        return None;
    }
    let text = charset::decode(media_type.parameter("charset"), decoded);
    if media_type.subtype == "html" {
        return Some(html::to_text(&text));
    }
    Some(SafeText { text: displayable(&text), dropped: Dropped::default() })
}

/// Line ends become LF; control characters and what reorders text go.
pub(super) fn displayable(text: &str) -> String {
    let harmless = |&c: &char| match c {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_cannot_drive_a_terminal() {
        let view =
            text(&MediaType::new("text", "plain"), b"a\x1b[2Jb\r\nc\rd\0\x07 \xe2\x80\xaee").expect("text");
        assert_eq!(view.text, "a[2Jb\nc\nd e");
    }

    #[test]
    fn other_types_have_no_text() {
        assert_eq!(text(&MediaType::new("image", "svg+xml"), b"<svg/>"), None);
    }
}
