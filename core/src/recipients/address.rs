// SPDX-License-Identifier: LGPL-2.0-or-later
//! A mail address in the form in which addresses are compared.

use std::{fmt, str::FromStr};

use sequoia_openpgp::packet::UserID;
use serde::{Deserialize, Serialize};

/// RFC 5321 section 4.5.3.1.3, less the angle brackets.
const MAX_BYTES: usize = 254;

/// A mail address: local part as written, domain lower-case and as A-labels.
///
/// Two addresses are the same when they differ in ASCII case only. (RFC 5321 lets hosts tell `Bob` from `bob`; none
/// that matters does, and an attacker who registers `Bob` must not look like somebody new.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: String,
}

/// Not a mail address, or one with characters that would break out of a header, a URL or a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a mail address (expected something like alice@example.org)")]
pub struct AddressError;

impl Address {
    /// Reads a bare address (`alice@example.org`). Quoted local parts and address literals are refused.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.split_once('@').ok_or(AddressError)?;
        let domain = idna::domain_to_ascii(domain).map_err(|_| AddressError)?;
        let sound = text.len() <= MAX_BYTES && is_dot_atom(local) && is_host_name(&domain);
        if sound { Ok(Self { local: local.to_owned(), domain }) } else { Err(AddressError) }
    }

    /// The address in a user ID, when it has one.
    pub(crate) fn of_user_id(user_id: &UserID) -> Option<Self> {
        Self::parse(user_id.email().ok()??).ok()
    }

    /// Before the `@`, as written.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// After the `@`: lower-case A-labels.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Is `text` the same address?
    pub fn matches(&self, text: &str) -> bool {
        Self::parse(text).is_ok_and(|other| *self == other)
    }
}

/// `dot-atom-text` of RFC 5322 section 3.2.3: one dot at a time, and only between atoms. Who reads user IDs by that
/// grammar finds no address in one with `a..b`.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_text))
}

/// `atext` of RFC 5322 with UTF-8 (RFC 6532).
fn is_atom_text(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

fn is_host_name(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        })
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.domain == other.domain && self.local.eq_ignore_ascii_case(&other.local)
    }
}

impl Eq for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_ascii_case_are_the_same() {
        assert!(Address::parse("Joe.Doe@Example.ORG").unwrap().matches("joe.doe@example.org"));
        assert_eq!(Address::parse("Joe.Doe@Example.ORG").unwrap().to_string(), "Joe.Doe@example.org");
    }

    #[test]
    fn case_beyond_ascii_is_not_folded() {
        assert!(!Address::parse("Ärger@example.org").unwrap().matches("ärger@example.org"));
        // The Kelvin sign lower-cases to k in Unicode; an address with it is somebody else's.
        assert!(!Address::parse("\u{212a}arl@example.org").unwrap().matches("karl@example.org"));
    }

    #[test]
    fn domains_are_compared_as_a_labels() {
        assert!(Address::parse("a@BÜCHER.example").unwrap().matches("a@xn--bcher-kva.example"));
    }

    #[test]
    fn what_would_break_out_of_a_header_url_or_path_is_refused() {
        for text in [
            "",
            "@",
            "alice",
            "alice@",
            "@example.org",
            "a@b@c.org",
            "a b@example.org",
            "a\n@example.org",
            "a@exa mple.org",
            "a@example.org/x",
            "a@example.org?x",
            "a@example.org#x",
            "a@[127.0.0.1]",
            "<a@example.org>",
            "a@example..org",
            "a@.example.org",
            "a@example.org:443",
            "a,b@example.org",
            "\"a\"@example.org",
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "a@-example.org",
            "a@ex%61mple.org",
        ] {
            assert_eq!(Address::parse(text).err(), Some(AddressError), "{text:?}");
        }
    }
}
