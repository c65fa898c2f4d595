// SPDX-License-Identifier: LGPL-2.0-or-later
//! Header fields and line ends as they go over the wire.

use sequoia_openpgp::crypto;

use crate::mime::{FieldRef, Mailbox, charset, mailboxes, words};

/// RFC 5322 section 2.1.1: no line may be longer.
pub(super) const LONGEST_LINE: usize = 998;

/// Fields whose value is a list of addresses.
pub(super) const ADDRESS_FIELDS: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Mail-Followup-To",
    "Mail-Reply-To",
    "Disposition-Notification-To",
];

/// One field to be written. The value holds no line end but its folds, and those are CRLF and white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutField {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

impl OutField {
    /// A field of our own making; `value` is one line of ASCII, folded at spaces where it is long.
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: fold(name.len() + 2, value) }
    }

    /// A field as somebody wrote it. Bytes that are no line ends of a fold cannot become some: they turn to spaces.
    pub(super) fn copy(field: &FieldRef<'_>) -> Self {
        let mut value: Vec<u8> = Vec::new();
        for line in field.value.split_inclusive(|&byte| byte == b'\n') {
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            if !value.is_empty() {
                value.extend_from_slice(b"\r\n");
            }
            value.extend(content.iter().map(|&byte| if matches!(byte, b'\r' | 0) { b' ' } else { byte }));
        }
        let value = value.trim_ascii().to_vec();
        Self { name: field.name.to_owned(), value }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value on one line.
    pub(super) fn unfolded(&self) -> Vec<u8> {
        crate::mime::unfold(&self.value)
    }

    /// The same field in ASCII and in lines that every transport takes.
    pub(super) fn for_transport(&self) -> Self {
        let short = self
            .value
            .split(|&byte| byte == b'\n')
            .all(|line| line.len() + self.name.len() < LONGEST_LINE - 2);
        if self.value.is_ascii() && short {
            return self.clone();
        }
        let unfolded = self.unfolded();
        let value = if ADDRESS_FIELDS.iter().any(|name| self.is(name)) {
            let list: Vec<String> = mailboxes(&unfolded).iter().map(render_mailbox).collect();
            list.join(", ")
        } else if unfolded.is_ascii() {
            String::from_utf8_lossy(&unfolded).into_owned()
        } else {
            words::encode(&charset::decode(None, &unfolded))
        };
        Self::new(&self.name, &value)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(&self.value);
        out.extend_from_slice(b"\r\n");
    }
}

/// `Name <address>`, the name encoded or quoted as needed.
pub(super) fn render_mailbox(mailbox: &Mailbox) -> String {
    let Some(name) = &mailbox.name else { return mailbox.address.clone() };
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || " -'".contains(c));
    let phrase = if !name.is_ascii() || name.contains("=?") {
        words::encode(name)
    } else if plain {
        name.clone()
    } else {
        format!("\"{}\"", words::without_controls(name).replace('\\', "\\\\").replace('"', "\\\""))
    };
    format!("{phrase} <{}>", mailbox.address)
}

/// Folds at spaces into lines of about 76 characters. A run without spaces that is longer stays, up to what
/// RFC 5322 allows.
fn fold(indent: usize, value: &str) -> Vec<u8> {
    let mut folded = String::with_capacity(value.len() + value.len() / 32);
    let mut column = indent;
    for (at, word) in value.split(' ').enumerate() {
        if at > 0 && column + 1 + word.len() > 76 && !word.is_empty() {
            folded.push_str("\r\n ");
            column = 1;
        } else if at > 0 {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += word.len();
    }
    folded.into_bytes()
}

/// Turns every bare LF into CRLF.
pub(super) fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        let line = &rest[..at];
        canonical.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        canonical.extend_from_slice(b"\r\n");
        rest = &rest[at + 1..];
    }
    canonical.extend_from_slice(rest);
    canonical
}

/// A boundary, or the left part of a Message-ID: 128 random bits.
pub(super) fn random_token() -> String {
    let mut bytes = [0_u8; 16];
    crypto::random(&mut bytes)
        .expect("a backend without random numbers cannot have made the keys in use here");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mime;

    fn first_field(header: &[u8]) -> OutField {
        let document = mime::parse(header).expect("a mail");
        OutField::copy(&document.fields(0).next().expect("a field"))
    }

    #[test]
    fn non_ascii_fields_become_ascii_and_keep_their_meaning() {
        let from = first_field("From: Jörg <j@example.org>, \"Doe, J\" <d@example.org>\r\n\r\n".as_bytes());
        let sent = from.for_transport();
        assert!(sent.value.is_ascii());
        assert_eq!(mailboxes(&sent.unfolded()), mailboxes(&from.unfolded()));
        let subject =
            first_field(format!("Subject: {}\r\n\r\n", "schön ".repeat(300)).as_bytes()).for_transport();
        assert!(subject.value.split(|&byte| byte == b'\n').all(|line| line.len() < 100));
    }

    proptest! {
        #[test]
        fn a_copied_field_is_one_field(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut header = b"Subject: ".to_vec();
            header.extend_from_slice(&value);
            header.extend_from_slice(b"\r\n\r\n");
            let field = first_field(&header);
            for field in [field.for_transport(), field] {
                let mut written = Vec::new();
                field.write(&mut written);
                written.extend_from_slice(b"\r\n");
                let again = mime::parse(written).expect("a mail");
                prop_assert_eq!(again.fields(0).count(), 1);
                prop_assert!(!again.fields(0).any(|field| field.is_ambiguous()));
            }
        }

        #[test]
        fn line_ends_become_crlf_once(text in "[a\r\n]{0,40}") {
            let once = crlf(text.as_bytes());
            prop_assert_eq!(crlf(&once), once.clone());
            prop_assert!(!once.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r') && !once.starts_with(b"\n"));
        }
    }
}
