// SPDX-License-Identifier: LGPL-2.0-or-later
//! What strangers send. Every message here is refused, and not one byte of it is released.

mod cast;

use std::io::Write;

use cast::{Reader, Watched, bob, now, tsk};
use openpgp::{
    Cert, Packet,
    crypto::{S2K, SessionKey as Key},
    packet::{PKESK, pkesk::PKESK3, skesk::SKESK4},
    parse::Parse,
    serialize::{Serialize, SerializeInto, stream},
    types::{AEADAlgorithm, CompressionAlgorithm, HashAlgorithm, SymmetricAlgorithm},
};
use plombe_core::{
    cert::{Profile, Tsk},
    crypto_policy::CryptoPolicy,
    message::{Container, Limits, OpenError, Padding, Seal, SealedMessage, UnwrapError},
    secret::Passphrase,
    session_key::SessionKey,
};
use sequoia_openpgp as openpgp;

const AES256: u8 = 9;

fn key() -> SessionKey {
    SessionKey::from_bytes(Some(AES256), &[7; 32])
}

/// Sequoia seals whatever bytes it is given, which makes it a good forger.
fn forge(container: Container, inner: &[u8]) -> Vec<u8> {
    forge_with(container, SymmetricAlgorithm::AES256, 32, inner)
}

fn forge_with(container: Container, cipher: SymmetricAlgorithm, key_size: usize, inner: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let stream = stream::Message::new(&mut message);
    let encryptor =
        stream::Encryptor::with_session_key(stream, cipher, Key::from(vec![7; key_size])).unwrap();
    let encryptor = match container {
        Container::Seipdv1 => encryptor,
        Container::Seipdv2 => encryptor.aead_algo(AEADAlgorithm::OCB),
    };
    let mut stream = encryptor.build().unwrap();
    stream.write_all(inner).unwrap();
    stream.finalize().unwrap();
    message
}

const BOTH: [Container; 2] = [Container::Seipdv1, Container::Seipdv2];

/// A packet with a one-octet length.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0xc0 | tag, u8::try_from(body.len()).unwrap()], body].concat()
}

/// A packet of any length.
fn packet_of(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0xc0 | tag, 255], &u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

fn literal(content: &[u8]) -> Vec<u8> {
    packet(11, &[b"b\0\0\0\0\0", content].concat())
}

fn seal_small(container: Container, recipient: &Tsk) -> (Vec<u8>, SessionKey) {
    seal_signed(container, recipient, Some(recipient))
}

fn seal_signed(container: Container, recipient: &Tsk, signer: Option<&Tsk>) -> (Vec<u8>, SessionKey) {
    let (policy, certificate) = (CryptoPolicy::standard(), recipient.certificate());
    let seal = Seal {
        container: Some(container),
        signers: signer.map(Into::into).into_iter().collect(),
        padding: Padding::Padme,
        ..Seal::new(vec![&certificate], &policy, now())
    };
    let mut message = Vec::new();
    let report = seal.seal(&mut &b"attack at dawn"[..], &mut message).unwrap();
    (message, report.session_key)
}

#[test]
fn the_forger_writes_what_we_read() {
    for container in BOTH {
        let message = forge(container, &literal(b"hello"));
        let reader = Reader::knowing(&[]);
        let opened =
            SealedMessage::parse(&message[..]).unwrap().open(&key(), &reader.context(), Watched::default());
        assert_eq!(opened.unwrap().release().unwrap().0, b"hello");
    }
}

#[test]
fn a_message_cut_anywhere_is_refused() {
    let reader = Reader::knowing(&[]);
    for container in BOTH {
        let (message, session_key) = seal_small(container, &bob());
        for end in 0..message.len() {
            reader.refuses(&message[..end], &session_key);
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_releases_nothing_new() {
    let bob = bob();
    let reader = Reader::knowing(&[&bob]);
    for container in BOTH {
        let (message, session_key) = seal_small(container, &bob);
        let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes().len();
        for position in 0..message.len() {
            for bit in [0x01, 0x80] {
                let mut flipped = message.clone();
                flipped[position] ^= bit;
                if position >= wrapped {
                    reader.refuses(&flipped, &session_key);
                } else if let Ok(opened) = reader.open(&flipped, &bob) {
                    assert_eq!(opened.release().unwrap().0, b"attack at dawn", "{position}");
                }
            }
        }
    }
}

#[test]
fn anything_behind_the_container_is_refused() {
    let reader = Reader::knowing(&[]);
    for container in BOTH {
        let (message, session_key) = seal_small(container, &bob());
        for garbage in [&b"\0"[..], b"\n", b"x", &message, &literal(b"more"), &packet(10, b"PGP")] {
            let error = reader.refuses(&[&message[..], garbage].concat(), &session_key);
            assert!(matches!(error, OpenError::Unreadable));
        }
    }
}

#[test]
fn text_around_the_armor_is_refused() {
    let (policy, bob) = (CryptoPolicy::standard(), bob());
    let certificate = bob.certificate();
    let seal = Seal { armor: true, ..Seal::new(vec![&certificate], &policy, now()) };
    let mut message = Vec::new();
    let session_key = seal.seal(&mut &b"x"[..], &mut message).unwrap().session_key;
    let reader = Reader::knowing(&[]);
    let blank = [b" \r\n\n", &message[..], b"\n \t\r\n"].concat();
    let opened =
        SealedMessage::parse(&blank[..]).unwrap().open(&session_key, &reader.context(), Watched::default());
    assert_eq!(opened.unwrap().release().unwrap().0, b"x");
    let error = reader.refuses(&[b"see below:\n", &message[..]].concat(), &session_key);
    assert!(matches!(error, OpenError::NotSealed));
    reader.refuses(&[&message[..], b"\nsent from my phone\n"].concat(), &session_key);
}

#[test]
fn white_space_inside_the_armor_is_refused() {
    // Otherwise it would be dropped by whoever reads it next, and what is armored again would not be the same.
    let text = "-----BEGIN PGP MESSAGE-----\n\nComm\n-----END PGP MESSAGE-----\n";
    let mut binary = Vec::new();
    let result = plombe_core::message::armor::dearmor(&mut text.as_bytes(), &mut binary);
    assert!(result.is_err() && binary.is_empty(), "{binary:?}");
}

#[test]
fn only_sealed_messages_are_opened() {
    let reader = Reader::knowing(&[]);
    let (message, _) = seal_small(Container::Seipdv1, &bob());
    let wrapped_key = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
    for not_sealed in
        [&b""[..], b"hello", b"-----BEGIN PGP", &literal(b"x"), &wrapped_key, &packet(8, b"\0x"), b"\n\n"]
    {
        assert!(matches!(reader.refuses(not_sealed, &key()), OpenError::NotSealed), "{not_sealed:02x?}");
    }
}

#[test]
fn containers_without_integrity_are_refused_by_name() {
    let reader = Reader::knowing(&[]);
    let error = reader.refuses(&packet(9, &[0; 40]), &key());
    assert!(matches!(error, OpenError::NoIntegrity));
    let error = reader.refuses(&packet(20, &[1, 9, 2, 10]), &key());
    assert!(matches!(error, OpenError::Unsupported(_)));
    let error = reader.refuses(&packet(18, &[3; 40]), &key());
    assert!(matches!(error, OpenError::Unsupported(_)));
}

#[test]
fn seipdv1_without_its_mdc_is_refused() {
    let (message, reader) = (forge(Container::Seipdv1, &literal(b"hello")), Reader::knowing(&[]));
    // Cut the MDC packet off and mend the length, as an attacker would.
    let body = &message[2..message.len() - 22];
    assert!(matches!(reader.refuses(&packet(18, body), &key()), OpenError::Unreadable));
    assert!(matches!(reader.refuses(&packet(18, &[1]), &key()), OpenError::Unreadable));
}

/// Sequoia's SEIPDv2: header of 36 bytes, chunks of 4 KiB with a tag of 16 each.
fn seipdv2_in_chunks() -> (Vec<u8>, Vec<Vec<u8>>) {
    // A literal that fills three chunks exactly.
    let length = u32::try_from(3 * 4096 - 6).unwrap();
    let mut inner = [&[0xcb, 255], &length.to_be_bytes()[..], b"b\0\0\0\0\0"].concat();
    inner.resize(3 * 4096, b'x');
    let body = unframe(&forge(Container::Seipdv2, &inner));
    let chunks = body[36..].chunks(4096 + 16).map(<[u8]>::to_vec).collect();
    (body[..36].to_vec(), chunks)
}

/// Body of the only packet, partial lengths joined.
fn unframe(message: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = &message[1..];
    loop {
        let (length, header, last) = match rest[0] {
            n @ 0..192 => (usize::from(n), 1, true),
            n @ 192..224 => ((usize::from(n) - 192) * 256 + usize::from(rest[1]) + 192, 2, true),
            255 => (u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize, 5, true),
            n => (1 << (n & 31), 1, false),
        };
        body.extend_from_slice(&rest[header..header + length]);
        rest = &rest[header + length..];
        if last {
            return body;
        }
    }
}

fn container_packet(body: &[u8]) -> Vec<u8> {
    [&[0xd2, 255], &u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

#[test]
fn seipdv2_chunks_can_be_neither_swapped_nor_dropped_nor_cut() {
    let reader = Reader::knowing(&[]);
    let (header, chunks) = seipdv2_in_chunks();
    assert_eq!(chunks.len(), 4, "three chunks and the final tag");
    let join = |order: &[usize]| {
        let body: Vec<u8> = order.iter().flat_map(|i| chunks[*i].clone()).collect();
        container_packet(&[&header[..], &body].concat())
    };
    let whole = join(&[0, 1, 2, 3]);
    let opened =
        SealedMessage::parse(&whole[..]).unwrap().open(&key(), &reader.context(), Watched::default());
    opened.unwrap().release().unwrap();
    for order in [&[1, 0, 2, 3][..], &[0, 1, 2], &[0, 1, 3], &[0, 1, 2, 2, 3], &[3], &[], &[0, 1, 2, 3, 3]] {
        assert!(matches!(reader.refuses(&join(order), &key()), OpenError::Unreadable), "{order:?}");
    }
    for octet in [5, 7, 16, 17, 255] {
        let mut wrong = whole.clone();
        wrong[6 + 3] = octet;
        assert!(matches!(reader.refuses(&wrong, &key()), OpenError::Unreadable), "{octet}");
    }
}

/// A literal that goes on to wherever its surroundings end looks whole after each chunk: only the final tag knows.
#[test]
fn seipdv2_is_not_cut_where_the_content_would_not_notice() {
    let reader = Reader::knowing(&[]);
    let mut inner = b"\xafb\0\0\0\0\0".to_vec();
    inner.resize(3 * 4096, b'x');
    let whole = unframe(&forge(Container::Seipdv2, &inner));
    let (sealed, final_tag) = whole.split_at(whole.len() - 16);
    let message = container_packet(&whole);
    let opened =
        SealedMessage::parse(&message[..]).unwrap().open(&key(), &reader.context(), Watched::default());
    opened.unwrap().release().unwrap();
    for chunks in 1..3 {
        let cut = [&sealed[..36 + chunks * (4096 + 16)], final_tag].concat();
        let error = reader.refuses(&container_packet(&cut), &key());
        assert!(matches!(error, OpenError::Unreadable), "{chunks} chunks: {error}");
    }
}

#[test]
fn only_one_message_may_be_inside() {
    let reader = Reader::knowing(&[]);
    let hello = literal(b"hello");
    let sealed_inside = forge(Container::Seipdv2, &hello);
    let one_pass = packet(4, &[3, 0, 10, 22, 1, 2, 3, 4, 5, 6, 7, 8, 1]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("only padding", packet(21, b"xx")),
        ("two literals", [&hello[..], &hello].concat()),
        ("garbage behind", [&hello[..], b"x"].concat()),
        ("cut literal", hello[..hello.len() - 1].to_vec()),
        ("a stripped signature", [&one_pass[..], &hello].concat()),
        ("a signature out of nowhere", [&hello[..], &packet(2, &[4, 0, 22, 10])].concat()),
        ("an unknown critical packet", [&packet(22, b"x")[..], &hello].concat()),
        ("an MDC packet", [&hello[..], &packet(19, &[0; 20])].concat()),
        ("a certificate", packet(6, &[4; 20])),
        ("signed compression", [&one_pass[..], &packet(8, &[&[0], &hello[..]].concat())].concat()),
    ];
    for container in BOTH {
        for (what, inner) in &cases {
            let error = reader.refuses(&forge(container, inner), &key());
            assert!(matches!(error, OpenError::Unreadable), "{what}: {error}");
        }
        let error = reader.refuses(&forge(container, &sealed_inside), &key());
        assert!(matches!(error, OpenError::Nested));
        for ignored in [packet(10, b"PGP"), packet(21, b"random"), packet(60, b"private")] {
            let inner = [&ignored[..], &hello, &ignored].concat();
            let message = forge(container, &inner);
            let opened = SealedMessage::parse(&message[..]).unwrap().open(
                &key(),
                &reader.context(),
                Watched::default(),
            );
            assert_eq!(opened.unwrap().release().unwrap().0, b"hello");
        }
    }
}

fn compress(algorithm: CompressionAlgorithm, inner: &[u8]) -> Vec<u8> {
    let mut packets = Vec::new();
    let message = stream::Message::new(&mut packets);
    let mut compressor = stream::Compressor::new(message).algo(algorithm).build().unwrap();
    compressor.write_all(inner).unwrap();
    compressor.finalize().unwrap();
    packets
}

const COMPRESSIONS: [CompressionAlgorithm; 3] =
    [CompressionAlgorithm::Zip, CompressionAlgorithm::Zlib, CompressionAlgorithm::BZip2];

#[test]
fn decompression_bombs_are_refused() {
    let mut reader = Reader::knowing(&[]);
    reader.limits.compressed_free_bytes = 1 << 20;
    let content = vec![0; 8 << 20];
    let mut inner = vec![0xcb, 255];
    inner.extend(u32::try_from(content.len() + 6).unwrap().to_be_bytes());
    inner.extend(b"b\0\0\0\0\0");
    inner.extend(content);
    for algorithm in COMPRESSIONS {
        let bomb = compress(algorithm, &inner);
        for bomb in [compress(algorithm, &bomb), bomb] {
            let error = reader.refuses(&forge(Container::Seipdv1, &bomb), &key());
            assert!(matches!(error, OpenError::TooLarge), "{algorithm}: {error}");
        }
    }
}

#[test]
fn compression_is_read_to_a_depth() {
    let reader = Reader::knowing(&[]);
    for algorithm in COMPRESSIONS {
        let mut inner = literal(b"hello");
        for depth in 1..20 {
            inner = compress(algorithm, &inner);
            let message = forge(Container::Seipdv2, &inner);
            if depth <= 8 {
                let sealed = SealedMessage::parse(&message[..]).unwrap();
                let opened = sealed.open(&key(), &reader.context(), Watched::default());
                assert_eq!(opened.unwrap().release().unwrap().0, b"hello");
            } else {
                assert!(matches!(reader.refuses(&message, &key()), OpenError::TooDeep));
            }
        }
    }
}

/// With SEIPDv1 anybody can flip bits of the plaintext. Whoever is told what they made of it reads it bit by bit.
#[test]
fn what_is_wrong_inside_is_not_told_before_integrity_is_known() {
    let mut reader = Reader::knowing(&[]);
    reader.limits = Limits { depth: 2, compressed_free_bytes: 1 << 20, ..reader.limits };
    let hello = literal(b"hello");
    let nested =
        |depth| (0..depth).fold(hello.clone(), |inner, _| compress(CompressionAlgorithm::Zlib, &inner));
    let bomb = compress(CompressionAlgorithm::Zlib, &packet_of(11, &vec![0; 8 << 20]));
    // Several batches long, so that what is wrong is seen long before the end.
    let long = |inner: &[u8]| [inner, &packet_of(60, &vec![0; 2 << 20])].concat();
    let one_pass = packet(4, &[3, 0, 10, 22, 1, 2, 3, 4, 5, 6, 7, 8, 1]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nested", packet(1, b"x")),
        ("another compression", packet(8, &[9])),
        ("a bomb", bomb),
        ("too deep", nested(3)),
        ("too many signatures", one_pass.repeat(40)),
        ("not a packet", b"x".to_vec()),
        ("nothing wrong", hello.clone()),
    ];
    for container in BOTH {
        for (what, inner) in &cases {
            for inner in [inner.clone(), long(inner)] {
                let sound = forge(container, &inner);
                let mut damaged = sound.clone();
                *damaged.last_mut().unwrap() ^= 1;
                let error = reader.refuses(&damaged, &key());
                assert!(matches!(error, OpenError::Unreadable), "{container:?}, {what}: {error}");
                let cut = container_packet(&unframe(&sound)[..unframe(&sound).len() - 1]);
                let error = reader.refuses(&cut, &key());
                assert!(matches!(error, OpenError::Unreadable), "{container:?}, {what}, cut: {error}");
            }
        }
    }
}

/// Up to 1.x that is where Sequoia put its padding: random bytes, which gpg never looked at either.
#[test]
fn bytes_behind_the_compressed_stream_are_padding() {
    let reader = Reader::knowing(&[]);
    for algorithm in COMPRESSIONS {
        for behind in [literal(b"more"), vec![0x8e, 0x96, 0xce, 0xba, 0x00, 0xb7]] {
            let mut body = unframe(&compress(algorithm, &literal(b"hello")));
            body.extend(behind);
            let message = forge(Container::Seipdv2, &packet(8, &body));
            let sealed = SealedMessage::parse(&message[..]).unwrap();
            let opened = sealed.open(&key(), &reader.context(), Watched::default()).unwrap();
            assert_eq!(opened.release().unwrap().0, b"hello", "{algorithm}");
        }
    }
}

#[test]
fn weak_ciphers_are_refused_by_name() {
    let reader = Reader::knowing(&[]);
    let inner = literal(b"x");
    #[expect(deprecated, reason = "weak on purpose")]
    let message = forge_with(Container::Seipdv1, SymmetricAlgorithm::TripleDES, 24, &inner);
    let error = reader.refuses(&message, &SessionKey::from_bytes(Some(2), &[7; 24]));
    assert!(matches!(error, OpenError::Policy(_)));
    assert!(error.to_string().contains("3DES"), "{error}");
}

fn secret_cert(tsk: &Tsk) -> Cert {
    let armored = tsk.clone().lock(None).unwrap().to_armored();
    Cert::from_bytes(&armored).unwrap()
}

fn encryption_key(
    cert: &Cert,
) -> openpgp::packet::Key<openpgp::packet::key::PublicParts, openpgp::packet::key::UnspecifiedRole> {
    let key = cert.keys().subkeys().find(|k| k.key().pk_algo().for_encryption()).unwrap();
    key.key().clone().role_into_unspecified()
}

#[test]
fn a_session_key_of_another_generation_is_not_used() {
    let bob = tsk("bob@example.test", Profile::Rfc9580);
    let subkey = encryption_key(&secret_cert(&bob));
    let pkesk: PKESK =
        PKESK3::for_recipient(SymmetricAlgorithm::AES256, &Key::from(vec![7; 32]), &subkey).unwrap().into();
    let message = [Packet::from(pkesk).to_vec().unwrap(), forge(Container::Seipdv2, &literal(b"x"))].concat();
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    assert!(sealed.wrapped_session_keys().is_empty());
    let result = sealed.unwrap_session_key(&[bob], &CryptoPolicy::standard(), now());
    assert!(matches!(result, Err(UnwrapError::NoMatchingKey { .. })));
}

#[test]
fn an_empty_session_key_does_not_panic() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let bob = tsk("bob@example.test", profile);
        let subkey = encryption_key(&secret_cert(&bob));
        for size in [0, 1, 2] {
            let Ok(wrapped) = subkey.encrypt(&Key::from(vec![7; size])) else { continue };
            let handle = Some(subkey.keyid());
            let pkesk = PKESK::from(PKESK3::new(handle, subkey.pk_algo(), wrapped).unwrap());
            let message =
                [Packet::from(pkesk).to_vec().unwrap(), forge(Container::Seipdv1, &literal(b"x"))].concat();
            let sealed = SealedMessage::parse(&message[..]).unwrap();
            let result =
                sealed.unwrap_session_key(std::slice::from_ref(&bob), &CryptoPolicy::standard(), now());
            assert!(matches!(result, Err(UnwrapError::NoMatchingKey { .. })), "{profile:?} {size}");
        }
    }
}

#[test]
fn the_known_panic_of_the_corpus_is_refused() {
    let corpora = std::env::var_os("PLOMBE_CORPORA")
        .map(std::path::PathBuf::from)
        .unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"));
    let folder = corpora.join("openpgp-edge");
    let Ok(message) = std::fs::read(folder.join("panic-v4-ecdh-empty-session-key.pgp")) else {
        let required = std::env::var_os("PLOMBE_REQUIRE_PEERS").is_some();
        assert!(!required, "{} is not there", folder.display());
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let tsk = std::fs::read(folder.join("v4.key")).unwrap();
    let tsk = plombe_core::cert::LockedTsk::parse_all(&tsk).unwrap().remove(0).unlock(None).unwrap();
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    let result = sealed.unwrap_session_key(&[tsk], &CryptoPolicy::standard(), now());
    assert!(matches!(result, Err(UnwrapError::NoMatchingKey { .. })));
}

#[test]
fn a_thousand_recipients_are_enough() {
    let (bob, policy) = (bob(), CryptoPolicy::standard());
    let (message, _) = seal_small(Container::Seipdv1, &bob);
    let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes();
    let flood = [wrapped.repeat(1_000), message.clone()].concat();
    assert!(matches!(SealedMessage::parse(&flood[..]).map(drop), Err(OpenError::TooDeep)));
    let many = [wrapped.repeat(10), message].concat();
    SealedMessage::parse(&many[..]).unwrap().unwrap_session_key(&[bob], &policy, now()).unwrap();
}

#[test]
fn a_password_check_that_eats_the_machine_is_refused() {
    let argon2 = |t, m| S2K::Argon2 { salt: [0; 16], t, p: 1, m };
    let iterated = S2K::Iterated { hash: HashAlgorithm::SHA256, salt: [0; 8], hash_bytes: 0x3e0_0000 };
    // Alone, or by their number: a message may have a thousand passwords.
    for (s2k, copies) in [
        (argon2(1, 24), 1),
        (argon2(255, 21), 1),
        (argon2(1, 255), 1),
        (argon2(1, 21), 5),
        (argon2(3, 16), 50),
        (iterated, 50),
    ] {
        let skesk = SKESK4::new(SymmetricAlgorithm::AES256, s2k.clone(), None).unwrap();
        let skesk = Packet::from(openpgp::packet::SKESK::from(skesk)).to_vec().unwrap();
        let message = [skesk.repeat(copies), forge(Container::Seipdv1, &literal(b"x"))].concat();
        let result =
            SealedMessage::parse(&message[..]).unwrap().unwrap_with_passwords(&[Passphrase::new("x")]);
        assert!(matches!(result, Err(UnwrapError::TooExpensive)), "{copies} of {s2k}");
    }
}

fn rsa() -> Tsk {
    use openpgp::cert::{CertBuilder, CipherSuite};
    let (cert, _) = CertBuilder::new()
        .set_cipher_suite(CipherSuite::RSA2k)
        .set_creation_time(now() - std::time::Duration::from_secs(60))
        .add_userid("<rsa@example.test>")
        .add_transport_encryption_subkey()
        .generate()
        .unwrap();
    let mut armored = Vec::new();
    cert.as_tsk().armored().serialize(&mut armored).unwrap();
    plombe_core::cert::LockedTsk::parse_all(&armored).unwrap().remove(0).unlock(None).unwrap()
}

#[test]
fn a_hidden_rsa_recipient_is_found_behind_other_rsa_keys() {
    let (policy, mine, other) = (CryptoPolicy::standard(), rsa(), rsa());
    let certificate = mine.certificate();
    let seal = Seal { hidden_recipients: vec![&certificate], ..Seal::new(Vec::new(), &policy, now()) };
    let mut message = Vec::new();
    seal.seal(&mut &b"x"[..], &mut message).unwrap();
    let sealed = SealedMessage::parse(&message[..]).unwrap();
    // The wrong key alone must not show that its padding was wrong: there is no telling it from a right one.
    assert!(sealed.unwrap_session_key(std::slice::from_ref(&other), &policy, now()).is_ok());
    let session_key = sealed.unwrap_session_key(&[other, mine], &policy, now()).unwrap();
    sealed.open(&session_key, &Reader::knowing(&[]).context(), Watched::default()).unwrap();
}

#[test]
fn rsa_padding_errors_look_like_a_wrong_session_key() {
    let rsa = rsa();
    let (message, _) = seal_signed(Container::Seipdv1, &rsa, None);
    let reader = Reader::knowing(&[]);
    let wrapped = SealedMessage::parse(&message[..]).unwrap().wrapped_session_keys()[0].to_bytes().len();
    let mut broken = message.clone();
    broken[wrapped - 3] ^= 1;
    for message in [message, broken] {
        let sealed = SealedMessage::parse(&message[..]).unwrap();
        let session_key =
            sealed.unwrap_session_key(std::slice::from_ref(&rsa), &CryptoPolicy::standard(), now());
        let session_key = session_key.expect("a key comes out, right or wrong");
        let opened = sealed.open(&session_key, &reader.context(), Watched::default());
        match opened {
            Ok(opened) => assert_eq!(opened.release().unwrap().0, b"attack at dawn"),
            Err(error) => assert!(matches!(error, OpenError::Unreadable)),
        }
    }
}
