// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bytes that nobody honest sends.

use plombe_core::{
    mail::{
        MailOpenError, OpenOptions,
        reply::{self, Answer, To},
    },
    mime::{Mailbox, MimeError},
    verdict::VerdictKind,
};
use proptest::prelude::*;

use crate::cast::{BOB, open_as, pgp_mime};

fn refusal(mail: &[u8]) -> Option<MailOpenError> {
    open_as(&BOB, mail, &OpenOptions::default()).err()
}

#[test]
fn hostile_structure_is_refused_outside_and_inside() {
    let parts =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(10_000));
    let depth = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    let header = format!("Subject: {}\r\n\r\n", "x".repeat(10 << 20));
    for (mail, expected) in [
        (parts, MimeError::TooManyParts { limit: 1_000 }),
        (depth, MimeError::TooDeep { limit: 100 }),
        (header, MimeError::HeaderTooLarge { limit_bytes: 1 << 20 }),
    ] {
        for mail in [mail.as_bytes(), &pgp_mime("From: alice@example.org\r\n", mail.as_bytes(), None)] {
            match refusal(mail) {
                Some(MailOpenError::Mime(error)) => assert_eq!(error, expected),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn layers_without_end_are_refused() {
    let mut mail = b"Content-Type: text/plain\r\n\r\nx\r\n".to_vec();
    for _ in 0..10 {
        mail = pgp_mime("", &mail, None);
    }
    assert!(matches!(refusal(&mail), Some(MailOpenError::TooManyLayers)));
}

fn mail_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("From: Alice <alice@example.org>\r\n".to_owned()),
        Just("Subject: =?utf-8?q?x?=\r\n".to_owned()),
        Just("HP-Outer: Subject: y\r\n".to_owned()),
        Just("Content-Type: multipart/mixed; boundary=b; protected-headers=v1\r\n".to_owned()),
        Just("Content-Type: multipart/encrypted; boundary=b\r\n".to_owned()),
        Just(
            "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n"
                .to_owned()
        ),
        Just("Content-Type: application/pgp-signature\r\n".to_owned()),
        Just("Content-Type: application/pgp-encrypted\r\n".to_owned()),
        Just("Content-Type: application/octet-stream\r\n".to_owned()),
        Just("Content-Type: text/html; hp-legacy-display=1\n".to_owned()),
        Just("Content-Type: message/rfc822; forwarded=no\r\n".to_owned()),
        Just("Content-Transfer-Encoding: base64\r\n".to_owned()),
        Just("-----BEGIN PGP MESSAGE-----\r\n\r\nwy4=\r\n-----END PGP MESSAGE-----\r\n".to_owned()),
        Just("-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nx\r\n-----BEGIN PGP SIGNATURE-----\r\n".to_owned()),
        Just("-----END PGP SIGNATURE-----\r\n".to_owned()),
        Just("<div class=\"header-protection-legacy-display\"></div>".to_owned()),
        Just("--b\r\n".to_owned()),
        Just("--b--\r\n".to_owned()),
        Just("\r\n".to_owned()),
        "[ -~\r\n]{0,20}",
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_unsigned_looks_good(mail in mail_like()) {
        let Ok(opened) = open_as(&BOB, &mail, &OpenOptions::default()) else { return Ok(()) };
        prop_assert!(opened.verdicts().iter().all(|verdict| verdict.verdict != VerdictKind::Good));
        let _ = opened.inspect();
        let _ = opened.to_plain_mail();
        for part in opened.parts() {
            let _ = (part.text(), part.file_name(), part.content());
            let from = Mailbox { name: None, address: "bob@example.org".to_owned() };
            let _ = reply::reply(&opened, To::All, &Answer { from, text: "x", quote: Some(part) });
        }
        for finding in opened.findings() {
            let _ = open_as(&BOB, &mail, &OpenOptions { errant: finding.path.clone() });
        }
    }
}
