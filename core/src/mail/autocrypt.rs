// SPDX-License-Identifier: LGPL-2.0-or-later
//! Autocrypt headers out, Autocrypt and gossip in. What comes in is a candidate, never trusted by itself.

use std::{collections::HashSet, time::SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Addresses, Field, wire::OutField};
use crate::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    mime::{Document, EntityId, Mailbox, comparable_address, date, transfer},
    recipients::Source,
    verdict::{Verdict, VerdictKind},
};

/// Larger headers are dropped by receivers, us among them: they say nothing that a directory could not say better.
const MOST_KEYDATA_BYTES: usize = 10 << 10;
/// As many recipients as a mail between people has.
const MOST_GOSSIP: usize = 100;

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

/// What a mail says about keys, as far as it may be listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNews {
    /// The one author of the mail.
    pub author: String,
    /// The smaller of the mail's date and now.
    pub effective_date: SystemTime,
    /// Certificates that came along.
    pub candidates: Vec<KeyCandidate>,
}

/// A certificate that a mail brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCandidate {
    /// Address that the mail claims it is for.
    pub address: String,
    /// Binary OpenPGP certificate, unparsed.
    pub keydata: Vec<u8>,
    /// Where it stood: [`Source::Autocrypt`], the header about the sender, or [`Source::AutocryptGossip`], inside
    /// encrypted content, the sender's word about another recipient.
    pub source: Source,
    /// `prefer-encrypt=mutual`.
    pub prefer_encrypt: bool,
}

/// The `Autocrypt` field for the author of a mail. It stands outside only: that is where its readers look, a copy inside
/// would be thrice its size in every mail (itself and its HP-Outer), and nobody trusts it for being inside. `None` when the certificate does not carry the address or is too
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

/// An opened mail, as far as its key fields are concerned.
pub(super) struct Incoming<'a> {
    /// The mail as it came, and the entity whose header stands outside.
    pub(super) outer: (&'a Document<'a>, EntityId),
    /// Where the payload is.
    pub(super) payload: (&'a Document<'a>, EntityId),
    /// Was the payload encrypted?
    pub(super) encrypted: bool,
    /// What is shown of both headers, and who that is from and for.
    pub(super) fields: &'a [Field],
    pub(super) addresses: &'a Addresses,
    pub(super) verdict: &'a Verdict,
    pub(super) now: SystemTime,
}

impl Incoming<'_> {
    /// `None` for a mail that must not change what is known about anybody: reports, mails that do not say clearly who
    /// they are from, and those whose signature shows that the author is somebody else.
    pub(super) fn news(&self) -> Option<KeyNews> {
        let author = self.author()?;
        let date = self.fields.iter().find(|field| field.is("Date"));
        let sent = date.and_then(|field| date::parse(&field.value));
        let mut candidates: Vec<KeyCandidate> = self.about_author(&author).into_iter().collect();
        candidates.extend(self.gossip());
        let effective_date = sent.map_or(self.now, |sent| sent.min(self.now));
        Some(KeyNews { author, effective_date, candidates })
    }

    /// The one author, of whom inside and outside say the same.
    fn author(&self) -> Option<String> {
        let outside = Addresses::of(self.outer.0, self.outer.1);
        let ([outer], [author]) = (outside.from.as_slice(), self.addresses.from.as_slice()) else {
            return None;
        };
        let clear = [self.outer, self.payload].iter().all(|&(document, id)| {
            document.fields(id).filter(|field| field.is("From")).count() <= 1
                && !document.entity(id).broken_header
                && !document.fields(id).any(|field| field.is_ambiguous())
                && !document.entity(id).media_type.is("multipart", "report")
        });
        let forged = self.verdict.verdict == VerdictKind::SenderMismatch;
        (clear && !forged && outer.comparable() == author.comparable()).then(|| author.address.clone())
    }

    fn about_author(&self, author: &str) -> Option<KeyCandidate> {
        let author = comparable_address(author);
        let headers = self.fields.iter().filter(|field| field.is("Autocrypt"));
        let mut valid = headers
            .filter_map(|field| Attributes::parse(&field.raw))
            .filter(|header| comparable_address(&header.address) == author);
        // More than one valid header says nothing (Autocrypt Level 1, section 2.3).
        match (valid.next(), valid.next()) {
            (Some(header), None) => Some(header.candidate(Source::Autocrypt)),
            _ => None,
        }
    }

    /// Only what was encrypted may gossip, and only about those who got it too.
    fn gossip(&self) -> Vec<KeyCandidate> {
        if !self.encrypted {
            return Vec::new();
        }
        let (document, payload) = self.payload;
        let recipients: HashSet<String> =
            self.addresses.to.iter().chain(&self.addresses.cc).map(Mailbox::comparable).collect();
        let fields = document.fields(payload).filter(|field| field.is("Autocrypt-Gossip"));
        let mut heard: Vec<(String, KeyCandidate)> = Vec::new();
        for header in fields.filter_map(|field| Attributes::parse(&field.unfolded())) {
            let about = comparable_address(&header.address);
            if recipients.contains(&about) && heard.len() < MOST_GOSSIP {
                let candidate = header.candidate(Source::AutocryptGossip);
                heard.push((about, KeyCandidate { prefer_encrypt: false, ..candidate }));
            }
        }
        // Two about one address contradict each other.
        let alone = |about: &str| heard.iter().filter(|(other, _)| other == about).count() == 1;
        heard.iter().filter(|(about, _)| alone(about)).map(|(_, candidate)| candidate.clone()).collect()
    }
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
                // Which of two counts is what programs disagree on.
                "addr" if !header.address.is_empty() => return None,
                "keydata" if !header.keydata.is_empty() => return None,
                "addr" => header.address = value.trim().to_owned(),
                "prefer-encrypt" => header.prefer_encrypt = value.trim() == "mutual",
                "keydata" => header.keydata = transfer::decode(transfer::Encoding::Base64, value.as_bytes()),
                name if name.starts_with('_') => {}
                _ => return None,
            }
        }
        let size = header.keydata.len();
        (!header.address.is_empty() && (1..=MOST_KEYDATA_BYTES).contains(&size)).then_some(header)
    }

    fn candidate(self, source: Source) -> KeyCandidate {
        let Self { address, keydata, prefer_encrypt } = self;
        KeyCandidate { address, keydata, source, prefer_encrypt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_attributes_make_a_header_invalid_unless_they_begin_with_an_underscore() {
        let parse = |value: &str| Attributes::parse(value.as_bytes());
        assert!(parse("addr=a@x; _note=1; prefer-encrypt=mutual; keydata=\r\n aGVs\r\n bG8=").is_some_and(
            |header| { header.address == "a@x" && header.keydata == b"hello" && header.prefer_encrypt }
        ));
        assert!(parse("addr=a@x; critical=1; keydata=aGVsbG8=").is_none());
        assert!(parse("keydata=aGVsbG8=").is_none());
        assert!(parse("addr=a@x").is_none());
        assert!(parse("addr=a@x; addr=b@x; keydata=aGVsbG8=").is_none());
    }

    #[test]
    fn a_header_of_more_than_ten_kibibytes_is_invalid() {
        let parse = |size: usize| {
            let keydata = STANDARD.encode(vec![0x99; size]);
            Attributes::parse(format!("addr=a@x; keydata={keydata}").as_bytes())
        };
        assert!(parse(10 << 10).is_some() && parse((10 << 10) + 1).is_none());
    }
}
