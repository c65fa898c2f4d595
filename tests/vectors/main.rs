// SPDX-License-Identifier: LGPL-2.0-or-later
//! Messages, keys and signatures that other implementations wrote, taken from the crates that ship them.
//!
//! Nothing is copied: the files lie where cargo put these crates. Part of core's tests, so that both backends read them.

mod autocrypt;
mod crates;
mod post_quantum;
mod sequoia;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use plombe_core::{
    cert::{Certificate, LockedTsk, Tsk},
    crypto_policy::CryptoPolicy,
    message::{Limits, OpenContext, OpenError, Quarantine, SealedMessage, SignerCertificates, verify},
    secret::Passphrase,
    verdict::{Verdict, VerdictKind},
};

/// When these vectors were valid.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

struct Memory(Vec<u8>);

impl io::Write for Memory {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Memory {
    type Released = Vec<u8>;

    fn release(self) -> io::Result<Vec<u8>> {
        Ok(self.0)
    }
}

fn context<'a>(signers: &'a dyn SignerCertificates, policy: &'a CryptoPolicy) -> OpenContext<'a> {
    OpenContext { signers, readers: &[], policy, now: now(), limits: Limits::default(), hash_content: false }
}

/// `None` when this file's keys cannot be read by this build.
fn tsks(path: &Path) -> Option<Vec<Tsk>> {
    let locked = LockedTsk::parse_all(&fs::read(path).expect("a key file")).ok()?;
    locked.into_iter().map(|tsk| tsk.unlock(None).ok()).collect()
}

fn open(message: &Path, tsks: &[Tsk]) -> Result<Vec<u8>, OpenError> {
    let (policy, known) = (CryptoPolicy::standard(), Vec::<Certificate>::new());
    let sealed = SealedMessage::parse(io::Cursor::new(fs::read(message).expect("a message")))?;
    let session_key = sealed.unwrap_session_key(tsks, &policy, now()).map_err(|_| OpenError::Unreadable)?;
    let opened = sealed.open(&session_key, &context(&known, &policy), Memory(Vec::new()))?;
    Ok(opened.release()?.0)
}

fn open_with_password(message: &Path, password: &str) -> Result<Vec<u8>, OpenError> {
    let (policy, known) = (CryptoPolicy::standard(), Vec::<Certificate>::new());
    let sealed = SealedMessage::parse(io::Cursor::new(fs::read(message).expect("a message")))?;
    let passwords = [Passphrase::new(password)];
    let session_key = sealed.unwrap_with_passwords(&passwords).map_err(|_| OpenError::Unreadable)?;
    let opened = sealed.open(&session_key, &context(&known, &policy), Memory(Vec::new()))?;
    Ok(opened.release()?.0)
}

fn verify_inline(message: &Path, signer: &Path) -> (Vec<u8>, Verdict) {
    let policy = CryptoPolicy::standard();
    let known = Certificate::parse_all(&fs::read(signer).expect("a certificate")).expect("certificates");
    let message = fs::read(message).expect("a message");
    let opened =
        verify::inline(&mut &message[..], &context(&known, &policy), Memory(Vec::new())).expect("signed");
    opened.release().expect("released")
}

/// Every folder of rPGP's RFC 9580 matrix, except the key that the RFC forbids.
fn rfc9580_folders() -> Vec<PathBuf> {
    let root = crates::rpgp().join("tests/rfc9580");
    let mut folders: Vec<_> = fs::read_dir(&root)
        .expect("rPGP's vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir() && !path.ends_with("v6-legacy_illegal"))
        .collect();
    folders.sort();
    assert!(folders.len() >= 9, "{folders:?}");
    folders
}

#[test]
fn rpgp_rfc9580_messages_open() {
    let mut opened = 0;
    for folder in rfc9580_folders() {
        let tsks = tsks(&folder.join("tsk.asc")).unwrap_or_else(|| panic!("{}", folder.display()));
        for name in ["enc-seipdv1.msg", "enc-seipdv2.msg"] {
            let message = folder.join(name);
            if message.exists() {
                assert_eq!(open(&message, &tsks).expect(name), b"hello world\n", "{}", message.display());
                opened += 1;
            }
        }
    }
    assert!(opened >= 14, "{opened}");
}

#[test]
fn rpgp_rfc9580_cleartext_signatures_verify() {
    let mut verified = 0;
    for folder in rfc9580_folders() {
        let message = folder.join("csf.msg");
        if message.exists() {
            let (text, verdict) = verify_inline(&message, &folder.join("tsk.asc"));
            assert_eq!(verdict.verdict, VerdictKind::Good, "{}: {}", message.display(), verdict.reason);
            // The framework adds a line ending, which is not signed and ends the last line.
            assert_eq!(text, b"hello world\n\n");
            verified += 1;
        }
    }
    assert!(verified >= 5, "{verified}");
}

#[test]
fn a_v6_certificate_with_legacy_curves_signs_nothing() {
    // RFC 9580 section 9.2 forbids the legacy curves in version 6 keys. Sequoia reads them all the same.
    let folder = crates::rpgp().join("tests/rfc9580/v6-legacy_illegal");
    let Ok(known) = Certificate::parse_all(&fs::read(folder.join("tsk.asc")).unwrap()) else { return };
    let policy = CryptoPolicy::standard();
    let message = fs::read(folder.join("csf.msg")).unwrap();
    let result = verify::inline(&mut &message[..], &context(&known, &policy), Memory(Vec::new()));
    let kind = result.map(|opened| opened.verdict().verdict);
    assert!(!matches!(kind, Ok(VerdictKind::Good)), "{kind:?}");
}

#[test]
fn aead_and_argon2_messages_open_with_their_password() {
    let root = crates::rpgp().join("tests/unit-tests");
    // Argon2 with 2 GiB each: one of the three says what the other two say.
    for name in ["aead/ocb.msg", "aead/gcm.msg", "argon2/aes256.msg"] {
        assert_eq!(open_with_password(&root.join(name), "password").expect(name), b"Hello, world!", "{name}");
    }
    assert!(open_with_password(&root.join("aead/ocb.msg"), "Password").is_err());
}

#[test]
fn eax_is_read_or_refused_by_name() {
    let message = crates::rpgp().join("tests/unit-tests/aead/eax.msg");
    match open_with_password(&message, "password") {
        Ok(text) => assert_eq!(text, b"Hello, world!"),
        // OpenSSL has no EAX. The session key packet is under EAX too, so the password cannot be checked at all.
        Err(error) => assert!(matches!(error, OpenError::Unsupported(_) | OpenError::Unreadable), "{error}"),
    }
}

#[test]
fn sequoias_rfc9580_samples_open_and_verify() {
    let root = crates::folder("sequoia-openpgp").join("tests/data/crypto-refresh");
    for name in ["v6skesk-aes128-ocb.pgp", "v6skesk-aes128-gcm.pgp"] {
        assert_eq!(open_with_password(&root.join(name), "password").expect(name), b"Hello, world!", "{name}");
    }
    let (text, verdict) =
        verify_inline(&root.join("cleartext-signed-message.txt"), &root.join("v6-minimal-cert.key"));
    assert_eq!(verdict.verdict, VerdictKind::Good, "{}", verdict.reason);
    let plain = fs::read(root.join("cleartext-signed-message.txt.plain")).unwrap();
    assert_eq!(text.trim_ascii_end(), plain.trim_ascii_end());
}

#[test]
fn padding_and_partial_lengths_of_others_are_read() {
    let root = crates::rpgp().join("tests/unit-tests/partial-body-length");
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let message = fs::read(&path).unwrap();
        let mut content = Vec::new();
        let split = verify::split_inline(&mut &message[..], &Limits::default(), &mut content);
        split.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(!content.is_empty(), "{}", path.display());
    }
}
