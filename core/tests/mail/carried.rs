// SPDX-License-Identifier: LGPL-2.0-or-later
//! What mail servers and lists do to a mail on its way.

use plombe_core::{
    mail::{FindingCode, OpenedMail},
    verdict::VerdictKind,
};

use crate::cast::{open, sealed, signed};

const MAIL: &str = "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: s\r\n\r\nwords\r\n";

fn codes(opened: &OpenedMail) -> Vec<FindingCode> {
    opened.findings().iter().map(|finding| finding.code).collect()
}

/// The armored message of a sealed mail.
fn armor(mail: &str) -> &str {
    let end = "-----END PGP MESSAGE-----";
    &mail[mail.find("-----BEGIN").unwrap()..mail.find(end).unwrap() + end.len()]
}

fn outside(mail: &str) -> &str {
    &mail[..mail.find("Content-Type").unwrap()]
}

#[test]
fn exchange_s_mixed_up_structure_is_put_right() {
    let mail = String::from_utf8(sealed(MAIL.as_bytes())).unwrap();
    let encoded = plombe_core::mime::transfer::encode_base64(armor(&mail).as_bytes());
    let mixed = format!(
        "{}Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n\r\n--x\r\nContent-Type: application/pgp-encrypted;\r\n\
         \tname=\"PGPMIME version identification\"\r\nContent-Transfer-Encoding: base64\r\n\r\nVmVyc2lvbjogMQ0K\r\n\r\n--x\r\n\
         Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
        outside(&mail),
        String::from_utf8(encoded).unwrap()
    );
    let opened = open(mixed.as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert!(codes(&opened).contains(&FindingCode::RepairedMixedUp));
    assert!(codes(&opened).contains(&FindingCode::RepairedTransferEncoding));
    // With words in the text part it is somebody's text with an attachment, and stays closed.
    let with_text = mixed.replacen("quoted-printable\r\n\r\n\r\n", "quoted-printable\r\n\r\nfired\r\n", 1);
    let opened = open(with_text.as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
    assert!(!opened.was_encrypted());
}

#[test]
fn a_missing_version_part_or_protocol_is_put_right() {
    let mail = String::from_utf8(sealed(MAIL.as_bytes())).unwrap();
    let bare = format!(
        "{}Content-Type: multipart/encrypted; boundary=x\r\n\r\n--x\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n--x--\r\n",
        outside(&mail),
        armor(&mail)
    );
    let opened = open(bare.as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert!(codes(&opened).contains(&FindingCode::RepairedVersionPart));
}

#[test]
fn a_footer_beside_the_message_is_left_out() {
    let mail = String::from_utf8(sealed(MAIL.as_bytes())).unwrap();
    let close = mail.rfind("\r\n--").unwrap();
    let boundary = mail[close + 2..].trim_end().trim_end_matches("--");
    let footer = format!("{}\r\n{boundary}\r\n\r\nBuy things\r\n{boundary}--\r\n", &mail[..close]);
    let opened = open(footer.as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert!(codes(&opened).contains(&FindingCode::IgnoredParts));
    assert_eq!(opened.parts().len(), 1);
}

#[test]
fn a_mailing_list_s_wrapper_takes_the_verdict_away_and_is_named() {
    let signed = String::from_utf8(signed(MAIL.as_bytes())).unwrap();
    let entity = &signed[signed.find("Content-Type").unwrap()..];
    let wrapped = format!(
        "From: alice@example.org\r\nList-Id: <l.example.org>\r\nSubject: [l] s\r\nContent-Type: multipart/mixed; boundary=l\r\n\r\n\
         --l\r\n{entity}\r\n--l\r\nContent-Type: text/plain\r\n\r\n___\r\nlist footer\r\n--l--\r\n"
    );
    let opened = open(wrapped.as_bytes());
    assert!(opened.verdicts().iter().all(|verdict| verdict.verdict == VerdictKind::Unsigned));
    assert!(codes(&opened).contains(&FindingCode::MailingListWrapper));
    assert!(codes(&opened).contains(&FindingCode::ErrantLayer));
}

#[test]
fn fields_of_the_transport_stay_and_lower_nothing() {
    let mail = String::from_utf8(sealed(MAIL.as_bytes())).unwrap();
    let received = format!("Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\r\nX-Spam: no\r\n{mail}");
    let opened = open(received.as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(codes(&opened), []);
    let plain = String::from_utf8(opened.to_plain_mail()).unwrap();
    assert!(plain.starts_with("Received: from a by b") && plain.contains("Subject: s\r\n"));
}
