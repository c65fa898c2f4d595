// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher handed out: what a host does piece by piece is what a stream does, and nothing half done gets out.

mod cast;

use cast::{Reader, Watched, now, tsk};
use plombe_core::{
    cert::{Profile, Tsk},
    crypto_policy::CryptoPolicy,
    message::{
        Closed, Container, OpenError, Seal, SealError, SealedMessage,
        payload::{Aead, Task},
    },
    verdict::VerdictKind,
};

const SIZES: [usize; 6] = [0, 1, 15, 40_000, (1 << 18) - 8, 700_001];

fn plaintext(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

fn prepared_for(
    bob: &Tsk,
    container: Container,
    plaintext: &[u8],
    act: impl FnOnce(&mut Task),
) -> Result<Vec<u8>, SealError> {
    let (policy, certificate) = (CryptoPolicy::standard(), bob.certificate());
    let seal = Seal {
        container: Some(container),
        signers: vec![bob.into()],
        aead: Some(Aead::Gcm),
        ..Seal::new(vec![&certificate], &policy, now())
    };
    let mut prepared = seal.prepare(&mut &plaintext[..], plaintext.len())?;
    act(prepared.task());
    let mut message = Vec::new();
    prepared.finish(&mut message)?;
    Ok(message)
}

fn sealed_by_host(bob: &Tsk, container: Container, plaintext: &[u8]) -> Vec<u8> {
    prepared_for(bob, container, plaintext, |task| task.run().expect("sealed")).expect("finished")
}

fn sealed_by_stream(bob: &Tsk, container: Container, plaintext: &[u8]) -> Vec<u8> {
    let (policy, certificate) = (CryptoPolicy::standard(), bob.certificate());
    let seal = Seal {
        container: Some(container),
        signers: vec![bob.into()],
        ..Seal::new(vec![&certificate], &policy, now())
    };
    let mut message = Vec::new();
    seal.seal(&mut &plaintext[..], &mut message).expect("sealed");
    message
}

fn closed(message: &[u8], tsk: &Tsk) -> Result<Closed, OpenError> {
    let policy = CryptoPolicy::standard();
    let sealed = SealedMessage::parse(message)?;
    let session_key =
        sealed.unwrap_session_key(std::slice::from_ref(tsk), &policy, now()).expect("a session key");
    sealed.into_closed(&session_key, &policy, message.len())
}

fn each_case(mut check: impl FnMut(&Tsk, Container, &[u8])) {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let bob = tsk("bob@example.test", profile);
        for container in [Container::Seipdv1, Container::Seipdv2] {
            for size in SIZES {
                check(&bob, container, &plaintext(size));
            }
        }
    }
}

#[test]
fn what_a_host_sealed_opens_as_a_stream() {
    each_case(|bob, container, plaintext| {
        let message = sealed_by_host(bob, container, plaintext);
        let opened = Reader::knowing(&[bob]).being(bob).open(&message, bob).expect("opened");
        let (content, verdict) = opened.release().expect("released");
        assert_eq!((&content[..], verdict.verdict), (plaintext, VerdictKind::Good), "{container:?}");
    });
}

#[test]
fn what_a_stream_sealed_opens_by_a_host_with_the_same_verdict() {
    each_case(|bob, container, plaintext| {
        let message = sealed_by_stream(bob, container, plaintext);
        let reader = Reader::knowing(&[bob]).being(bob);
        let mut closed = closed(&message, bob).expect("closed");
        closed.task().run().expect("authentic");
        let opened = closed.open(&reader.context(), Watched::default()).expect("opened");
        assert_eq!(opened.verdict(), reader.open(&message, bob).expect("opened").verdict());
        assert_eq!(opened.release().expect("released").0, plaintext, "{container:?}");
    });
}

/// The key stream of CFB comes out of CBC, as a platform without CFB has to make it.
#[test]
fn cfb_is_sealed_by_its_key_stream() {
    use sequoia_openpgp::{
        crypto::symmetric::{BlockCipherMode, Encryptor, PaddingMode},
        types::SymmetricAlgorithm,
    };
    let bob = tsk("bob@example.test", Profile::Rfc4880);
    let plaintext = plaintext(100_003);
    let message = prepared_for(&bob, Container::Seipdv1, &plaintext, |task| {
        let Task::Cfb(task) = task else { panic!("SEIPDv1") };
        task.digest().expect("hashed");
        let mut blocks = vec![0; 16];
        blocks.extend(task.unsealed());
        blocks.resize(blocks.len().next_multiple_of(16), 0);
        let mut key_stream = Vec::new();
        let key = task.aes_key().expect("AES").into();
        let mut cbc = Encryptor::new(
            SymmetricAlgorithm::AES256,
            BlockCipherMode::CBC,
            PaddingMode::None,
            &key,
            Some(&[0; 16]),
            &mut key_stream,
        )
        .expect("CBC");
        std::io::Write::write_all(&mut cbc, &blocks).expect("written");
        cbc.finalize().expect("finished");
        let (first, rest) = key_stream.split_at(4096);
        task.apply(first);
        task.apply(rest);
        assert!(task.unsealed().is_empty());
    });
    let opened = Reader::knowing(&[&bob]).open(&message.expect("finished"), &bob).expect("opened");
    assert_eq!(opened.release().expect("released").0, plaintext);
}

#[test]
fn plaintext_that_missed_the_cipher_is_never_written() {
    each_case(|bob, container, plaintext| {
        let nothing = prepared_for(bob, container, plaintext, |_| ());
        let half = prepared_for(bob, container, plaintext, |task| match task {
            Task::Aead(task) => (1..task.pieces()).for_each(|piece| task.output(piece).fill(0)),
            Task::Cfb(task) => task.digest().expect("hashed"),
        });
        assert!(nothing.is_err() && half.is_err(), "{container:?}");
    });
}

#[test]
fn a_piece_that_nobody_authenticated_keeps_the_message_closed() {
    each_case(|bob, container, plaintext| {
        let message = sealed_by_stream(bob, container, plaintext);
        let mut closed = closed(&message, bob).expect("closed");
        match closed.task() {
            Task::Aead(task) => (0..task.pieces() - 1).for_each(|piece| task.output(piece).fill(0)),
            Task::Cfb(task) => task.decrypt().expect("decrypted"),
        }
        let watched = Watched::default();
        let reader = Reader::knowing(&[bob]);
        assert!(closed.open(&reader.context(), watched.clone()).is_err(), "{container:?}");
        assert!(watched.held.borrow().is_empty(), "{container:?}: nothing may be read before");
    });
}

#[test]
fn a_flipped_bit_is_found_by_the_task() {
    each_case(|bob, container, plaintext| {
        let mut message = sealed_by_stream(bob, container, plaintext);
        for from_end in [1, 20, plaintext.len().min(300_000) + 30] {
            let at = message.len() - from_end;
            message[at] ^= 1;
            let damaged = closed(&message, bob).map(|mut closed| closed.task().run().is_err());
            assert!(damaged.unwrap_or(true), "{container:?}, {from_end} from the end");
            message[at] ^= 1;
        }
    });
}

#[test]
fn a_digest_that_is_too_short_is_none() {
    each_case(|bob, container, plaintext| {
        let message = sealed_by_stream(bob, container, plaintext);
        let mut closed = closed(&message, bob).expect("closed");
        if let Task::Cfb(task) = closed.task() {
            task.decrypt().expect("decrypted");
            assert!(task.put_digest(&[]).is_err() && task.put_digest(&[0; 19]).is_err());
        }
        assert!(
            closed.open(&Reader::knowing(&[bob]).context(), Watched::default()).is_err(),
            "{container:?}"
        );
    });
}

#[test]
fn a_host_that_is_fast_at_gcm_writes_it_to_those_who_ask_for_it() {
    let bob = tsk("bob@example.test", Profile::Rfc9580);
    let message = sealed_by_host(&bob, Container::Seipdv2, b"x");
    match closed(&message, &bob).expect("closed").task() {
        Task::Aead(task) => assert_eq!(task.schedule().aead(), Aead::Gcm),
        Task::Cfb(_) => panic!("SEIPDv2"),
    }
    match closed(&sealed_by_stream(&bob, Container::Seipdv2, b"x"), &bob).expect("closed").task() {
        Task::Aead(task) => assert_eq!(task.schedule().aead(), Aead::Ocb),
        Task::Cfb(_) => panic!("SEIPDv2"),
    }
}
