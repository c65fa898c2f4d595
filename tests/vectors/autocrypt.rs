// SPDX-License-Identifier: LGPL-2.0-or-later
//! Autocrypt headers of real mails, read by us; and ours, read by Sequoia's Autocrypt library.

use plombe_core::{
    cert::{self, Profile},
    mail::{self, AutocryptOut, KeyCandidate, OpenOptions, Sign},
    message::Signer,
    recipients::Source,
};

use super::*;

fn data(name: &str) -> Vec<u8> {
    let path = crates::folder("sequoia-autocrypt").join("tests/data").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a mail brings along.
fn candidates(mail: &[u8]) -> Vec<KeyCandidate> {
    let (policy, nobody) = (CryptoPolicy::standard(), Vec::<Certificate>::new());
    let mut no_key = |_: &SealedMessage<'_>| unreachable!("nothing is encrypted");
    let opened = mail::open(mail, &mut no_key, &context(&nobody, &policy), &OpenOptions::default());
    opened.expect("a mail").key_candidates().to_vec()
}

#[test]
fn headers_of_real_mails_are_candidates() {
    for (name, address, fingerprint, mutual) in [
        ("hpk.txt", "holger@merlinux.eu", "156962B0F3115069ACA970C68E3B03A279B772D6", true),
        ("patrick.txt", "patrick@enigmail.net", "4F9F89F5505AC1D1A260631CDB1187B9DD5F693B", true),
        ("patrick_unfolded.txt", "patrick@enigmail.net", "4F9F89F5505AC1D1A260631CDB1187B9DD5F693B", true),
        ("vincent.txt", "look@my.amazin.horse", "D4AB192964F76A7F8F8A9B357BD18320DEADFA11", false),
    ] {
        let found = candidates(&data(name));
        let [candidate] = found.as_slice() else { panic!("{name}: {found:?}") };
        assert_eq!((candidate.address.as_str(), &candidate.source), (address, &Source::Autocrypt), "{name}");
        assert_eq!(candidate.prefer_encrypt, mutual, "{name}");
        let certificate = Certificate::parse(&candidate.keydata).expect(name);
        assert_eq!(certificate.fingerprint().to_hex(), fingerprint, "{name}");
    }
}

#[test]
fn gossip_outside_of_encryption_is_no_candidate() {
    // Ten gossip headers as they stand inside an encrypted mail; here nothing protects them.
    let mail = [b"From: a@example.org\r\nTo: dkg@fifthhorseman.net\r\n".as_slice(), &data("gossip.txt")];
    assert_eq!(candidates(&mail.concat()), []);
}

#[test]
fn sequoia_reads_our_header() {
    let policy = CryptoPolicy::standard();
    let user_id = cert::user_id(Some("Alice"), "alice@example.org").unwrap();
    let alice = Tsk::generate(Profile::Rfc4880, &[user_id], None, now()).unwrap().tsk;
    let certificate = alice.certificate();
    let autocrypt = AutocryptOut { certificate: &certificate, prefer_encrypt: true, gossip: false };
    let signing =
        Sign { signer: Signer::Local(&alice), autocrypt: Some(autocrypt), policy: &policy, now: now() };
    let mail = signing.sign(b"From: alice@example.org\r\nTo: bob@example.org\r\n\r\nHi\r\n").unwrap();

    let headers = sequoia_autocrypt::AutocryptHeaders::from_bytes(&mail).unwrap();
    assert_eq!(headers.from.as_deref(), Some("alice@example.org"));
    let [header] = headers.headers.as_slice() else { panic!("{headers:?}") };
    let value = |name: &str| header.get(name).map(|attribute| attribute.value.clone());
    assert_eq!(value("addr").as_deref(), Some("alice@example.org"));
    assert_eq!(value("prefer-encrypt").as_deref(), Some("mutual"));
    let read = header.key.as_ref().expect("a certificate");
    assert_eq!(read.fingerprint().to_hex(), certificate.fingerprint().to_hex());
    assert_eq!(read.userids().count(), 1);
}
