// SPDX-License-Identifier: LGPL-2.0-or-later
//! The cryptographic payload of a mail: its own body under a header that is protected with it (RFC 9788).

use std::time::SystemTime;

use super::{
    Addresses, HeaderPolicy, MailSealError,
    edit::apply,
    legacy_display::{self, without_parameters},
    plain,
    wire::{OutField, crlf, random_token},
};
use crate::mime::{self, Document, date, words};

/// Added in transport, or by a mail store: neither protected nor sent on.
const TRACE: &[&str] = &[
    "Return-Path",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Received",
    "DomainKey-Signature",
    "Status",
    "X-Status",
    "X-Keys",
    "X-UID",
    "X-UIDL",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Mozilla-Keys",
    "Lines",
    "Content-Length",
];

/// The same, by the beginning of the name.
const TRACE_PREFIXES: &[&str] = &[
    "Received",
    "Authentication-",
    "X-Authentication-",
    "ARC-",
    "DKIM-",
    "X-Spam-",
    "X-Virus-",
    "X-MS-Exchange-",
    "X-Forefront-",
    "X-Microsoft-Antispam",
    "X-Google-",
    "X-Gm-",
];

/// Is this a field that only transports and mail stores write?
pub(super) fn is_trace(name: &str) -> bool {
    let begins =
        |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    TRACE.iter().any(|other| name.eq_ignore_ascii_case(other)) || TRACE_PREFIXES.iter().any(begins)
}

/// Written by us for this very mail, or not to be seen by anybody else: whatever stands in the draft is dropped.
const OURS: &[&str] = &["Bcc", "Resent-Bcc", "HP-Outer", "Autocrypt", "Autocrypt-Gossip"];

/// A draft, read and checked, on its way to be sealed or signed.
pub(super) struct Draft {
    /// The draft with CRLF line ends.
    pub(super) document: Document<'static>,
    /// Who it is from and for.
    pub(super) addresses: Addresses,
    /// The author's address.
    pub(super) author: String,
    /// Fields to protect, in the draft's order.
    pub(super) fields: Vec<OutField>,
}

impl Draft {
    /// Reads a plain mail. Date and Message-ID are added where they are missing.
    pub(super) fn read(mail: &[u8], now: SystemTime) -> Result<Self, MailSealError> {
        let document = mime::parse(mail)?;
        for id in 0..document.entities().len() {
            if let Some(field) = document.fields(id).find(|field| field.is_ambiguous()) {
                return Err(MailSealError::UnsafeHeader { name: field.name.to_owned() });
            }
        }
        let mut bytes = if plain::is_binary(&document, 0) { mail.to_vec() } else { crlf(mail) };
        if document.root().header.end == document.root().body.start {
            // A header without end: the body begins where the first line is no field, or is empty.
            let end = document.root().header.end.min(bytes.len());
            let header = crlf(&document.bytes()[..end]);
            let separator: &[u8] =
                if header.ends_with(b"\n") || header.is_empty() { b"\r\n" } else { b"\r\n\r\n" };
            bytes = [&header, separator, &crlf(&document.bytes()[end..])].concat();
        }
        let document = mime::parse(bytes)?;
        let addresses = Addresses::of(&document, 0);
        let author = addresses.author().map_err(|_| MailSealError::NoAuthor)?.address.clone();
        let dropped =
            |name: &str| is_trace(name) || OURS.iter().any(|other| name.eq_ignore_ascii_case(other));
        let mut fields: Vec<OutField> = document
            .fields(0)
            .filter(|field| !field.is_structural() && !dropped(field.name))
            .map(|field| OutField::copy(&field))
            .filter(|field| !field.value.is_empty())
            .collect();
        if !fields.iter().any(|field| field.is("Date")) {
            fields.push(OutField::new("Date", &date::format_utc(now)));
        }
        if !fields.iter().any(|field| field.is("Message-ID")) {
            let domain = author.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
            let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| "localhost".to_owned());
            fields.push(OutField::new("Message-ID", &format!("<{}@{domain}>", random_token())));
        }
        Ok(Self { document, addresses, author, fields })
    }

    /// The header as it stands outside under a policy.
    pub(super) fn outside(&self, policy: &HeaderPolicy) -> Vec<OutField> {
        self.fields.iter().filter_map(|field| policy.outside(field)).collect()
    }

    /// The payload of an encrypted mail. `extra` goes inside only (Autocrypt-Gossip).
    pub(super) fn sealed_payload(
        &self,
        outside: &[OutField],
        legacy_display: bool,
        extra: &[OutField],
    ) -> Result<Vec<u8>, MailSealError> {
        let hidden: Vec<(String, String)> = if legacy_display { self.hidden(outside) } else { Vec::new() };
        let edits = legacy_display::insertions(&self.document, 0, &hidden);
        let edited = mime::parse(apply(self.document.bytes(), self.document.root().range.clone(), &edits))?;

        let mut payload = Vec::with_capacity(edited.bytes().len() + 4096);
        self.fields.iter().chain(extra).for_each(|field| field.write(&mut payload));
        for field in outside {
            let value = [field.name.as_bytes(), b": ", &field.value].concat();
            OutField { name: "HP-Outer".to_owned(), value }.write(&mut payload);
        }
        // Readers that know the older scheme only look for its own parameter.
        write_structure(&edited, "hp=\"cipher\"; protected-headers=\"v1\"", &mut payload);
        payload.extend_from_slice(edited.raw_body(0));
        Ok(payload)
    }

    /// Fields that readers would miss if they saw the outside only: name and decoded value.
    fn hidden(&self, outside: &[OutField]) -> Vec<(String, String)> {
        const SHOWN: &[&str] = &["Subject", "From", "To", "Cc", "Date", "Reply-To", "Followup-To", "Sender"];
        let same = |field: &OutField| {
            outside.iter().any(|other| {
                other.is(&field.name) && words::decode(&other.unfolded()) == words::decode(&field.unfolded())
            })
        };
        let hidden =
            self.fields.iter().filter(|field| SHOWN.iter().any(|name| field.is(name)) && !same(field));
        hidden.map(|field| (field.name.clone(), words::decode(&field.unfolded()).trim().to_owned())).collect()
    }
}

/// Structural fields of a document's root with header protection declared, and the empty line.
pub(super) fn write_structure(document: &Document<'_>, protection: &str, out: &mut Vec<u8>) {
    let mut declared = false;
    for field in document.fields(0).filter(|field| field.is_structural() && !field.is("MIME-Version")) {
        let mut copy = OutField::copy(&field);
        if copy.is("Content-Type") {
            // A second one would be somebody's trap.
            if declared || !document.root().declared {
                continue;
            }
            declared = true;
            copy.value = without_parameters(copy.value, &["hp", "protected-headers"]);
            copy.value.extend_from_slice(format!(";\r\n {protection}").as_bytes());
        }
        copy.write(out);
    }
    if !declared {
        let body = document.raw_body(0);
        let charset = if body.is_ascii() { "us-ascii" } else { "utf-8" };
        let value = format!("text/plain; charset=\"{charset}\";\r\n {protection}");
        OutField { name: "Content-Type".to_owned(), value: value.into_bytes() }.write(out);
        if !body.is_ascii() && document.field(0, "Content-Transfer-Encoding").is_none() {
            OutField::new("Content-Transfer-Encoding", "8bit").write(out);
        }
    }
    out.extend_from_slice(b"\r\n");
}
