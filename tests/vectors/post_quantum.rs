// SPDX-License-Identifier: LGPL-2.0-or-later
//! RFC 9980: the samples of the RFC, and messages that rPGP and GopenPGP made from its drafts.

use std::path::{Path, PathBuf};

use plombe_core::cert::Profile;

use super::*;

/// OpenSSL before 3.5 knows none of it; the Rust backend knows all.
fn known_to_this_backend() -> bool {
    let known = Profile::Pqc.is_supported();
    assert!(known || cfg!(not(feature = "crypto-rust")), "the Rust backend lost its post-quantum algorithms");
    known
}

/// Opens as the holder of `tsk`, with the signature of `signer`.
fn open_signed(message: &Path, tsk: &Path, signer: &Path) -> (Vec<u8>, Verdict) {
    let shown = message.display();
    let policy = CryptoPolicy::standard();
    let known = Certificate::parse_all(&fs::read(signer).expect("a certificate")).expect("certificates");
    let tsks = tsks(tsk).unwrap_or_else(|| panic!("{} is unreadable", tsk.display()));
    let bytes = fs::read(message).expect("a message");
    let sealed = SealedMessage::parse(io::Cursor::new(bytes)).unwrap_or_else(|e| panic!("{shown}: {e}"));
    let session_key =
        sealed.unwrap_session_key(&tsks, &policy, now()).unwrap_or_else(|e| panic!("{shown}: {e}"));
    let opened = sealed.open(&session_key, &context(&known, &policy), Memory(Vec::new()));
    opened.unwrap_or_else(|e| panic!("{shown}: {e}")).release().expect("released")
}

fn verify_detached(signature: &Path, data: &[u8], signer: &Path) -> Verdict {
    let policy = CryptoPolicy::standard();
    let known = Certificate::parse_all(&fs::read(signer).expect("a certificate")).expect("certificates");
    let signature = fs::read(signature).expect("a signature");
    verify::detached(&signature, &mut &data[..], &context(&known, &policy)).expect("a signature").verdict
}

#[test]
fn the_rfcs_samples_open_and_verify() {
    if !known_to_this_backend() {
        return;
    }
    let sequoia = crates::folder("sequoia-openpgp").join("tests/data/pqc/ietf");
    for (folder, ending) in [(crates::rpgp().join("tests/pqc"), "asc"), (sequoia, "pgp")] {
        let file = |name: String| folder.join(format!("{name}.{ending}"));
        for (who, message) in [
            ("v4-eddsa", "message-v1"),
            ("v4-eddsa", "message-v2"),
            ("v6-eddsa", "message"),
            ("v6-mldsa-65", "message"),
            ("v6-mldsa-87", "message"),
            ("v6-slhdsa-128s", "message"),
        ] {
            let (secret, public) = (file(format!("{who}-sample-sk")), file(format!("{who}-sample-pk")));
            let (text, verdict) = open_signed(&file(format!("{who}-sample-{message}")), &secret, &public);
            assert_eq!(text, b"Testing\n", "{who}");
            assert_eq!(verdict.verdict, VerdictKind::Good, "{who}: {}", verdict.reason);
        }
        for who in ["v6-mldsa-65", "v6-mldsa-87", "v6-slhdsa-128s", "v6-slhdsa-128f", "v6-slhdsa-256s"] {
            let (signature, public) =
                (file(format!("{who}-sample-signature")), file(format!("{who}-sample-pk")));
            let verdict = verify_detached(&signature, b"Testing\n", &public);
            assert_eq!(verdict.verdict, VerdictKind::Good, "{who}: {}", verdict.reason);
            let verdict = verify_detached(&signature, b"Testing!\n", &public);
            assert_eq!(verdict.verdict, VerdictKind::Bad, "{who}");
        }
    }
}

#[test]
fn what_rpgp_and_gopenpgp_made_opens_and_verifies() {
    if !known_to_this_backend() {
        return;
    }
    let root = crates::folder("sequoia-openpgp").join("tests/data/pqc");
    let mut messages: Vec<PathBuf> = ["rpgp", "gopenpgp"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("Sequoia's vectors"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with("_message.pgp"))
        .collect();
    messages.sort();
    assert!(messages.len() >= 8, "{messages:?}");
    for message in messages {
        let beside = |what: &str| {
            PathBuf::from(message.to_string_lossy().replace("_message.pgp", &format!("_{what}.pgp")))
        };
        let (text, verdict) = open_signed(&message, &beside("bob_sk"), &beside("alice_pk"));
        assert_eq!(text, b"Hello World\n", "{}", message.display());
        assert_eq!(verdict.verdict, VerdictKind::Good, "{}: {}", message.display(), verdict.reason);
        let verdict = verify_detached(&beside("detached_sig"), b"Hello World\n", &beside("alice_pk"));
        assert_eq!(verdict.verdict, VerdictKind::Good, "{}: {}", message.display(), verdict.reason);
    }
}

/// A file that this build cannot read must be named as such, not taken for damage.
#[test]
fn without_the_algorithms_the_samples_are_refused_by_name() {
    let folder = crates::rpgp().join("tests/pqc");
    let known = Certificate::parse_all(&fs::read(folder.join("v6-mldsa-65-sample-pk.asc")).unwrap());
    let [certificate] = known.as_deref().expect("it parses, whatever it holds") else { panic!("{known:?}") };
    let sealing = certificate.can_encrypt(&CryptoPolicy::standard(), now());
    assert_eq!(sealing.is_ok(), known_to_this_backend(), "{sealing:?}");
}
