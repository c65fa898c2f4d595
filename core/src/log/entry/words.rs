// SPDX-License-Identifier: LGPL-2.0-or-later
//! Text that goes into an entry: codes that programs compare, and bounded text for people.

use serde::Serialize;

/// Claims and explanations.
pub(super) const MAX_TEXT_BYTES: usize = 512;
/// Each of an action's particulars.
pub(super) const MAX_DETAIL_BYTES: usize = 256;
const MAX_CODE_BYTES: usize = 64;

/// Stands where text was cut off.
const CUT: &str = "…";

/// Lower-case letters, digits and single hyphens between them.
pub(super) fn is_code(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'));
    text.len() <= MAX_CODE_BYTES && text.split('-').all(is_word)
}

pub(super) fn is_text(text: &str, limit: usize) -> bool {
    text.len() <= limit && !text.contains(char::is_control)
}

/// The text without control characters (they could rewrite what a terminal shows), at most `limit` bytes.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short = String::new();
    for c in text.chars().map(clean) {
        if short.len() + c.len_utf8() > limit {
            while short.len() + CUT.len() > limit {
                short.pop();
            }
            return short + CUT;
        }
        short.push(c);
    }
    short
}

/// How a plain enumeration is spelled in JSON.
pub(super) fn code_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case() {
        for code in ["unwrap", "log-in-with-code", "rfc9580", &"a".repeat(64)] {
            assert!(is_code(code), "{code}");
        }
        for wrong in ["", "-", "a-", "-a", "a--b", "Unwrap", "a b", "a_b", "é", &"a".repeat(65)] {
            assert!(!is_code(wrong), "{wrong}");
        }
    }

    #[test]
    fn text_is_cut_at_a_character_and_says_so() {
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("shorter", 6), "sho…");
        assert_eq!(shortened("ééééé", 7), "éé…");
        assert_eq!(shortened("a\x1b[2Jb\n", 30), "a\u{fffd}[2Jb\u{fffd}");
        for limit in 3..40 {
            assert!(is_text(&shortened(&"\0é€\u{10348}".repeat(20), limit), limit), "{limit}");
        }
    }
}
