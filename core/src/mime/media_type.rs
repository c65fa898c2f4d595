// SPDX-License-Identifier: LGPL-2.0-or-later
//! Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2183), with parameters after RFC 2231.

use std::fmt;

use super::{charset, transfer, words};

/// Honest fields have a handful; the sections of a long file name (RFC 2231) are some more.
const MOST_PARAMETERS: usize = 200;

/// A media type, or a disposition, with its parameters. Type and names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `text` of `text/plain`; the whole of a disposition.
    pub kind: String,
    /// `plain` of `text/plain`; empty for a disposition.
    pub subtype: String,
    /// Decoded parameters in order; of several with one name the first counts.
    pub parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Without parameters.
    pub fn new(kind: &str, subtype: &str) -> Self {
        Self { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters: Vec::new() }
    }

    /// Reads an unfolded Content-Type. `None` when it names no type.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut scanner = Scanner { bytes: value, at: 0 };
        let kind = scanner.token()?;
        if !scanner.eat(b'/') {
            return None;
        }
        let subtype = scanner.token()?;
        Some(Self { kind, subtype, parameters: scanner.parameters() })
    }

    /// Reads an unfolded Content-Disposition.
    pub fn parse_disposition(value: &[u8]) -> Option<Self> {
        let mut scanner = Scanner { bytes: value, at: 0 };
        let kind = scanner.token()?;
        Some(Self { kind, subtype: String::new(), parameters: scanner.parameters() })
    }

    /// Compares with lower-case `kind` and `subtype`; `*` fits every subtype.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && (subtype == "*" || self.subtype == subtype)
    }

    /// Value of a parameter by its lower-case name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Does a parameter have this value, upper and lower case being equal?
    pub fn parameter_is(&self, name: &str, value: &str) -> bool {
        self.parameter(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype)
    }
}

/// Byte ranges `name=value` of the parameters in a raw Content-Type value, so that one can be cut out or replaced
/// without touching the others. Each range begins at its `;`.
pub(crate) fn parameter_ranges(value: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let mut scanner = Scanner { bytes: value, at: 0 };
    let mut found = Vec::new();
    let _ = scanner.token();
    if scanner.eat(b'/') {
        let _ = scanner.token();
    }
    while let Some(start) = scanner.skip_to_semicolon() {
        if let Some((name, _)) = scanner.parameter() {
            found.push((name, start..scanner.at));
        }
    }
    found
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// White space and comments.
    fn skip_space(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                _ if depth > 0 => {}
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => return,
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn token(&mut self) -> Option<String> {
        self.skip_space();
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
        {
            self.at += 1;
        }
        let token = self.bytes.get(start..self.at)?;
        (!token.is_empty()).then(|| String::from_utf8_lossy(token).to_ascii_lowercase())
    }

    fn skip_to_semicolon(&mut self) -> Option<usize> {
        loop {
            self.skip_space();
            match self.peek()? {
                b';' => {
                    self.at += 1;
                    return Some(self.at - 1);
                }
                b'"' => {
                    self.quoted();
                }
                _ => self.at += 1,
            }
        }
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    value.extend(self.peek());
                    self.at += 1;
                }
                _ => value.push(byte),
            }
        }
        self.at = self.at.min(self.bytes.len());
        value
    }

    fn parameter(&mut self) -> Option<(String, Vec<u8>)> {
        let name = self.token()?;
        if !self.eat(b'=') {
            return None;
        }
        self.skip_space();
        if self.peek() == Some(b'"') {
            return Some((name, self.quoted()));
        }
        // Beyond what a token may hold: unquoted file names and boundaries with odd characters are common.
        let start = self.at;
        while self.peek().is_some_and(|byte| !matches!(byte, b';' | b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        Some((name, self.bytes[start..self.at].to_vec()))
    }

    fn parameters(&mut self) -> Vec<(String, String)> {
        let mut raw = Vec::new();
        while raw.len() < MOST_PARAMETERS && self.skip_to_semicolon().is_some() {
            raw.extend(self.parameter());
        }
        decode_parameters(raw)
    }
}

/// One piece of a parameter after RFC 2231: `name*2*=` is section 2, percent-encoded.
struct Section {
    name: String,
    number: usize,
    extended: bool,
    value: Vec<u8>,
}

fn decode_parameters(raw: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut decoded: Vec<(String, String)> = Vec::new();
    let mut sections: Vec<Section> = Vec::new();
    for (name, value) in raw {
        let (name, extended) = name.strip_suffix('*').map_or((name.as_str(), false), |name| (name, true));
        match name.rsplit_once('*').and_then(|(base, number)| Some((base, number.parse().ok()?))) {
            Some((base, number)) => {
                sections.push(Section { name: base.to_owned(), number, extended, value });
            }
            None if extended => {
                sections.push(Section { name: name.to_owned(), number: 0, extended, value });
            }
            None if decoded.iter().all(|(other, _)| other != name) => {
                decoded.push((name.to_owned(), words::decode(&value)));
            }
            None => {}
        }
    }
    sections.sort_by(|a, b| a.name.cmp(&b.name).then(a.number.cmp(&b.number)));
    for group in sections.chunk_by(|a, b| a.name == b.name) {
        // The extended form wins over the plain one beside it (RFC 5987 section 3.2.1 has the reason).
        let value = join_sections(group);
        match decoded.iter_mut().find(|(name, _)| *name == group[0].name) {
            Some(plain) => plain.1 = value,
            None => decoded.push((group[0].name.clone(), value)),
        }
    }
    decoded
}

fn join_sections(sections: &[Section]) -> String {
    let mut label = String::new();
    let mut bytes = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        if section.number != at {
            break;
        }
        let mut value = section.value.as_slice();
        if at == 0 && section.extended {
            let mut pieces = value.splitn(3, |&byte| byte == b'\'');
            if let (Some(charset), Some(_), Some(text)) = (pieces.next(), pieces.next(), pieces.next()) {
                label = String::from_utf8_lossy(charset).into_owned();
                value = text;
            }
        }
        bytes.extend(if section.extended { percent_decode(value) } else { value.to_vec() });
    }
    words::without_controls(&charset::decode(Some(label.as_str()).filter(|label| !label.is_empty()), &bytes))
}

fn percent_decode(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        match transfer::hex_octet(tail).filter(|_| byte == b'%') {
            Some(octet) => {
                decoded.push(octet);
                rest = &tail[2..];
            }
            None => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> MediaType {
        MediaType::parse(value.as_bytes()).expect("a media type")
    }

    #[test]
    fn parameters_are_read_in_every_spelling() {
        let plain = parsed(r#"Multipart/Mixed (comment; x=y); Boundary = "a\"b;c" ; charset=UTF-8;"#);
        assert_eq!(plain.to_string(), "multipart/mixed");
        assert_eq!(plain.parameter("boundary"), Some(r#"a"b;c"#));
        assert_eq!(plain.parameter("charset"), Some("UTF-8"));

        let continued = parsed("application/x; name*0*=utf-8''%e2%82%ac%20; name*1=rates; name*2*=%2epdf");
        assert_eq!(continued.parameter("name"), Some("€ rates.pdf"));

        let extended_wins = parsed("application/x; name=plain.txt; name*=iso-8859-1'de'sch%F6n.txt");
        assert_eq!(extended_wins.parameter("name"), Some("schön.txt"));

        let encoded_word = parsed(r#"application/x; name="=?utf-8?q?sch=C3=B6n?=.txt""#);
        assert_eq!(encoded_word.parameter("name"), Some("schön.txt"));
    }

    #[test]
    fn first_of_repeated_parameters_counts() {
        assert_eq!(parsed("a/b; boundary=one; boundary=two").parameter("boundary"), Some("one"));
    }

    #[test]
    fn parameter_ranges_cut_exactly_one_parameter() {
        let value = br#"text/plain; charset="utf-8"; hp-legacy-display="1"; format=flowed"#;
        let ranges = parameter_ranges(value);
        let (_, range) = ranges.iter().find(|(name, _)| name == "hp-legacy-display").expect("it is there");
        assert_eq!(&value[range.clone()], br#"; hp-legacy-display="1""#);
    }

    #[test]
    fn unfinished_values_do_not_panic() {
        for value in
            ["", "/", "a/", "a/b;", "a/b; x", "a/b; x=", "a/b; x=\"", "a/b; x=\"\\", "a/b (", "a/b; x*=%"]
        {
            let _ = MediaType::parse(value.as_bytes());
            let _ = parameter_ranges(value.as_bytes());
        }
    }
}
