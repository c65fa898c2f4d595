// SPDX-License-Identifier: LGPL-2.0-or-later
//! Is the signer the one that the mail says it is from?

use super::{Addresses, Finding, FindingCode};
use crate::{
    mime::{Mailbox, comparable_address, mailboxes},
    verdict::{Code, Verdict, VerdictKind},
};

/// The header that a reader sees above the text.
pub(super) struct ShownHeader<'a> {
    /// Addresses, all From fields together.
    pub(super) addresses: &'a Addresses,
    /// How many From fields there are.
    pub(super) from_fields: usize,
    /// Does the signature cover this header?
    pub(super) signed: bool,
    /// Was the mail carried by a mailing list, which puts itself into Sender?
    pub(super) by_list: bool,
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
    let problem = match (shown.from_fields, shown.addresses.from.as_slice()) {
        (1, [author]) if !is_signer(author) => {
            "the signature is valid, but the signer's certificate does not carry the From address"
        }
        (1, [author]) if pretends(author).is_some_and(|other| !signer.contains(&other)) => {
            "the signature is valid, but the name beside the From address shows somebody else's address"
        }
        (1, [_]) if foreign_sender(shown, &is_signer) => {
            "the signature is valid, but the unsigned Sender field names somebody else"
        }
        (1, [_]) => return verdict,
        (0, _) | (_, []) => "the signature is valid, but the mail does not say who it is from",
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
    if shown.from_fields > 1 || shown.addresses.from.len() > 1 {
        findings.push(Finding::new(FindingCode::SeveralAuthors, "the mail names several authors"));
    }
    if shown.addresses.from.iter().any(|author| pretends(author).is_some()) {
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

/// The other address that a display name shows, in comparable form.
fn pretends(mailbox: &Mailbox) -> Option<String> {
    let name = mailbox.name.as_deref()?;
    // Look-alikes of the at sign that mail programs show the same.
    let name = name.replace(['\u{ff20}', '\u{fe6b}'], "@");
    let real = mailbox.comparable();
    let words = name.split(|c: char| c.is_whitespace() || "<>()[]\"',;".contains(c));
    let mut shown = words.filter(|word| {
        word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
    });
    shown.find_map(|word| {
        let address = mailboxes(word.as_bytes()).first()?.comparable();
        (address != real).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Signer;

    fn judged(header: &str, signed: bool) -> VerdictKind {
        let document = crate::mime::parse(header.as_bytes()).expect("a header");
        let addresses = Addresses::of(&document, 0);
        let from_fields = document.fields(0).filter(|field| field.is("From")).count();
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
        let shown = ShownHeader { addresses: &addresses, from_fields, signed, by_list };
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
