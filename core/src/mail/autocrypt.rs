// SPDX-License-Identifier: LGPL-2.0-or-later
//! Autocrypt headers out, Autocrypt and gossip in. What comes in is a candidate, never trusted by itself.

use std::{collections::HashSet, time::SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Addresses, Field, wire::OutField};
use crate::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    mime::{comparable_address, date, transfer},
};

/// Larger headers are dropped by receivers, and say nothing that a directory could not say better.
const MOST_KEYDATA_BYTES: usize = 10 << 10;

/// What to tell recipients about keys.
#[derive(Clone, Copy)]
pub struct AutocryptOut<'a> {
    /// The sender's certificate; it is minimised to the From address.
    pub certificate: &'a Certificate,
    /// Ask for encrypted replies.
    pub prefer_encrypt: bool,
    /// Inside encrypted mail to two people or more: everybody's certificate for everybody (never Bcc).
    pub gossip: bool,
}

/// A certificate that a mail brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCandidate {
    /// Address that the mail claims it is for.
    pub address: String,
    /// Binary OpenPGP certificate, unparsed.
    pub keydata: Vec<u8>,
    /// Where it stood.
    pub source: KeySource,
    /// `prefer-encrypt=mutual`.
    pub prefer_encrypt: bool,
    /// The smaller of the mail's date and now.
    pub effective_date: SystemTime,
}

/// Where a certificate stood in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `Autocrypt:` header, about the sender.
    Autocrypt,
    /// `Autocrypt-Gossip:` inside encrypted content, the sender's word about another recipient.
    Gossip,
}

/// The `Autocrypt` field for the author of a mail. `None` when the certificate does not carry the address or is too
/// large: the header is a courtesy, no reason to fail.
pub(super) fn header(
    out: &AutocryptOut<'_>,
    author: &str,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Option<OutField> {
    let preference = if out.prefer_encrypt { "prefer-encrypt=mutual; " } else { "" };
    let keydata = keydata(out.certificate, author, policy, now)?;
    Some(OutField::new("Autocrypt", &format!("addr={author}; {preference}keydata={keydata}")))
}

/// The `Autocrypt-Gossip` field about one recipient.
pub(super) fn gossip(
    certificate: &Certificate,
    address: &str,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Option<OutField> {
    let keydata = keydata(certificate, address, policy, now)?;
    Some(OutField::new("Autocrypt-Gossip", &format!("addr={address}; keydata={keydata}")))
}

/// Base64 with a space every 72 characters, where the field may be folded.
fn keydata(
    certificate: &Certificate,
    address: &str,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Option<String> {
    let minimal = certificate.minimise(address, policy, now).ok()?.to_bytes();
    if minimal.len() > MOST_KEYDATA_BYTES || !address.is_ascii() || address.contains([';', ' ']) {
        return None;
    }
    let encoded = STANDARD.encode(minimal);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(72).map(|at| &encoded[at..encoded.len().min(at + 72)]).collect();
    Some(format!(" {}", lines.join(" ")))
}

/// Candidates of one opened mail. `gossip` holds the payload's gossip fields, and only of an encrypted one.
pub(super) fn candidates(
    fields: &[Field],
    gossip: &[Vec<u8>],
    addresses: &Addresses,
    is_report: bool,
    now: SystemTime,
) -> Vec<KeyCandidate> {
    let [author] = addresses.from.as_slice() else { return Vec::new() };
    if is_report {
        return Vec::new();
    }
    let sent = fields.iter().find(|field| field.is("Date")).and_then(|field| date::parse(&field.value));
    let effective_date = sent.map_or(now, |sent| sent.min(now));

    let mut found = Vec::new();
    let about_author: Vec<Attributes> = fields
        .iter()
        .filter(|field| field.is("Autocrypt"))
        .filter_map(|field| Attributes::parse(&field.raw))
        .filter(|header| comparable_address(&header.address) == author.comparable())
        .collect();
    // More than one valid header says nothing (Autocrypt Level 1, section 2.3).
    if let [header] = about_author.as_slice() {
        found.push(header.candidate(KeySource::Autocrypt, effective_date));
    }
    let recipients: HashSet<String> =
        addresses.to.iter().chain(&addresses.cc).map(|mailbox| mailbox.comparable()).collect();
    for header in gossip.iter().filter_map(|raw| Attributes::parse(raw)) {
        if recipients.contains(&comparable_address(&header.address)) {
            let candidate = header.candidate(KeySource::Gossip, effective_date);
            found.push(KeyCandidate { prefer_encrypt: false, ..candidate });
        }
    }
    found
}

struct Attributes {
    address: String,
    keydata: Vec<u8>,
    prefer_encrypt: bool,
}

impl Attributes {
    /// `None` for a header that is invalid, as one with an unknown critical attribute is.
    fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut header = Self { address: String::new(), keydata: Vec::new(), prefer_encrypt: false };
        for attribute in text.split(';').filter(|attribute| !attribute.trim().is_empty()) {
            let (name, value) = attribute.split_once('=')?;
            match name.trim().to_ascii_lowercase().as_str() {
                "addr" => header.address = value.trim().to_owned(),
                "prefer-encrypt" => header.prefer_encrypt = value.trim() == "mutual",
                "keydata" => header.keydata = transfer::decode(transfer::Encoding::Base64, value.as_bytes()),
                name if name.starts_with('_') => {}
                _ => return None,
            }
        }
        (!header.address.is_empty() && !header.keydata.is_empty()).then_some(header)
    }

    fn candidate(&self, source: KeySource, effective_date: SystemTime) -> KeyCandidate {
        KeyCandidate {
            address: self.address.clone(),
            keydata: self.keydata.clone(),
            source,
            prefer_encrypt: self.prefer_encrypt,
            effective_date,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Attributes;

    #[test]
    fn unknown_attributes_make_a_header_invalid_unless_they_begin_with_an_underscore() {
        let parse = |value: &str| Attributes::parse(value.as_bytes());
        assert!(parse("addr=a@x; _note=1; prefer-encrypt=mutual; keydata=\r\n aGVs\r\n bG8=").is_some_and(
            |header| { header.address == "a@x" && header.keydata == b"hello" && header.prefer_encrypt }
        ));
        assert!(parse("addr=a@x; critical=1; keydata=aGVsbG8=").is_none());
        assert!(parse("keydata=aGVsbG8=").is_none());
        assert!(parse("addr=a@x").is_none());
    }
}
