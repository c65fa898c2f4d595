// SPDX-License-Identifier: LGPL-2.0-or-later
//! Content transfer encodings (RFC 2045 section 6). Decoding is lenient: what is broken shows as it stands.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

/// How a body was made fit for transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary, and everything unknown.
    Identity,
    /// `binary`: line ends are data.
    Binary,
    /// quoted-printable.
    QuotedPrintable,
    /// base64.
    Base64,
}

impl Encoding {
    /// Reads an unfolded Content-Transfer-Encoding.
    pub fn parse(value: &[u8]) -> Self {
        let token = value.split(|byte| matches!(byte, b';' | b' ' | b'(')).next().unwrap_or_default();
        match token.to_ascii_lowercase().as_slice() {
            b"base64" => Self::Base64,
            b"quoted-printable" => Self::QuotedPrintable,
            b"binary" => Self::Binary,
            _ => Self::Identity,
        }
    }
}

/// Takes a transfer encoding off.
pub fn decode(encoding: Encoding, body: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Identity | Encoding::Binary => body.to_vec(),
        Encoding::Base64 => decode_base64(body),
        Encoding::QuotedPrintable => decode_quoted_printable(body),
    }
}

/// Base64 in lines of 76 characters with CRLF.
pub fn encode_base64(body: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(body);
    let mut lines = Vec::with_capacity(encoded.len() + encoded.len() / 38 + 2);
    for line in encoded.as_bytes().chunks(76) {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// Quoted-printable for text with CRLF line ends. Safe against what transports do: white space at line ends, `From `
/// and single dots at line starts, and lines over 76 characters.
pub fn encode_quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 8);
    for (at, line) in split_lines(text).enumerate() {
        if at > 0 {
            encoded.extend_from_slice(b"\r\n");
        }
        let mut column = 0;
        for (position, &byte) in line.iter().enumerate() {
            let last = position + 1 == line.len();
            let starts_from = position == 0 && line.starts_with(b"From ");
            let only_dot = position == 0 && byte == b'.';
            let plain = match byte {
                b' ' | b'\t' => !last,
                b'=' => false,
                33..=126 => !(starts_from || only_dot),
                _ => false,
            };
            let width = if plain { 1 } else { 3 };
            // 75, so that the "=" of a soft break still fits.
            if column + width > 75 {
                encoded.extend_from_slice(b"=\r\n");
                column = 0;
            }
            // After a soft break the byte stands at a line start again.
            let at_start = column == 0 && (byte == b'.' || line[position..].starts_with(b"From "));
            if plain && !at_start {
                encoded.push(byte);
                column += 1;
            } else {
                encoded.extend_from_slice(format!("={byte:02X}").as_bytes());
                column += 3;
            }
        }
    }
    encoded
}

fn split_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr::memmem::find(text, b"\r\n") {
            Some(end) => {
                rest = Some(&text[end + 2..]);
                Some(&text[..end])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

fn decode_base64(body: &[u8]) -> Vec<u8> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut decoded = Vec::with_capacity(body.len() / 4 * 3);
    // Padding in the middle: several pieces that somebody concatenated.
    for piece in body.split(|&byte| byte == b'=') {
        let mut letters: Vec<u8> = piece
            .iter()
            .copied()
            .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
            .collect();
        if letters.len() % 4 == 1 {
            letters.pop();
        }
        // Only letters of the alphabet in a possible number are left, so this cannot fail.
        decoded.extend(LENIENT.decode(&letters).unwrap_or_default());
    }
    decoded
}

fn decode_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let (content, end) = match line {
            [content @ .., b'\r', b'\n'] => (content, &b"\r\n"[..]),
            [content @ .., b'\n'] => (content, &b"\n"[..]),
            content => (content, &b""[..]),
        };
        // White space at the end of a line was added in transport.
        let mut rest = content.trim_ascii_end();
        let mut soft_break = false;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            if byte != b'=' {
                decoded.push(byte);
                continue;
            }
            match hex_octet(tail) {
                Some(octet) => {
                    decoded.push(octet);
                    rest = &tail[2..];
                }
                None if tail.is_empty() => soft_break = true,
                None => decoded.push(byte),
            }
        }
        if !soft_break {
            decoded.extend_from_slice(end);
        }
    }
    decoded
}

/// The octet that two hexadecimal digits at the beginning of `bytes` stand for.
pub(super) fn hex_octet(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (high, low) = (digit(*bytes.first()?)?, digit(*bytes.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_printable_survives_what_transports_do() {
        let encoded = encode_quoted_printable(b"From me\r\n.\r\ntrailing \r\n=\r\n");
        assert_eq!(encoded, b"=46rom me\r\n=2E\r\ntrailing=20\r\n=3D\r\n");
    }

    #[test]
    fn broken_encodings_lose_nothing_that_is_readable() {
        assert_eq!(decode(Encoding::Base64, b"aGVs bG8h\r\nIQ==\r\n IQ=="), b"hello!!!");
        assert_eq!(decode(Encoding::Base64, b"a"), b"");
        assert_eq!(decode(Encoding::QuotedPrintable, b"50=25 =ZZ =\r\nnext  \r\n"), b"50% =ZZ next\r\n");
    }

    proptest! {
        #[test]
        fn base64_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(Encoding::Base64, &encode_base64(&bytes)), bytes);
        }

        #[test]
        fn quoted_printable_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let encoded = encode_quoted_printable(&bytes);
            prop_assert!(encoded.split(|&byte| byte == b'\n').all(|line| line.len() <= 77));
            prop_assert!(encoded.iter().all(|&byte| byte < 127));
            prop_assert_eq!(decode(Encoding::QuotedPrintable, &encoded), bytes);
        }
    }
}
