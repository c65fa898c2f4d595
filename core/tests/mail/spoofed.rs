// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mallory signs with her own key, and wants the mail to look like Alice's.

use plombe_core::{
    mail::{OpenedMail, Protection},
    verdict::VerdictKind,
};

use crate::cast::{MALLORY, open, pgp_mime, pgp_signed};

const TEXT: &str = "Content-Type: text/plain\r\n\r\nwords\r\n";

fn verdict(opened: &OpenedMail) -> VerdictKind {
    assert!(opened.verdicts().iter().all(|verdict| verdict.verdict == opened.verdict().verdict));
    opened.verdict().verdict
}

/// Mallory's spellings of a header that somebody somewhere reads as Alice's.
const SPELLINGS: &[&str] = &[
    // Two addresses where one belongs.
    "From: <alice@example.org> <mallory@example.org>\r\n",
    "From: <mallory@example.org> <alice@example.org>\r\n",
    "From: <alice@example.org>, <mallory@example.org>\r\n",
    // An address that is none beside one that is.
    "From: \"alice@example.org\" <>, mallory@example.org\r\n",
    // Groups, of which programs show the name, or the members, or both.
    "From: \"alice@example.org\": mallory@example.org;\r\n",
    "From: alice@example.org:;, mallory@example.org\r\n",
    // Comments, which old programs take for the name.
    "From: (alice@example.org) mallory@example.org (Mallory)\r\n",
    "From: Mallory (alice@example.org) <mallory@example.org>\r\n",
    "From: Mallory <mallory@example.org> (alice@example.org)\r\n",
    // Names that read as addresses.
    "From: \"alice@example.org\" <mallory@example.org>\r\n",
    "From: \"alice\\@example.org\" <mallory@example.org>\r\n",
    "From: \"alice @ example.org\" <mallory@example.org>\r\n",
    "From: =?utf-8?q?alice=40example.org?= <mallory@example.org>\r\n",
    "From: =?utf-8?q?alice=40example=EF=BC=8Eorg?= <mallory@example.org>\r\n",
    "From: \"mallory@example.org alice@example.org\" <mallory@example.org>\r\n",
    // Lines that only some programs see.
    "From: alice@example.org\rFrom: mallory@example.org\r\n",
    "X-Note: a\rFrom: alice@example.org\r\nFrom: mallory@example.org\r\n",
    "From: alice@example.org\0<mallory@example.org>\r\n",
    "From: alice@example.org\r\nFrom: mallory@example.org\r\n",
    "From: mallory@example.org\r\nFROM : alice@example.org\r\n",
];

#[test]
fn no_spelling_of_from_borrows_a_signature_around_the_text() {
    for header in SPELLINGS {
        let opened = open(pgp_signed(header, TEXT, &MALLORY).as_bytes());
        assert_eq!(verdict(&opened), VerdictKind::SenderMismatch, "{header:?}");
    }
}

#[test]
fn no_spelling_of_a_protected_from_borrows_a_signature() {
    let outside = "From: mallory@example.org\r\nSubject: [...]\r\n";
    for header in SPELLINGS {
        let payload =
            format!("{header}Subject: s\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nwords\r\n");
        let opened = open(&pgp_mime(outside, payload.as_bytes(), Some(&MALLORY)));
        assert_eq!(verdict(&opened), VerdictKind::SenderMismatch, "{header:?}");
    }
}

#[test]
fn a_protected_from_without_address_is_not_judged_by_the_one_outside() {
    // What is shown, and what an opened mail says, is the field inside.
    for from in ["\"The boss\" <>", "boss:;", "()", ""] {
        let payload = format!("From: {from}\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nwords\r\n");
        let opened = open(pgp_signed("From: mallory@example.org\r\n", &payload, &MALLORY).as_bytes());
        assert_eq!(verdict(&opened), VerdictKind::SenderMismatch, "{from:?}");
    }
}

#[test]
fn a_header_that_breaks_off_does_not_say_who_wrote_the_mail() {
    // Some programs read on behind the line that is no field.
    let rest = pgp_signed("", TEXT, &MALLORY);
    let (content_type, body) = rest.split_once("\r\n\r\n").unwrap();
    let header =
        format!("From: mallory@example.org\r\n{content_type}\r\nno field\r\nFrom: alice@example.org");
    let opened = open(format!("{header}\r\n\r\n{body}").as_bytes());
    assert_ne!(verdict(&opened), VerdictKind::Good);
}

#[test]
fn her_own_name_stays_her_own() {
    for from in [
        "mallory@example.org",
        "\"Mallory, M.\" <mallory@example.org>",
        "\"mallory@example.org\" <mallory@example.org>",
        "=?utf-8?q?M=C3=A4llory?= <Mallory@EXAMPLE.org> (at work)",
        "Mallory @ home <mallory@example.org>",
    ] {
        let opened = open(pgp_signed(&format!("From: {from}\r\n"), TEXT, &MALLORY).as_bytes());
        assert_eq!(verdict(&opened), VerdictKind::Good, "{from:?}");
    }
}

#[test]
fn what_only_transports_write_is_never_read_from_inside() {
    let forged =
        ["Authentication-Results", "Received", "Return-Path", "ARC-Seal", "X-Spam-Flag", "Received-SPF"];
    let inside: String = forged.iter().map(|name| format!("{name}: forged\r\n")).collect();
    let payload = format!(
        "From: mallory@example.org\r\n{inside}Content-Type: text/plain; hp=\"cipher\"\r\n\r\nwords\r\n"
    );
    let outside: String = forged.iter().map(|name| format!("{name}: provider\r\n")).collect();
    for signer in [None, Some(&*MALLORY)] {
        let mail = pgp_mime(&format!("{outside}From: mallory@example.org\r\n"), payload.as_bytes(), signer);
        let opened = open(&mail);
        for name in forged {
            let found: Vec<_> = opened.fields().iter().filter(|field| field.is(name)).collect();
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!((found[0].value.as_str(), found[0].inside), ("provider", false), "{name}");
            assert_eq!(found[0].protection, Protection::Unprotected);
        }
        let plain = String::from_utf8(opened.to_plain_mail()).unwrap();
        assert!(!plain.contains("forged"), "{plain}");
        assert!(plain.contains("Authentication-Results: provider\r\n"));
    }
}
