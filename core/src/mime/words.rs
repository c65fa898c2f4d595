// SPDX-License-Identifier: LGPL-2.0-or-later
//! Encoded words (RFC 2047): non-ASCII text in header fields.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{charset, transfer};

/// Many times what RFC 2047 section 2 allows, because some senders do not split their words.
const LONGEST_WORD: usize = 1024;

/// Decodes an unfolded header value for people. Control characters become spaces: a value stays one line.
pub fn decode(value: &[u8]) -> String {
    let mut text = String::new();
    // Bytes of adjacent words in one character set are joined first: some senders split inside a character.
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = value;
    while !rest.is_empty() {
        let space = rest.len() - rest.trim_ascii_start().len();
        if let Some((word, length)) = encoded_word(&rest[space..]) {
            match &mut pending {
                Some((label, bytes)) if *label == word.label => bytes.extend(word.bytes),
                _ => {
                    if pending.is_none() {
                        text.push_str(&charset::decode(None, &rest[..space]));
                    }
                    flush(&mut text, &mut pending);
                    pending = Some((word.label, word.bytes));
                }
            }
            rest = &rest[space + length..];
            continue;
        }
        flush(&mut text, &mut pending);
        // Up to where the next encoded word could begin.
        let from = space + usize::from(space < rest.len());
        let end = rest[from..]
            .windows(2)
            .position(|pair| pair == b"=?" || (pair[0].is_ascii_whitespace() && pair[1] == b'='))
            .map_or(rest.len(), |at| from + at);
        text.push_str(&charset::decode(None, &rest[..end]));
        rest = &rest[end..];
    }
    flush(&mut text, &mut pending);
    without_controls(&text)
}

/// Replaces everything that could end or reorder a line: controls, line separators, bidirectional overrides.
pub fn without_controls(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' => ' ',
        '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{200e}'
        | '\u{200f}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// Encodes text for an unstructured field or a phrase. ASCII that needs no encoding stays as it is.
pub fn encode(text: &str) -> String {
    let text = without_controls(text);
    if text.is_ascii() && !text.contains("=?") {
        return text;
    }
    // 75 characters per word, 12 of them around it: 45 bytes become 60 characters.
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}

fn flush(text: &mut String, pending: &mut Option<(String, Vec<u8>)>) {
    if let Some((label, bytes)) = pending.take() {
        text.push_str(&charset::decode(Some(&label), &bytes));
    }
}

struct Word {
    label: String,
    bytes: Vec<u8>,
}

/// An encoded word at the beginning of `bytes`, and its length.
fn encoded_word(bytes: &[u8]) -> Option<(Word, usize)> {
    let inside = bytes.strip_prefix(b"=?")?;
    // RFC 2047 allows 75 characters. Looking further for an end that never comes would take quadratic time.
    let inside = &inside[..inside.len().min(LONGEST_WORD)];
    let mut pieces = inside.splitn(3, |&byte| byte == b'?');
    let (label, encoding, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let end = memchr::memmem::find(text, b"?=")?;
    let text = &text[..end];
    if label.is_empty() || !label.is_ascii() || text.iter().any(u8::is_ascii_whitespace) && !is_q(encoding) {
        return None;
    }
    let decoded = match encoding {
        b"B" | b"b" => transfer::decode(transfer::Encoding::Base64, text),
        b"Q" | b"q" => {
            let spaces: Vec<u8> = text.iter().map(|&byte| if byte == b'_' { b' ' } else { byte }).collect();
            // Quoted-printable drops white space at the end of a line; here it is part of the text.
            let mut decoded = transfer::decode(transfer::Encoding::QuotedPrintable, spaces.trim_ascii_end());
            decoded.resize(decoded.len() + spaces.len() - spaces.trim_ascii_end().len(), b' ');
            decoded
        }
        _ => return None,
    };
    // RFC 2231 section 5: a language may follow the character set.
    let label = String::from_utf8_lossy(label).split('*').next().unwrap_or_default().to_ascii_lowercase();
    let length = 2 + label_length(inside) + 1 + encoding.len() + 1 + end + 2;
    Some((Word { label, bytes: decoded }, length))
}

fn is_q(encoding: &[u8]) -> bool {
    encoding.eq_ignore_ascii_case(b"q")
}

fn label_length(inside: &[u8]) -> usize {
    memchr::memchr(b'?', inside).unwrap_or(inside.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_decoded_and_joined() {
        let cases: &[(&str, &str)] = &[
            ("plain text", "plain text"),
            ("=?utf-8?q?sch=C3=B6n?=", "schön"),
            ("=?ISO-8859-1?Q?sch=F6n?= und gut", "schön und gut"),
            ("vor =?utf-8?B?w7Y=?= nach", "vor ö nach"),
            ("=?utf-8?B?w7Y=?= =?utf-8?B?w7Y=?=", "öö"),
            ("=?utf-8?B?ww==?= =?utf-8?B?tg==?=", "ö"),
            ("=?utf-8?q?a_b?= c", "a b c"),
            ("=?utf-8*de?q?a?=", "a"),
            ("=?broken", "=?broken"),
            ("a=?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?line=0D=0ABcc:_x?=", "line  Bcc: x"),
        ];
        for (encoded, decoded) in cases {
            assert_eq!(decode(encoded.as_bytes()), *decoded, "{encoded}");
        }
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_give_the_same_text(text in "\\PC{0,120}") {
            let expected = without_controls(&text);
            prop_assert!(encode(&text).is_ascii());
            let decoded = decode(encode(&text).trim_ascii().as_bytes());
            prop_assert_eq!(decoded.trim(), expected.trim());
        }

        #[test]
        fn decoding_never_panics_and_never_yields_line_ends(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!decode(&bytes).chars().any(char::is_control));
        }
    }
}
