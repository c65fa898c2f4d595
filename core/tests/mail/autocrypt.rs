// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates that go along with a mail, and those that came: candidates, from people who may be lying.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plombe_core::{
    cert::{Certificate, Tsk},
    mail::{AutocryptOut, FindingCode, KeyNews, OpenedMail, Seal, Sign},
    mime,
    recipients::{Address, Source},
};

use crate::cast::{self, ALICE, BOB, CAROL, MALLORY, POLICY, now, open, pgp_mime};

const MAIL: &[u8] =
    b"From: alice@example.org\nTo: bob@example.org, carol@example.org\nBcc: mallory@example.org\n\nHi\n";

fn sealed(certificate: &Certificate) -> Vec<u8> {
    let book = cast::Book::new();
    let seal = Seal {
        autocrypt: Some(AutocryptOut { certificate, prefer_encrypt: true, gossip: true }),
        ..Seal::new(book.recipients(), Some((&*ALICE).into()), &POLICY, now())
    };
    seal.seal(MAIL).unwrap().copies.remove(0).mail
}

/// The value of an Autocrypt field about `address`.
fn about(address: &str, tsk: &Tsk) -> String {
    let address = Address::parse(address).unwrap();
    let keydata = match tsk.certificate().filter_to_address(&address, &POLICY, now()) {
        Ok(certificate) => certificate.to_bytes(),
        Err(_) => tsk.certificate().to_bytes(),
    };
    format!("addr={address}; keydata={}", STANDARD.encode(keydata))
}

fn heard(opened: &OpenedMail) -> Vec<(&str, &Source)> {
    opened.key_candidates().iter().map(|one| (one.address.as_str(), &one.source)).collect()
}

/// A plain mail from Alice to Bob with these fields more.
fn plain(fields: &str) -> OpenedMail {
    let header =
        "From: alice@example.org\r\nTo: bob@example.org\r\nDate: Mon, 16 Nov 2026 10:00:00 +0000\r\n";
    open(format!("{header}{fields}\r\nHi\r\n").as_bytes())
}

#[test]
fn everybody_learns_everybodys_certificate_but_nobody_that_of_bcc() {
    let opened = open(&sealed(&ALICE.certificate()));
    let (autocrypt, gossip) = (Source::Autocrypt, Source::AutocryptGossip);
    let expected =
        [("alice@example.org", &autocrypt), ("bob@example.org", &gossip), ("carol@example.org", &gossip)];
    assert_eq!(heard(&opened), expected);
    for candidate in opened.key_candidates() {
        let certificate = Certificate::parse(&candidate.keydata).unwrap();
        assert_eq!(certificate.addresses(&POLICY, now()), std::slice::from_ref(&candidate.address));
        assert_eq!(
            candidate.prefer_encrypt,
            candidate.source == autocrypt,
            "gossip speaks for nobody's wishes"
        );
    }
    assert!(opened.findings().iter().all(|finding| finding.code != FindingCode::HeaderChangedInTransit));
}

#[test]
fn the_autocrypt_field_stands_outside_and_nowhere_else() {
    let certificate = ALICE.certificate();
    let sealed = sealed(&certificate);
    assert!(mime::parse(sealed.as_slice()).unwrap().field(0, "Autocrypt").is_some());
    let payload = String::from_utf8(cast::payload(&BOB, &sealed)).unwrap();
    assert!(!payload.contains("Autocrypt:"), "{payload}");
    assert!(payload.contains("Autocrypt-Gossip:"));

    let autocrypt = Some(AutocryptOut { certificate: &certificate, prefer_encrypt: true, gossip: true });
    let sign = Sign { signer: (&*ALICE).into(), autocrypt, policy: &POLICY, now: now() };
    let signed = sign.sign(MAIL).unwrap();
    assert_eq!(String::from_utf8(signed.clone()).unwrap().matches("Autocrypt:").count(), 1);
    assert_eq!(heard(&open(&signed)), [("alice@example.org", &Source::Autocrypt)]);
}

#[test]
fn a_field_inside_counts_more_than_one_that_a_relay_put_outside() {
    let inner = format!(
        "From: alice@example.org\r\nTo: bob@example.org\r\nAutocrypt: {}\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n",
        about("alice@example.org", &ALICE)
    );
    let outer = format!(
        "From: alice@example.org\r\nTo: bob@example.org\r\nAutocrypt: {}\r\n",
        about("alice@example.org", &MALLORY)
    );
    let opened = open(&pgp_mime(&outer, inner.as_bytes(), Some(&ALICE)));
    let [candidate] = opened.key_candidates() else { panic!("{:?}", heard(&opened)) };
    assert_eq!(Certificate::parse(&candidate.keydata).unwrap().fingerprint(), ALICE.fingerprint());
}

#[test]
fn a_header_about_somebody_else_or_two_about_the_sender_say_nothing() {
    let alice = about("alice@example.org", &ALICE);
    assert_eq!(heard(&plain(&format!("Autocrypt: {alice}\r\n"))).len(), 1);
    let bob = about("bob@example.org", &MALLORY);
    assert_eq!(heard(&plain(&format!("Autocrypt: {bob}\r\n"))), []);
    let other = about("alice@example.org", &MALLORY);
    assert_eq!(heard(&plain(&format!("Autocrypt: {alice}\r\nAutocrypt: {other}\r\n"))), []);
    // One that is not valid does not spoil the other.
    assert_eq!(heard(&plain(&format!("Autocrypt: {alice}\r\nAutocrypt: {bob}\r\n"))).len(), 1);
}

#[test]
fn mails_that_do_not_say_clearly_who_they_are_from_change_nothing() {
    let field = format!("Autocrypt: {}\r\n", about("alice@example.org", &ALICE));
    for more in [
        "From: mallory@example.org\r\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        "X-Odd: a\rFrom: mallory@example.org\r\n",
    ] {
        let opened = plain(&format!("{more}{field}"));
        assert_eq!(opened.key_news(), None, "{more:?}");
    }
    // Several authors in one field.
    let two = format!("From: alice@example.org, bob@example.org\r\n{field}\r\nHi\r\n");
    assert_eq!(open(two.as_bytes()).key_news(), None);
}

#[test]
fn a_signature_of_somebody_else_and_a_from_that_changed_outside_change_nothing() {
    let inner = "From: alice@example.org\r\nTo: bob@example.org\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n";
    let outer = |from: &str| {
        format!("From: {from}\r\nTo: bob@example.org\r\nAutocrypt: {}\r\n", about(from, &MALLORY))
    };
    // Mallory signs what says that it is from Alice.
    let forged = pgp_mime(&outer("alice@example.org"), inner.as_bytes(), Some(&MALLORY));
    assert_eq!(open(&forged).key_news(), None);
    // A relay puts another name, and its key, on Alice's mail.
    let moved = pgp_mime(&outer("mallory@example.org"), inner.as_bytes(), Some(&ALICE));
    assert_eq!(open(&moved).key_news(), None);
}

#[test]
fn gossip_counts_inside_encryption_and_about_recipients_only() {
    let gossip = |whom: &str, tsk: &Tsk| format!("Autocrypt-Gossip: {}\r\n", about(whom, tsk));
    let bob = gossip("bob@example.org", &BOB);
    assert_eq!(heard(&plain(&bob)), [], "anybody may have put it there");

    let outer = "From: alice@example.org\r\nTo: bob@example.org\r\nCc: carol@example.org\r\n";
    let inside = |fields: &str| {
        let inner = format!("{outer}{fields}Content-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n");
        open(&pgp_mime(outer, inner.as_bytes(), Some(&ALICE)))
    };
    let carol = gossip("carol@example.org", &CAROL);
    let stranger = gossip("mallory@example.org", &MALLORY);
    let opened = inside(&format!("{bob}{carol}{stranger}"));
    let source = Source::AutocryptGossip;
    assert_eq!(heard(&opened), [("bob@example.org", &source), ("carol@example.org", &source)]);
    // Two certificates for one recipient contradict each other.
    let opened = inside(&format!("{bob}{carol}{}", gossip("carol@example.org", &MALLORY)));
    assert_eq!(heard(&opened), [("bob@example.org", &source)]);
    // Outside of the encryption it says nothing, although the mail is encrypted.
    let inner = "Content-Type: text/plain\r\n\r\nHi\r\n";
    let opened = open(&pgp_mime(&format!("{outer}{carol}"), inner.as_bytes(), Some(&ALICE)));
    assert_eq!(heard(&opened), []);
}

#[test]
fn a_mail_is_as_old_as_it_says_but_never_from_the_future() {
    let date = |news: Option<&KeyNews>| news.expect("news").effective_date;
    let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_823_200);
    assert!(sent < now());
    assert_eq!(date(plain("").key_news()), sent);
    let tomorrow = "From: alice@example.org\r\nDate: Sat, 21 Nov 2099 10:00:00 +0000\r\n\r\nHi\r\n";
    assert_eq!(date(open(tomorrow.as_bytes()).key_news()), now());
    let undated = "From: alice@example.org\r\n\r\nHi\r\n";
    assert_eq!(date(open(undated.as_bytes()).key_news()), now());
}
