// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who writes to whom.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use plombe_core::{
    Fingerprint,
    cert::{self, Certificate, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    mail::{self, MailOpenError, OpenOptions, OpenedMail, Recipient, Seal, SealedMail, Sign},
    message::{Limits, OpenContext, SealedMessage},
};

pub(crate) static ALICE: LazyLock<Tsk> = LazyLock::new(|| generate("alice"));
pub(crate) static BOB: LazyLock<Tsk> = LazyLock::new(|| generate("bob"));
pub(crate) static CAROL: LazyLock<Tsk> = LazyLock::new(|| generate("carol"));
pub(crate) static MALLORY: LazyLock<Tsk> = LazyLock::new(|| generate("mallory"));
pub(crate) static POLICY: LazyLock<CryptoPolicy> = LazyLock::new(CryptoPolicy::standard);

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn generate(name: &str) -> Tsk {
    let user_id = cert::user_id(Some(name), &format!("{name}@example.org")).unwrap();
    Tsk::generate(Profile::Rfc4880, &[user_id], None, now() - Duration::from_secs(3600)).unwrap().tsk
}

pub(crate) fn everybody() -> Vec<Certificate> {
    [&ALICE, &BOB, &CAROL, &MALLORY].map(|tsk| tsk.certificate()).to_vec()
}

/// The certificates of all, by address.
pub(crate) struct Book(Vec<(String, Certificate)>);

impl Book {
    pub(crate) fn new() -> Self {
        let names = ["alice", "bob", "carol", "mallory"];
        Self(names.iter().map(|name| format!("{name}@example.org")).zip(everybody()).collect())
    }

    pub(crate) fn recipients(&self) -> Vec<Recipient<'_>> {
        self.0.iter().map(|(address, certificate)| Recipient { address, certificate }).collect()
    }
}

/// As Alice, with defaults.
pub(crate) fn seal(mail: &[u8]) -> SealedMail {
    let book = Book::new();
    Seal::new(book.recipients(), Some((&*ALICE).into()), &POLICY, now()).seal(mail).unwrap()
}

/// As Alice, the copy that everybody in To and Cc gets.
pub(crate) fn sealed(mail: &[u8]) -> Vec<u8> {
    seal(mail).copies.remove(0).mail
}

pub(crate) fn signed(mail: &[u8]) -> Vec<u8> {
    Sign { signer: (&*ALICE).into(), autocrypt: None, policy: &POLICY, now: now() }.sign(mail).unwrap()
}

pub(crate) fn open_as(reader: &Tsk, mail: &[u8], options: &OpenOptions) -> Result<OpenedMail, MailOpenError> {
    let readers: [Fingerprint; 1] = [reader.fingerprint()];
    let signers = everybody();
    let context = OpenContext {
        signers: &signers,
        readers: &readers,
        policy: &POLICY,
        now: now(),
        limits: Limits::default(),
        hash_content: true,
    };
    let tsks = [reader.clone()];
    let mut keyring = |message: &SealedMessage<'_>| message.unwrap_session_key(&tsks, &POLICY, now());
    mail::open(mail, &mut keyring, &context, options)
}

/// As Bob.
pub(crate) fn open(mail: &[u8]) -> OpenedMail {
    open_as(&BOB, mail, &OpenOptions::default()).unwrap()
}

/// The decrypted payload of a sealed mail, byte by byte.
pub(crate) fn payload(reader: &Tsk, mail: &[u8]) -> Vec<u8> {
    let document = plombe_core::mime::parse(mail).unwrap();
    let armored = document.decoded_body(document.find("1.2").unwrap());
    let message = SealedMessage::parse(armored.as_slice()).unwrap();
    let session_key = message.unwrap_session_key(std::slice::from_ref(reader), &POLICY, now()).unwrap();
    let signers = everybody();
    let context = OpenContext {
        signers: &signers,
        readers: &[],
        policy: &POLICY,
        now: now(),
        limits: Limits::default(),
        hash_content: true,
    };
    message.open(&session_key, &context, Sink::default()).unwrap().release().unwrap().0
}

/// Seals any bytes as PGP/MIME, signed by `signer`: what another program, or Mallory, could have sent.
pub(crate) fn pgp_mime(header: &str, payload: &[u8], signer: Option<&Tsk>) -> Vec<u8> {
    let bob = BOB.certificate();
    let seal = plombe_core::message::Seal {
        signers: signer.map(Into::into).into_iter().collect(),
        armor: true,
        ..plombe_core::message::Seal::new(vec![&bob], &POLICY, now())
    };
    let mut armored = Vec::new();
    seal.seal(&mut &payload[..], &mut armored).unwrap();
    let armored = String::from_utf8(armored).unwrap();
    format!(
        "{header}Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=enc\r\n\r\n\
         --enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\
         --enc\r\nContent-Type: application/octet-stream\r\n\r\n{armored}\r\n--enc--\r\n"
    )
    .into_bytes()
}

/// Signs an entity as multipart/signed.
pub(crate) fn pgp_signed(header: &str, entity: &str, signer: &Tsk) -> String {
    let signing = plombe_core::message::Signing {
        signers: vec![signer.into()],
        text: false,
        armor: true,
        policy: &POLICY,
        now: now(),
    };
    let mut signature = Vec::new();
    signing.detached(&mut entity.as_bytes(), &mut signature).unwrap();
    let signature = String::from_utf8(signature).unwrap();
    format!(
        "{header}Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=sig\r\n\r\n\
         --sig\r\n{entity}\r\n--sig\r\nContent-Type: application/pgp-signature\r\n\r\n{signature}\r\n--sig--\r\n"
    )
}

#[derive(Default)]
pub(crate) struct Sink(Vec<u8>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl plombe_core::message::Quarantine for Sink {
    type Released = Vec<u8>;

    fn release(self) -> std::io::Result<Vec<u8>> {
        Ok(self.0)
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Body of a mail: everything behind the first empty line.
pub(crate) fn body(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    text.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
