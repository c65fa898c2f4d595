// SPDX-License-Identifier: LGPL-2.0-or-later
//! Is the signer the one that the mail says it is from?

use std::collections::HashSet;

use super::{Addresses, Finding, FindingCode};
use crate::{
    mime::{Document, EntityId, Mailbox, comparable_address},
    verdict::{Code, Verdict, VerdictKind},
};

/// The header that a reader sees above the text.
pub(super) struct ShownHeader<'a> {
    /// Addresses, all From fields together.
    pub(super) addresses: &'a Addresses,
    /// Every From field as a person reads it: names, groups and comments included.
    pub(super) from_fields: Vec<String>,
    /// Do programs disagree on where its fields end, and so perhaps on its From?
    pub(super) ambiguous: bool,
    /// Does the signature cover this header?
    pub(super) signed: bool,
    /// Was the mail carried by a mailing list, which puts itself into Sender?
    pub(super) by_list: bool,
}

impl<'a> ShownHeader<'a> {
    /// Of one entity, whose `addresses` were read already.
    pub(super) fn of(document: &Document<'_>, id: EntityId, addresses: &'a Addresses) -> Self {
        let from = document.fields(id).filter(|field| field.is("From"));
        Self {
            addresses,
            from_fields: from.map(|field| field.decoded()).collect(),
            ambiguous: document.entity(id).broken_header
                || document.fields(id).any(|field| field.is_ambiguous()),
            signed: false,
            by_list: false,
        }
    }
}

/// Downgrades a good verdict when the header names anybody as author whom the signer's certificate does not carry.
pub(super) fn judge_sender(
    verdict: Verdict,
    shown: &ShownHeader<'_>,
    findings: &mut Vec<Finding>,
) -> Verdict {
    note_authors(shown, findings);
    if verdict.verdict != VerdictKind::Good {
        return verdict;
    }
    let signer: Vec<String> = match &verdict.signer {
        Some(signer) => signer.addresses.iter().map(|address| comparable_address(address)).collect(),
        None => Vec::new(),
    };
    let is_signer = |mailbox: &Mailbox| signer.contains(&mailbox.comparable());
    let pretends = |field: &String| shown_addresses(field).iter().any(|other| !signer.contains(other));
    let problem = match (shown.from_fields.as_slice(), shown.addresses.from.as_slice()) {
        ([_], [author]) if !is_signer(author) => {
            "the signature is valid, but the signer's certificate does not carry the From address"
        }
        ([field], [_]) if pretends(field) => {
            "the signature is valid, but the name beside the From address shows somebody else's address"
        }
        ([_], [_]) if shown.ambiguous => {
            "the signature is valid, but the header is damaged, so that programs disagree on who it is from"
        }
        ([_], [_]) if foreign_sender(shown, &is_signer) => {
            "the signature is valid, but the unsigned Sender field names somebody else"
        }
        ([_], [_]) => return verdict,
        ([], _) | (_, []) => "the signature is valid, but the mail does not say who it is from",
        _ => "the signature is valid, but the mail names several authors and only one of them signed",
    };
    Verdict {
        verdict: VerdictKind::SenderMismatch,
        code: Code::SignerIsNotSender,
        reason: problem.to_owned(),
        ..verdict
    }
}

/// What a display name is worth knowing for, whatever the verdict.
fn note_authors(shown: &ShownHeader<'_>, findings: &mut Vec<Finding>) {
    if shown.from_fields.len() > 1 || shown.addresses.from.len() > 1 {
        findings.push(Finding::new(FindingCode::SeveralAuthors, "the mail names several authors"));
    }
    let real: HashSet<String> = shown.addresses.from.iter().map(Mailbox::comparable).collect();
    if shown.from_fields.iter().flat_map(|field| shown_addresses(field)).any(|other| !real.contains(&other)) {
        let text = "the name beside the From address shows another address than the real one";
        findings.push(Finding::new(FindingCode::NameLooksLikeAddress, text));
    }
    let differs = |sender: &Mailbox| {
        let sender = sender.comparable();
        shown.addresses.from.iter().all(|author| author.comparable() != sender)
    };
    if shown.addresses.sender.as_ref().is_some_and(differs) {
        findings.push(Finding::new(
            FindingCode::SenderDiffers,
            "the mail was sent by somebody else than its author",
        ));
    }
}

fn foreign_sender(shown: &ShownHeader<'_>, is_signer: &dyn Fn(&Mailbox) -> bool) -> bool {
    // Inside the signature, Sender is the signer's own word. A list's is an honest one outside.
    !shown.signed
        && !shown.by_list
        && shown.addresses.sender.as_ref().is_some_and(|sender| !is_signer(sender))
}

/// Everything in a decoded field that a person takes for an address, in comparable form. Where it stands (address,
/// name, comment, group) is what programs disagree on and people do not know.
fn shown_addresses(field: &str) -> Vec<String> {
    let mut text = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            // Look-alikes that mail programs show the same.
            '\u{ff20}' | '\u{fe6b}' => text.push('@'),
            '\u{ff0e}' | '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' => text.push('.'),
            // Not seen at all; a backslash in front of a character stands for that character.
            '\\' | '\u{ad}' | '\u{200a}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => {}
            c => text.push(c),
        }
    }
    // Space around the at sign does not keep anybody from reading an address.
    let joined = text.split('@').map(str::trim).collect::<Vec<_>>().join("@");
    let words = joined.split(|c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c));
    words
        .filter(|word| {
            word.rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && domain.trim_matches('.').contains('.'))
        })
        .map(comparable_address)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Signer;

    fn judged(header: &str, signed: bool) -> VerdictKind {
        let document = crate::mime::parse(header.as_bytes()).expect("a header");
        let addresses = Addresses::of(&document, 0);
        let by_list = document.field(0, "List-Id").is_some();
        let good = Verdict {
            verdict: VerdictKind::Good,
            code: Code::SignatureValid,
            reason: String::new(),
            signer: Some(Signer {
                certificate: None,
                key: String::new(),
                addresses: vec!["eve@example.org".to_owned()],
                signed_at: None,
            }),
            covered: None,
        };
        let shown = ShownHeader { signed, by_list, ..ShownHeader::of(&document, 0, &addresses) };
        judge_sender(good, &shown, &mut Vec::new()).verdict
    }

    #[test]
    fn only_the_one_author_may_be_the_signer() {
        use VerdictKind::{Good, SenderMismatch};
        for (header, verdict) in [
            ("From: eve@example.org\r\n\r\n", Good),
            ("From: Eve <EVE@Example.ORG>\r\n\r\n", Good),
            ("From: \"eve@example.org\" <eve@example.org>\r\n\r\n", Good),
            ("From: manager@example.org\r\n\r\n", SenderMismatch),
            ("From: eve@example.org\r\nFrom: manager@example.org\r\n\r\n", SenderMismatch),
            ("From: eve@example.org, manager@example.org\r\n\r\n", SenderMismatch),
            ("From: \"manager@example.org\" <eve@example.org>\r\n\r\n", SenderMismatch),
            ("From: =?utf-8?q?manager=EF=BC=A0example.org?= <eve@example.org>\r\n\r\n", SenderMismatch),
            ("From: eve@example.org\r\nSender: manager@example.org\r\n\r\n", SenderMismatch),
            ("From: eve@example.org\r\nSender: l@lists.example\r\nList-Id: <l.lists.example>\r\n\r\n", Good),
            ("To: eve@example.org\r\n\r\n", SenderMismatch),
        ] {
            assert_eq!(judged(header, false), verdict, "{header}");
        }
        assert_eq!(judged("From: eve@example.org\r\nSender: manager@example.org\r\n\r\n", true), Good);
    }
}
