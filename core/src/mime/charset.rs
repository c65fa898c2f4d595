// SPDX-License-Identifier: LGPL-2.0-or-later
//! Text out of bytes in some character set.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Decodes for display. Unknown or missing labels are read as UTF-8 when the bytes fit, else as Windows-1252.
/// Byte order marks do not override the label: two programs must not read two texts out of one signed part.
pub fn decode(label: Option<&str>, bytes: &[u8]) -> String {
    let named = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    // US-ASCII is an alias of Windows-1252 there; a sender who says ASCII and writes UTF-8 means UTF-8.
    let named = named.filter(|&encoding| encoding != WINDOWS_1252);
    let encoding = match named {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let text = encoding.decode_without_bom_handling(bytes).0;
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn labels_are_followed_and_their_absence_is_survived() {
        assert_eq!(decode(Some("iso-8859-1"), b"sch\xf6n"), "schön");
        assert_eq!(decode(Some("us-ascii"), "schön".as_bytes()), "schön");
        assert_eq!(decode(None, b"sch\xf6n"), "schön");
        assert_eq!(decode(Some("x-nonsense"), "€".as_bytes()), "€");
        assert_eq!(decode(Some("iso-2022-jp"), b"\x1b$B\x46|\x4bL\x1b(B"), "日北");
        assert_eq!(decode(Some("utf-8"), b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
