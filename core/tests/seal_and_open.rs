// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is sealed opens again, for those it was sealed for, with the verdict that it deserves.

mod cast;

use cast::{Reader, Watched, alice, bob, mallory, now, tsk};
use plombe_core::{
    cert::{Profile, Tsk},
    crypto_policy::CryptoPolicy,
    message::{
        Container, OpenError, Opened, Padding, Seal, SealError, SealReport, SealedMessage, UnwrapError,
    },
    secret::Passphrase,
    verdict::{Code, VerdictKind},
};
use proptest::prelude::*;

fn seal(seal: &Seal<'_>, plaintext: &[u8]) -> (Vec<u8>, SealReport) {
    let mut message = Vec::new();
    let report = seal.seal(&mut &plaintext[..], &mut message).expect("seal");
    (message, report)
}

fn seal_for(recipient: &Tsk, signer: Option<&Tsk>, plaintext: &[u8]) -> Vec<u8> {
    let (policy, certificate) = (CryptoPolicy::standard(), recipient.certificate());
    let options = Seal {
        signers: signer.map(Into::into).into_iter().collect(),
        ..Seal::new(vec![&certificate], &policy, now())
    };
    seal(&options, plaintext).0
}

fn released(opened: Opened<Watched>) -> (Vec<u8>, VerdictKind) {
    let (content, verdict) = opened.release().expect("release");
    (content, verdict.verdict)
}

#[test]
fn every_container_profile_and_size_opens_again() {
    let policy = CryptoPolicy::standard();
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let bob = tsk("bob@example.test", profile);
        let certificate = bob.certificate();
        for container in [Container::Seipdv1, Container::Seipdv2] {
            for armor in [false, true] {
                for size in [0, 1, 511, 70_000, (1 << 20) + 5, 5_000_001] {
                    let plaintext: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
                    let options = Seal {
                        container: Some(container),
                        armor,
                        signers: vec![(&bob).into()],
                        ..Seal::new(vec![&certificate], &policy, now())
                    };
                    let (message, report) = seal(&options, &plaintext);
                    assert_eq!(report.container, container);
                    let opened = Reader::knowing(&[&bob]).being(&bob).open(&message, &bob).expect("open");
                    let covered = opened.verdict().covered.clone().unwrap();
                    assert_eq!(covered.length, size as u64);
                    assert_eq!(
                        released(opened),
                        (plaintext, VerdictKind::Good),
                        "{profile:?} {container:?} {size}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]
    #[test]
    fn passwords_open_what_they_sealed(plaintext: Vec<u8>, modern: bool, padded: bool) {
        let policy = CryptoPolicy::standard();
        let options = Seal {
            passwords: vec![Passphrase::new("first"), Passphrase::new("second")],
            container: Some(if modern { Container::Seipdv2 } else { Container::Seipdv1 }),
            padding: if padded { Padding::Padme } else { Padding::None },
            ..Seal::new(Vec::new(), &policy, now())
        };
        let (message, _) = seal(&options, &plaintext);
        let sealed = SealedMessage::parse(&message[..]).unwrap();
        prop_assert!(sealed.has_password());
        let wrong = sealed.unwrap_with_passwords(&[Passphrase::new("third")]);
        prop_assert!(matches!(wrong, Err(UnwrapError::WrongPassword)));
        let key = sealed.unwrap_with_passwords(&[Passphrase::new("third"), Passphrase::new("second")]).unwrap();
        let reader = Reader::knowing(&[]);
        let opened = sealed.open(&key, &reader.context(), Watched::default()).unwrap();
        prop_assert_eq!(released(opened), (plaintext, VerdictKind::Unsigned));
    }
}

#[test]
fn the_weakest_recipient_chooses_the_container_and_the_report_says_so() {
    let (policy, old, new) = (CryptoPolicy::standard(), bob(), tsk("carol@example.test", Profile::Rfc9580));
    let (old_cert, new_cert) = (old.certificate(), new.certificate());
    let (_, report) = seal(&Seal::new(vec![&new_cert], &policy, now()), b"x");
    assert_eq!(report.container, Container::Seipdv2);
    let (message, report) = seal(&Seal::new(vec![&old_cert, &new_cert], &policy, now()), b"x");
    assert_eq!(report.container, Container::Seipdv1);
    let can_read: Vec<_> = report.recipients.iter().map(|r| r.can_read).collect();
    assert_eq!(can_read, [Container::Seipdv1, Container::Seipdv2]);
    for reader in [&old, &new] {
        Reader::knowing(&[]).open(&message, reader).expect("both can open");
    }
}

#[test]
fn hidden_recipients_open_and_are_not_named() {
    let (policy, alice, bob) = (CryptoPolicy::standard(), alice(), bob());
    let (alice_cert, bob_cert) = (alice.certificate(), bob.certificate());
    let options = Seal {
        hidden_recipients: vec![&bob_cert],
        signers: vec![(&alice).into()],
        ..Seal::new(vec![&alice_cert], &policy, now())
    };
    let (message, report) = seal(&options, b"x");
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    assert_eq!(sealed.recipients().iter().filter(|r| r.is_none()).count(), 1);
    assert_eq!(sealed.recipients().len(), 2);
    let hidden: Vec<_> = report.recipients.iter().map(|r| r.hidden).collect();
    assert_eq!(hidden, [false, true]);
    for reader in [&alice, &bob] {
        let opened = Reader::knowing(&[&alice]).being(reader).open(&message, reader).unwrap();
        assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    }
}

#[test]
fn somebody_elses_key_opens_nothing_and_learns_who_can() {
    let (bob, mallory) = (bob(), mallory());
    let message = seal_for(&bob, None, b"x");
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    match sealed.unwrap_session_key(&[mallory], &CryptoPolicy::standard(), now()) {
        Err(UnwrapError::NoMatchingKey { wanted }) => assert_eq!(wanted.len(), 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_passed_on_to_somebody_else_is_not_good_for_them() {
    let (policy, alice, bob, carol) =
        (CryptoPolicy::standard(), alice(), bob(), tsk("carol@example.test", Profile::Rfc4880));
    let message = seal_for(&bob, Some(&alice), b"you are fired");
    // Bob takes the signed content and seals it for Carol: only the wrapping of the session key changes.
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    let key = sealed.unwrap_session_key(std::slice::from_ref(&bob), &policy, now()).unwrap();
    let reader = Reader::knowing(&[&alice]).being(&carol);
    let opened = sealed.open(&key, &reader.context(), Watched::default()).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::SenderMismatch);
    assert_eq!(opened.verdict().code, Code::NotIntendedRecipient);
    let opened = Reader::knowing(&[&alice]).being(&bob).open(&message, &bob).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
}

#[test]
fn an_unknown_signer_is_not_good() {
    let (alice, bob) = (alice(), bob());
    let message = seal_for(&bob, Some(&alice), b"x");
    let opened = Reader::knowing(&[&bob]).open(&message, &bob).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::UnknownSigner);
    assert_eq!(opened.signatures().len(), 1);
}

#[test]
fn several_signers_are_judged_one_by_one_and_the_best_decides() {
    let (policy, alice, bob, mallory) = (CryptoPolicy::standard(), alice(), bob(), mallory());
    let certificate = bob.certificate();
    let options = Seal {
        signers: vec![(&mallory).into(), (&alice).into()],
        ..Seal::new(vec![&certificate], &policy, now())
    };
    let (message, _) = seal(&options, b"x");
    let opened = Reader::knowing(&[&alice]).open(&message, &bob).unwrap();
    let kinds: Vec<_> = opened.signatures().iter().map(|s| s.verdict.verdict).collect();
    assert_eq!(kinds, [VerdictKind::UnknownSigner, VerdictKind::Good]);
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(opened.signatures()[1].certificate, Some(alice.fingerprint()));
}

#[test]
fn padding_hides_all_but_a_few_lengths() {
    let (policy, bob) = (CryptoPolicy::standard(), tsk("bob@example.test", Profile::Rfc9580));
    let certificate = bob.certificate();
    let options = Seal { padding: Padding::Padme, ..Seal::new(vec![&certificate], &policy, now()) };
    let sizes: std::collections::BTreeSet<usize> =
        (1_000..1_060).map(|n| seal(&options, &vec![0; n]).0.len()).collect();
    assert!(sizes.len() <= 3, "{sizes:?}");
}

#[test]
fn nobody_to_open_it_is_an_error() {
    let policy = CryptoPolicy::standard();
    let nobody = Seal::new(Vec::new(), &policy, now()).seal(&mut &b"x"[..], &mut Vec::new());
    assert!(matches!(nobody, Err(SealError::NoRecipient)));
    let empty = Seal { passwords: vec![Passphrase::new("")], ..Seal::new(Vec::new(), &policy, now()) };
    assert!(matches!(empty.seal(&mut &b"x"[..], &mut Vec::new()), Err(SealError::EmptyPassword)));
}

#[test]
fn the_reported_session_key_opens_the_message() {
    let (policy, bob) = (CryptoPolicy::standard(), bob());
    let certificate = bob.certificate();
    let (message, report) = seal(&Seal::new(vec![&certificate], &policy, now()), b"x");
    let reader = Reader::knowing(&[]);
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    let opened = sealed.open(&report.session_key, &reader.context(), Watched::default()).unwrap();
    assert_eq!(released(opened).0, b"x");
    assert_eq!(format!("{:?}", report.session_key), "SessionKey(..)");
}

struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }
}

impl std::io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failing_disk_is_not_mistaken_for_a_damaged_message() {
    let (policy, bob) = (CryptoPolicy::standard(), bob());
    let certificate = bob.certificate();
    for container in [Container::Seipdv1, Container::Seipdv2] {
        let options = Seal { container: Some(container), ..Seal::new(vec![&certificate], &policy, now()) };
        assert!(matches!(options.seal(&mut Broken, &mut Vec::new()), Err(SealError::Input(_))));
        let big = vec![0; 4 << 20];
        match options.seal(&mut &big[..], &mut Broken) {
            Err(SealError::Output(e)) => assert_eq!(e.kind(), std::io::ErrorKind::StorageFull),
            other => panic!("{other:?}"),
        }
        let (message, _) = seal(&options, &big);
        let broken_off = std::io::Read::chain(&message[..message.len() / 2], Broken);
        let sealed = SealedMessage::parse(broken_off).unwrap();
        let key = sealed.unwrap_session_key(std::slice::from_ref(&bob), &policy, now()).unwrap();
        let result = sealed.open(&key, &Reader::knowing(&[]).context(), Watched::default());
        assert!(matches!(result.map(drop), Err(OpenError::Input(_))));
    }
}
