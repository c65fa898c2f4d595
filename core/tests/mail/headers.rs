// SPDX-License-Identifier: LGPL-2.0-or-later
//! Header protection, and attempts to get around it.

use plombe_core::{
    mail::{FindingCode, HeaderPolicy, MailSealError, OpenedMail, Protection, Seal},
    verdict::VerdictKind,
};

use crate::cast::{self, ALICE, BOB, MALLORY, contains, open, pgp_mime, pgp_signed, sealed, signed};

const MAIL: &str = "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: The contract\r\n\
                    Keywords: secret, plans\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\
                    X-Custom: yes\r\n\r\nHello\r\n";
const OUTSIDE: &str =
    "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: [...]\r\nMIME-Version: 1.0\r\n";

fn protection(opened: &OpenedMail, name: &str) -> Option<Protection> {
    opened.fields().iter().find(|field| field.is(name)).map(|field| field.protection)
}

fn codes(opened: &OpenedMail) -> Vec<FindingCode> {
    opened.findings().iter().map(|finding| finding.code).collect()
}

#[test]
fn every_field_says_how_it_was_protected() {
    let opened = open(&sealed(MAIL.as_bytes()));
    let hidden = Some(Protection::SignedAndEncrypted);
    assert_eq!(protection(&opened, "Subject"), hidden);
    assert_eq!(protection(&opened, "Keywords"), hidden);
    for name in ["From", "To", "Date", "Message-ID", "X-Custom"] {
        assert_eq!(protection(&opened, name), Some(Protection::SignedOnly), "{name}");
    }
    let signed = open(&signed(MAIL.as_bytes()));
    assert_eq!(protection(&signed, "Subject"), Some(Protection::SignedOnly));
    let plain = open(MAIL.as_bytes());
    assert_eq!(protection(&plain, "Subject"), Some(Protection::Unprotected));
}

#[test]
fn the_payload_follows_rfc_9788() {
    let payload = String::from_utf8(cast::payload(&BOB, &sealed(MAIL.as_bytes()))).unwrap();
    assert!(payload.contains("Subject: The contract\r\n"));
    assert!(payload.contains("HP-Outer: Subject: [...]\r\n"));
    assert!(payload.contains("HP-Outer: From: Alice <alice@example.org>\r\n"));
    // A field that was taken out has no HP-Outer line.
    assert!(!payload.contains("HP-Outer: Keywords"));
    assert!(payload.contains("hp=\"cipher\"") && payload.contains("hp-legacy-display=\"1\""));
    assert!(payload.ends_with("\r\n\r\nSubject: The contract\r\n\r\nHello\r\n"));
}

#[test]
fn legacy_display_can_be_left_out() {
    let book = cast::Book::new();
    let seal = Seal {
        legacy_display: false,
        ..Seal::new(book.recipients(), Some((&*ALICE).into()), &cast::POLICY, cast::now())
    };
    let payload =
        String::from_utf8(cast::payload(&BOB, &seal.seal(MAIL.as_bytes()).unwrap().copies[0].mail)).unwrap();
    assert!(!payload.contains("hp-legacy-display") && payload.ends_with("\r\n\r\nHello\r\n"));
}

#[test]
fn shy_leaves_neither_names_nor_time_zone_outside() {
    let book = cast::Book::new();
    let seal = Seal {
        headers: HeaderPolicy::Shy,
        ..Seal::new(book.recipients(), Some((&*ALICE).into()), &cast::POLICY, cast::now())
    };
    let mail = seal.seal(MAIL.as_bytes()).unwrap().copies.remove(0).mail;
    let outside = String::from_utf8(mail.clone()).unwrap();
    assert!(outside.contains("From: alice@example.org\r\n") && outside.contains("To: bob@example.org\r\n"));
    assert!(outside.contains("Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n"));
    let opened = open(&mail);
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(protection(&opened, "Date"), Some(Protection::SignedAndEncrypted));
    assert!(contains(&opened.to_plain_mail(), "From: Alice <alice@example.org>\r\n"));
}

#[test]
fn what_a_relay_changes_outside_is_named_and_not_believed() {
    let mail = String::from_utf8(sealed(MAIL.as_bytes())).unwrap();
    let changed = mail
        .replace("Subject: [...]", "Subject: Urgent: call this number")
        .replacen("From: Alice <alice@example.org>", "From: Mallory <mallory@example.org>", 1)
        .replacen("MIME-Version", "Reply-To: mallory@example.org\r\nMIME-Version", 1);
    let opened = open(changed.as_bytes());
    assert_eq!(opened.subject(), Some("The contract"));
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert!(codes(&opened).contains(&FindingCode::HeaderChangedInTransit));
    assert!(codes(&opened).contains(&FindingCode::FromMismatch));
    let plain = opened.to_plain_mail();
    assert!(!contains(&plain, "mallory") && !contains(&plain, "Urgent"));
}

#[test]
fn an_unsigned_from_inside_does_not_replace_the_one_outside() {
    let inner = "From: Boss <boss@example.org>\r\nSubject: x\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nPay\r\n";
    let opened = open(&pgp_mime(OUTSIDE, inner.as_bytes(), None));
    assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
    assert!(codes(&opened).contains(&FindingCode::FromMismatch));
    let from: Vec<_> =
        opened.fields().iter().filter(|field| field.is("From")).map(|field| &field.value).collect();
    assert_eq!(from, ["alice@example.org"]);
}

#[test]
fn mallory_s_signature_over_alice_s_name_is_a_mismatch() {
    let inner = "From: Alice <alice@example.org>\r\nSubject: x\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nPay\r\n";
    let opened = open(&pgp_mime(OUTSIDE, inner.as_bytes(), Some(&MALLORY)));
    assert_eq!(opened.verdict().verdict, VerdictKind::SenderMismatch);
    assert_eq!(protection(&opened, "Subject"), Some(Protection::EncryptedOnly));
}

#[test]
fn hp_cipher_on_a_signed_mail_upgrades_nothing() {
    let entity = "From: Alice <alice@example.org>\r\nSubject: x\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n";
    let opened = open(pgp_signed(OUTSIDE, entity, &ALICE).as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(protection(&opened, "Subject"), Some(Protection::SignedOnly));
    assert!(codes(&opened).contains(&FindingCode::HeaderProtectionContradiction));
}

#[test]
fn hp_without_a_cryptographic_layer_means_nothing() {
    let mail = "From: alice@example.org\r\nSubject: x\r\nContent-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\n\r\nSubject: y\r\n\r\nHi\r\n";
    let opened = open(mail.as_bytes());
    assert_eq!(protection(&opened, "Subject"), Some(Protection::Unprotected));
    assert_eq!(opened.to_plain_mail(), mail.as_bytes());
}

#[test]
fn hp_outer_outside_is_ignored() {
    let inner = "From: alice@example.org\r\nSubject: real\r\nHP-Outer: From: alice@example.org\r\n\
                 HP-Outer: Subject: [...]\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n";
    let outside = format!("HP-Outer: Subject: real\r\n{OUTSIDE}");
    let opened = open(&pgp_mime(&outside, inner.as_bytes(), Some(&ALICE)));
    assert_eq!(protection(&opened, "Subject"), Some(Protection::SignedAndEncrypted));
}

#[test]
fn a_draft_cannot_smuggle_protection_fields_in() {
    let mail = "From: alice@example.org\r\nTo: bob@example.org\r\nHP-Outer: Subject: forged\r\nAutocrypt: addr=x; keydata=AA==\r\n\
                Autocrypt-Gossip: addr=x; keydata=AA==\r\nSubject: s\r\nContent-Type: text/plain; hp=\"clear\"; protected-headers=\"v1\"\r\n\r\nHi\r\n";
    let mail = sealed(mail.as_bytes());
    let payload = String::from_utf8(cast::payload(&BOB, &mail)).unwrap();
    assert!(
        !payload.contains("forged") && !payload.contains("Autocrypt") && !payload.contains("hp=\"clear\"")
    );
    assert_eq!(payload.matches("protected-headers").count(), 1);
}

#[test]
fn bytes_that_end_lines_elsewhere_are_refused_by_name() {
    for bad in ["Subject: a\rBcc: mallory@example.org\r\n", "Subject: a\0b\r\n"] {
        let mail = format!("From: alice@example.org\r\nTo: bob@example.org\r\n{bad}\r\nHi\r\n");
        let book = cast::Book::new();
        let seal = Seal::new(book.recipients(), Some((&*ALICE).into()), &cast::POLICY, cast::now());
        match seal.seal(mail.as_bytes()) {
            Err(MailSealError::UnsafeHeader { name }) => assert_eq!(name, "Subject"),
            other => panic!("{:?}", other.err()),
        }
    }
}

#[test]
fn encoded_line_ends_inject_nothing() {
    let subject = "=?utf-8?q?x=0D=0AFrom:_mallory=40example.org=0D=0A=0D=0Abody?=";
    let mail = format!("From: alice@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\nHi\r\n");
    let opened = open(&sealed(mail.as_bytes()));
    let plain = plombe_core::mime::parse(opened.to_plain_mail()).unwrap();
    assert_eq!(plain.fields(0).filter(|field| field.is("From")).count(), 1);
    assert_eq!(cast::body(plain.bytes()), "Hi\r\n");
}

#[test]
fn a_subject_that_was_never_protected_is_not_the_sender_s_word() {
    let inner = "Content-Type: text/plain\r\n\r\nHi\r\n";
    let opened = open(&pgp_mime(OUTSIDE, inner.as_bytes(), Some(&ALICE)));
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(opened.subject(), None);
    assert!(codes(&opened).contains(&FindingCode::SubjectUnprotected));
    assert!(contains(&opened.to_plain_mail(), "Subject: [...]"));
}

#[test]
fn repeated_fields_are_reported() {
    let opened = open(b"From: alice@example.org\r\nSubject: a\r\nSubject: b\r\n\r\nHi\r\n");
    assert!(codes(&opened).contains(&FindingCode::DuplicateHeader));
}
