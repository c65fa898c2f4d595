// SPDX-License-Identifier: LGPL-2.0-or-later
//! Address lists (RFC 5322 section 3.4): groups, comments, quoted local parts, names in encoded words.

use super::words;

/// One address with the name that a person sees beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name, decoded. Never evidence of anything: anybody writes there what they like.
    pub name: Option<String>,
    /// `local@domain`, as it was written apart from comments and white space.
    pub address: String,
}

impl Mailbox {
    /// The form to compare by; see [`comparable_address`].
    pub fn comparable(&self) -> String {
        comparable_address(&self.address)
    }
}

/// Makes two spellings of one mailbox equal: letters of the local part in lower case (ASCII only: other foldings make
/// different people equal), the domain as A-labels.
pub fn comparable_address(address: &str) -> String {
    let address = address.trim();
    let Some((local, domain)) = address.rsplit_once('@') else { return address.to_ascii_lowercase() };
    let unquoted = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).unwrap_or(local);
    let needs_no_quotes =
        !unquoted.is_empty() && unquoted.chars().all(|c| !c.is_ascii() || is_atom(c) || c == '.');
    let local = if needs_no_quotes { unquoted } else { local };
    let domain = domain.trim_end_matches('.');
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
    format!("{}@{domain}", local.to_ascii_lowercase())
}

/// Every mailbox of an unfolded address field, those in groups included. What cannot be read as an address is kept
/// as it stands: dropping it would hide somebody.
pub fn mailboxes(value: &[u8]) -> Vec<Mailbox> {
    let mut scanner = Scanner { bytes: value, at: 0 };
    let mut found = Vec::new();
    while scanner.at < value.len() {
        found.extend(scanner.mailbox());
    }
    found
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// Up to the next comma that separates addresses, that comma included.
    fn mailbox(&mut self) -> Option<Mailbox> {
        let mut name: Vec<u8> = Vec::new();
        let mut bare: Vec<u8> = Vec::new();
        let mut comment: Vec<u8> = Vec::new();
        let mut angle: Option<String> = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b',' | b';' => {
                    self.at += 1;
                    break;
                }
                // What stood before is the name of a group.
                b':' if angle.is_none() => {
                    name.clear();
                    bare.clear();
                    self.at += 1;
                }
                b'(' => comment = self.comment(),
                // Two addresses without a comma: programs show the one or the other.
                b'<' if angle.is_some() => break,
                b'<' => angle = Some(self.angle()),
                b'"' => {
                    let start = self.at;
                    name.extend(self.quoted());
                    bare.extend_from_slice(&self.bytes[start..self.at]);
                }
                _ => {
                    name.push(byte);
                    if !byte.is_ascii_whitespace() {
                        bare.push(byte);
                    }
                    self.at += 1;
                }
            }
        }
        let decoded =
            |bytes: &[u8]| Some(words::decode(bytes.trim_ascii())).filter(|name| !name.trim().is_empty());
        let mailbox = match angle {
            Some(address) => Mailbox { name: decoded(&name), address },
            None => Mailbox { name: decoded(&comment), address: printable(&bare) },
        };
        (!mailbox.address.is_empty()).then_some(mailbox)
    }

    fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0_usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'\\' => {
                    text.extend(self.bytes.get(self.at));
                    self.at += 1;
                }
                _ => text.push(byte),
            }
        }
        self.at = self.at.min(self.bytes.len());
        text
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    text.extend(self.bytes.get(self.at));
                    self.at += 1;
                }
                _ => text.push(byte),
            }
        }
        self.at = self.at.min(self.bytes.len());
        text
    }

    /// `<@route:local@domain>`; the route is obsolete and dropped.
    fn angle(&mut self) -> String {
        let mut address = Vec::new();
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'>' => {
                    self.at += 1;
                    break;
                }
                b'(' => {
                    self.comment();
                }
                b'"' => {
                    let start = self.at;
                    self.quoted();
                    address.extend_from_slice(&self.bytes[start..self.at]);
                }
                b':' if address.first() == Some(&b'@') => {
                    address.clear();
                    self.at += 1;
                }
                _ => {
                    if !byte.is_ascii_whitespace() {
                        address.push(byte);
                    }
                    self.at += 1;
                }
            }
        }
        printable(&address)
    }
}

fn printable(address: &[u8]) -> String {
    String::from_utf8_lossy(address).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Vec<(Option<String>, String)> {
        mailboxes(value.as_bytes()).into_iter().map(|mailbox| (mailbox.name, mailbox.address)).collect()
    }

    #[test]
    fn every_spelling_of_an_address_is_read() {
        let one = |name: Option<&str>, address: &str| vec![(name.map(str::to_owned), address.to_owned())];
        assert_eq!(read("alice@example.org"), one(None, "alice@example.org"));
        assert_eq!(read("alice @ example . org (Alice)"), one(Some("Alice"), "alice@example.org"));
        assert_eq!(read("Alice L. <alice@example.org>"), one(Some("Alice L."), "alice@example.org"));
        assert_eq!(read(r#""Doe, \"J\"" <j@example.org>"#), one(Some(r#"Doe, "J""#), "j@example.org"));
        assert_eq!(read(r#""john doe"@example.org"#), one(None, r#""john doe"@example.org"#));
        assert_eq!(read("=?utf-8?q?J=C3=B6rg?= <j@example.org>"), one(Some("Jörg"), "j@example.org"));
        assert_eq!(read("<@relay.example:j@example.org>"), one(None, "j@example.org"));
        assert_eq!(read("Jörg <jörg@bücher.example>"), one(Some("Jörg"), "jörg@bücher.example"));
    }

    #[test]
    fn lists_and_groups_are_taken_apart() {
        let addresses: Vec<String> =
            read("a@x, Team: B <b@x>, c@x;, undisclosed-recipients:;, d@x, <e@x> <f@x>")
                .into_iter()
                .map(|(_, a)| a)
                .collect();
        assert_eq!(addresses, ["a@x", "b@x", "c@x", "d@x", "e@x", "f@x"]);
    }

    #[test]
    fn a_name_never_becomes_an_address() {
        let mallory = read(r#""alice@example.org" <mallory@example.net>"#);
        assert_eq!(mallory, [(Some("alice@example.org".to_owned()), "mallory@example.net".to_owned())]);
        let encoded = read("=?utf-8?q?alice=40example.org=3E=2C?= <mallory@example.net>");
        assert_eq!(encoded.len(), 1);
        assert_eq!(encoded[0].1, "mallory@example.net");
    }

    #[test]
    fn comparison_folds_ascii_and_domains_only() {
        assert_eq!(comparable_address("Alice@EXAMPLE.org."), "alice@example.org");
        assert_eq!(comparable_address(r#""alice"@example.org"#), "alice@example.org");
        assert_eq!(comparable_address("x@BÜCHER.example"), "x@xn--bcher-kva.example");
        // The Kelvin sign is not the letter k.
        assert_ne!(comparable_address("\u{212a}@example.org"), comparable_address("k@example.org"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for mailbox in mailboxes(&bytes) {
                prop_assert!(!mailbox.address.chars().any(char::is_control));
                let _ = mailbox.comparable();
            }
        }
    }
}
