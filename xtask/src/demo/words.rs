// SPDX-License-Identifier: LGPL-2.0-or-later
//! Encoded words, addresses and file names of mail headers, for showing them. Good enough for a demo; `core::mime`
//! does it properly.

/// Addresses of a field's value: what stands in `<…>`, or bare words with an `@`.
pub(crate) fn addresses(value: &str) -> Vec<String> {
    value.split(',').filter_map(address).collect()
}

fn address(one: &str) -> Option<String> {
    let bare = match one.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next()?,
        None => one,
    };
    let bare = bare.trim();
    (bare.contains('@') && !bare.contains(char::is_whitespace)).then(|| bare.to_owned())
}

/// `=?UTF-8?Q?M=C3=BCller?=` → `Müller` (RFC 2047).
pub(crate) fn decoded(value: &str) -> String {
    // White space between two encoded words belongs to neither.
    let value = value.replace("?= =?", "?==?");
    let mut out = String::new();
    let mut rest = value.as_str();
    while let Some((before, word, after)) = encoded_word(rest) {
        out.push_str(before);
        out.push_str(&word);
        rest = after;
    }
    out + rest
}

fn encoded_word(text: &str) -> Option<(&str, String, &str)> {
    let (before, inner) = text.split_once("=?")?;
    let mut fields = inner.splitn(3, '?');
    let (_charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (encoded, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "Q" | "q" => percent_decoded(&encoded.replace('_', " "), b'='),
        "B" | "b" => base64_decoded(encoded),
        _ => return None,
    };
    Some((before, String::from_utf8_lossy(&bytes).into_owned(), after))
}

/// The name in a Content-Disposition field, plain or as RFC 2231 has it.
pub(crate) fn file_name(field: &str) -> Option<String> {
    if let Some((_, value)) = field.split_once("filename*=") {
        let encoded = value.split(';').next()?.rsplit('\'').next()?;
        return Some(String::from_utf8_lossy(&percent_decoded(encoded.trim(), b'%')).into_owned());
    }
    let (_, value) = field.split_once("filename=")?;
    let name = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split(';').next()?.trim(),
    };
    Some(decoded(name))
}

/// `=C3=BC` or `%C3%BC` → bytes.
fn percent_decoded(text: &str, mark: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octet = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match octet {
            Some(octet) if *first == mark => {
                out.push(octet);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn base64_decoded(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|letter| *letter == byte) else { continue };
        bits = bits << 6 | u32::try_from(value).unwrap_or(0);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read_in_both_encodings() {
        assert_eq!(decoded("=?UTF-8?Q?Z=C3=BCrich:_a?= =?UTF-8?Q?_b?= c"), "Zürich: a b c");
        assert_eq!(decoded("Re: =?utf-8?B?R3LDvMOfZQ==?="), "Re: Grüße");
        assert_eq!(decoded("no =? words"), "no =? words");
    }

    #[test]
    fn addresses_are_found_with_and_without_names() {
        assert_eq!(
            addresses("Bob <bob@example.test>, eve@example.test"),
            ["bob@example.test", "eve@example.test"]
        );
        assert!(addresses("undisclosed-recipients:;").is_empty());
    }

    #[test]
    fn file_names_are_read_in_both_forms() {
        assert_eq!(file_name("x; filename*=UTF-8''M%C3%BCller.csv").as_deref(), Some("Müller.csv"));
        assert_eq!(file_name("x; filename=\"a b.pdf\"").as_deref(), Some("a b.pdf"));
    }
}
