// SPDX-License-Identifier: LGPL-2.0-or-later
//! What goes in comes out.

use plombe_core::verdict::VerdictKind;
use proptest::prelude::*;

use crate::cast::{self, BOB, CAROL, contains, open, open_as, seal, sealed, signed};

const HEADER: &str = "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Quarterly figures\r\n\
                      Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n";

/// Bodies with their Content-* fields: everything that mail programs write.
fn bodies() -> Vec<(&'static str, String)> {
    let nested = "Content-Type: multipart/mixed; boundary=\"m\"\r\n\r\npreamble\r\n--m\r\n\
        Content-Type: multipart/alternative; boundary=\"a\"\r\n\r\n--a\r\n\
        Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Gr=C3=BC=C3=9Fe =3D\r\n\r\nMore=20\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\n<html><body class=x><p>Grüße</p></body></html>\r\n--a--\r\n\r\n--m\r\n\
        Content-Type: application/pdf; name*=utf-8''%C3%BC.pdf\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"=?utf-8?q?=C3=BC?=.pdf\"\r\n\r\nJVBERi0xLjQK\r\n--m--\r\nepilogue";
    let long = format!("\r\nA line {}\r\nFrom here\r\n.\r\ntrailing  \r\n", "long ".repeat(2_000));
    [
        ("no content type", "\r\nHello Bob\r\n".to_owned()),
        ("no final line end", "\r\nHello Bob".to_owned()),
        ("empty", "\r\n".to_owned()),
        ("ascii", "Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n\r\nBob\r\n".to_owned()),
        ("utf-8 undeclared", "\r\nGrüße\r\n".to_owned()),
        ("long lines", long),
        ("html", "Content-Type: text/html\r\n\r\n<p>Hello</p>\r\n".to_owned()),
        ("base64 text", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQo=\r\n".to_owned()),
        ("nested with attachment", nested.to_owned()),
        ("attachment only", "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n".to_owned()),
    ]
    .to_vec()
}

fn body_of(body: &str) -> &str {
    match body.strip_prefix("\r\n") {
        Some(body) => body,
        None => body.split_once("\r\n\r\n").expect("a header").1,
    }
}

#[test]
fn sealed_mail_opens_to_the_same_mail_with_a_good_verdict() {
    for (name, content) in bodies() {
        let mail = format!("{HEADER}{content}");
        for mail in [mail.clone(), mail.replace("\r\n", "\n")] {
            let sealed = sealed(mail.as_bytes());
            assert!(!contains(&sealed, "figures") && !contains(&sealed, "Bob\r\n\r\n"), "{name}");
            assert!(contains(&sealed, "Subject: [...]"), "{name}");
            let opened = open(&sealed);
            assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{name}: {:?}", opened.verdict());
            assert!(!opened.parts().is_empty(), "{name}");
            assert_eq!(opened.subject(), Some("Quarterly figures"), "{name}");
            let unexpected: Vec<_> = opened.findings().iter().collect();
            assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
            let plain = opened.to_plain_mail();
            assert_eq!(cast::body(&plain), body_of(&content), "{name}");
            assert!(
                !contains(&plain, "hp=") && !contains(&plain, "HP-Outer") && !contains(&plain, "hp-legacy"),
                "{name}"
            );
        }
    }
}

#[test]
fn signed_mail_survives_transport_and_opens_with_a_good_verdict() {
    for (name, content) in bodies() {
        let mail = format!("{HEADER}{content}");
        let signed = signed(mail.as_bytes());
        assert!(signed.is_ascii(), "{name}");
        assert!(signed.split(|&byte| byte == b'\n').all(|line| line.len() < 999), "{name}");
        // A mailbox on a Unix system stores LF.
        let stored = String::from_utf8(signed.clone()).unwrap().replace("\r\n", "\n");
        for signed in [signed.as_slice(), stored.as_bytes()] {
            let opened = open(signed);
            assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{name}: {:?}", opened.verdict());
            assert_eq!(opened.subject(), Some("Quarterly figures"), "{name}");
            assert!(!opened.was_encrypted());
        }
        // Nothing was lost on the way to 7 bits.
        let before = open(mail.as_bytes());
        let after = open(&signed);
        assert_eq!(before.parts().len(), after.parts().len(), "{name}");
        for (before, after) in before.parts().iter().zip(after.parts()) {
            assert_eq!(before.content().0, after.content().0, "{name}");
            assert_eq!(before.file_name(), after.file_name(), "{name}");
        }
    }
}

#[test]
fn attachments_keep_their_names_and_bytes() {
    let (_, content) = bodies().remove(8);
    let opened = open(&sealed(format!("{HEADER}{content}").as_bytes()));
    let kinds: Vec<_> = opened.parts().iter().map(|part| (part.media_type(), part.is_attachment())).collect();
    let expected = [("text/plain", false), ("text/html", false), ("application/pdf", true)];
    assert_eq!(kinds, expected.map(|(kind, attached)| (kind.to_owned(), attached)));
    assert_eq!(opened.parts()[0].text().unwrap().0, "Grüße =\n\nMore ");
    assert_eq!(opened.parts()[1].text().unwrap().0, "Grüße\n");
    assert_eq!(opened.parts()[2].file_name().as_deref(), Some("ü.pdf"));
    assert_eq!(opened.parts()[2].content().0, b"%PDF-1.4\n");
    for part in opened.parts() {
        let covered = part.verdict().covered.as_ref().expect("every part says what is covered");
        assert_eq!(covered.path, part.path());
    }
}

#[test]
fn each_bcc_recipient_has_a_copy_and_shows_in_no_other() {
    let mail = b"From: alice@example.org\nTo: bob@example.org\nBcc: Carol <carol@example.org>, mallory@example.org\n\nHi\n";
    let sealed = seal(mail);
    let to: Vec<_> = sealed.copies.iter().map(|copy| (copy.bcc, copy.envelope_to.join(","))).collect();
    let expected = [(false, "bob@example.org"), (true, "carol@example.org"), (true, "mallory@example.org")];
    assert_eq!(to, expected.map(|(bcc, to)| (bcc, to.to_owned())));
    let alice = cast::ALICE.fingerprint();
    for (copy, reader) in sealed.copies.iter().zip([&*BOB, &*CAROL, &*cast::MALLORY]) {
        let certificates: Vec<_> = copy.report.recipients.iter().map(|one| one.certificate.clone()).collect();
        assert_eq!(certificates, [reader.fingerprint(), alice.clone()]);
        let payload = cast::payload(reader, &copy.mail);
        for text in [&copy.mail, &payload] {
            // With the colon, which armor does not have: three letters stand in it once in a while.
            assert!(!contains(&text.to_ascii_lowercase(), "bcc:"));
            assert!(!contains(&text.to_ascii_lowercase(), "carol@") && !contains(text, "mallory@"));
        }
        let opened = open_as(reader, &copy.mail, &Default::default()).unwrap();
        assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{:?}", opened.verdict());
    }
}

#[test]
fn somebody_else_s_copy_does_not_open_and_says_for_whom_it_is() {
    let mail = b"From: alice@example.org\nTo: bob@example.org\n\nHi\n";
    assert!(open_as(&CAROL, &sealed(mail), &Default::default()).is_err());
}

#[test]
fn unsigned_mail_is_unsigned() {
    let book = cast::Book::new();
    let seal = plombe_core::mail::Seal::new(book.recipients(), None, &cast::POLICY, cast::now());
    let mail = b"From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHi\n";
    let opened = open(&seal.seal(mail).unwrap().copies[0].mail);
    assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
    let plain = open(mail);
    assert_eq!(plain.verdict().verdict, VerdictKind::Unsigned);
    assert_eq!(
        plain.to_plain_mail(),
        b"From: alice@example.org\r\nTo: bob@example.org\r\nSubject: x\r\n\r\nHi\r\n"
    );
}

#[test]
fn no_flipped_byte_of_a_signed_mail_changes_what_is_shown() {
    let mail = signed(format!("{HEADER}\r\nPay 100 to Bob\r\n").as_bytes());
    let start = mail.windows(3).position(|window| window == b"Pay").unwrap();
    for at in start..start + 14 {
        let mut changed = mail.clone();
        changed[at] ^= 1;
        let error = open_as(&BOB, &changed, &Default::default()).err().expect("refused");
        assert!(matches!(error, plombe_core::mail::MailOpenError::BadSignature(_)), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_text_round_trips(subject in "[ -~äöü€]{0,60}", text in "([ -~ä€]{0,90}\r\n){0,6}") {
        let mail = format!("From: alice@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\n{text}");
        let opened = open(&sealed(mail.as_bytes()));
        prop_assert_eq!(opened.verdict().verdict, VerdictKind::Good);
        prop_assert_eq!(cast::body(&opened.to_plain_mail()), text.clone());
        let shown = open(mail.as_bytes()).subject().map(str::to_owned);
        prop_assert_eq!(opened.subject().map(str::to_owned), shown.filter(|subject| !subject.is_empty()));
        prop_assert_eq!(open(&signed(mail.as_bytes())).verdict().verdict, VerdictKind::Good);
    }
}
