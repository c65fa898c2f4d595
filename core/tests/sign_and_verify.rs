// SPDX-License-Identifier: LGPL-2.0-or-later
//! Signatures: made in three shapes, judged by one set of rules.

mod cast;

use std::time::Duration;

use cast::{Reader, Watched, alice, mallory, now, tsk};
use openpgp::{
    Cert, KeyID, Packet,
    cert::{CertBuilder, CertRevocationBuilder},
    crypto::KeyPair,
    packet::signature::{
        SignatureBuilder,
        subpacket::{Subpacket, SubpacketValue},
    },
    parse::Parse,
    serialize::{Serialize, SerializeInto},
    types::{HashAlgorithm, KeyFlags, ReasonForRevocation, SignatureType},
};
use plombe_core::{
    KeyHandle,
    cert::{Certificate, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    message::{OpenContext, OpenError, Opened, SignError, SignerCertificates, Signing, VerifyError, verify},
    verdict::{Code, VerdictKind},
};
use sequoia_openpgp as openpgp;

fn signing<'a>(signers: Vec<&'a Tsk>, policy: &'a CryptoPolicy) -> Signing<'a> {
    Signing {
        signers: signers.into_iter().map(Into::into).collect(),
        text: false,
        armor: true,
        policy,
        now: now(),
    }
}

fn opened(message: &[u8], reader: &Reader) -> Result<Opened<Watched>, VerifyError> {
    verify::inline(&mut &message[..], &reader.context(), Watched::default())
}

const DOCUMENTS: [&[u8]; 5] = [b"", b"x", b"two\nlines\n", b"with\r\ndos ends\r\n", &[0; 300_000]];

#[test]
fn every_shape_and_profile_verifies() {
    let policy = CryptoPolicy::standard();
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let alice = tsk("alice@example.test", profile);
        let reader = Reader::knowing(&[&alice]);
        for (text, armor) in [(false, false), (false, true), (true, true)] {
            let signing = Signing { text, armor, ..signing(vec![&alice], &policy) };
            for document in DOCUMENTS {
                let (mut signature, mut message) = (Vec::new(), Vec::new());
                let micalg = signing.detached(&mut &document[..], &mut signature).unwrap();
                assert_eq!(micalg, "pgp-sha512");
                let verified = verify::detached(&signature, &mut &document[..], &reader.context()).unwrap();
                assert_eq!(verified.verdict.verdict, VerdictKind::Good);
                assert_eq!(verified.signatures[0].text, text);
                assert_eq!(verified.signatures[0].signed_at, Some(now()));
                signing.inline(&mut &document[..], &mut message).unwrap();
                let opened = opened(&message, &reader).unwrap();
                assert_eq!(opened.verdict().verdict, VerdictKind::Good);
                assert_eq!(opened.release().unwrap().0, document);
            }
        }
    }
}

#[test]
fn text_mode_survives_other_line_endings_and_binary_mode_does_not() {
    let (policy, alice) = (CryptoPolicy::standard(), alice());
    let reader = Reader::knowing(&[&alice]);
    for (text, expected) in [(true, VerdictKind::Good), (false, VerdictKind::Bad)] {
        let mut signature = Vec::new();
        let signing = Signing { text, ..signing(vec![&alice], &policy) };
        signing.detached(&mut &b"a\nb\n"[..], &mut signature).unwrap();
        let verified = verify::detached(&signature, &mut &b"a\r\nb\r\n"[..], &reader.context()).unwrap();
        assert_eq!(verified.verdict.verdict, expected);
    }
}

#[test]
fn changed_content_is_bad_and_never_released() {
    let (policy, alice) = (CryptoPolicy::standard(), alice());
    let reader = Reader::knowing(&[&alice]);
    let mut message = Vec::new();
    let signing = Signing { armor: false, ..signing(vec![&alice], &policy) };
    signing.inline(&mut &b"pay 10"[..], &mut message).unwrap();
    let position = message.windows(6).position(|w| w == b"pay 10").unwrap();
    message[position + 4] = b'9';
    let watched = Watched::default();
    let opened = verify::inline(&mut &message[..], &reader.context(), watched.clone()).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::Bad);
    assert!(matches!(opened.release(), Err(OpenError::BadSignature(_))));
    assert!(!*watched.released.borrow());
}

#[test]
fn a_stripped_signature_is_damage_and_not_an_unsigned_message() {
    let (policy, alice) = (CryptoPolicy::standard(), alice());
    let mut message = Vec::new();
    let signing = Signing { armor: false, ..signing(vec![&alice], &policy) };
    signing.inline(&mut &b"x"[..], &mut message).unwrap();
    let pile = openpgp::PacketPile::from_bytes(&message).unwrap();
    let mut stripped = Vec::new();
    for packet in pile.children().filter(|p| !matches!(p, Packet::Signature(_))) {
        packet.serialize(&mut stripped).unwrap();
    }
    assert!(matches!(
        opened(&stripped, &Reader::knowing(&[&alice])).map(drop),
        Err(VerifyError::Malformed(_))
    ));
}

#[test]
fn split_inline_yields_a_detached_signature() {
    let (policy, alice, mallory) = (CryptoPolicy::standard(), alice(), mallory());
    let reader = Reader::knowing(&[&alice, &mallory]);
    let signing = signing(vec![&alice, &mallory], &policy);
    for cleartext in [false, true] {
        let mut message = Vec::new();
        if cleartext {
            signing.cleartext(&mut &b"some text\n"[..], &mut message).unwrap();
        } else {
            signing.inline(&mut &b"some text\n"[..], &mut message).unwrap();
        }
        let mut content = Vec::new();
        let signatures = verify::split_inline(&mut &message[..], &reader.limits, &mut content).unwrap();
        // The framework's last line ending is not signed.
        assert_eq!(content, if cleartext { &b"some text"[..] } else { b"some text\n" });
        let verified = verify::detached(&signatures, &mut &content[..], &reader.context()).unwrap();
        let kinds: Vec<_> = verified.signatures.iter().map(|s| s.verdict.verdict).collect();
        assert_eq!(kinds, [VerdictKind::Good; 2], "{cleartext}");
    }
}

fn cleartext(text: &str, signer: &Tsk) -> String {
    let policy = CryptoPolicy::standard();
    let mut message = Vec::new();
    signing(vec![signer], &policy).cleartext(&mut text.as_bytes(), &mut message).unwrap();
    String::from_utf8(message).unwrap()
}

#[test]
fn cleartext_verifies_and_comes_back_without_trailing_blanks() {
    for profile in [Profile::Rfc4880, Profile::Rfc9580] {
        let alice = tsk("alice@example.test", profile);
        let reader = Reader::knowing(&[&alice]);
        for (text, expected) in [
            ("hello\n", "hello\n"),
            ("hello", "hello\n"),
            ("", ""),
            ("\n\n", "\n\n"),
            (
                "- dash\n-----BEGIN PGP SIGNATURE-----\nFrom me\n",
                "- dash\n-----BEGIN PGP SIGNATURE-----\nFrom me\n",
            ),
            ("blanks \t\r\nümläut  \n", "blanks\nümläut\n"),
        ] {
            let message = cleartext(text, &alice);
            for message in [message.clone(), message.replace('\n', "\r\n")] {
                let opened = opened(message.as_bytes(), &reader).unwrap();
                assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{text:?}");
                let released = String::from_utf8(opened.release().unwrap().0).unwrap();
                assert_eq!(released.replace("\r\n", "\n"), expected, "{text:?}");
            }
        }
    }
}

#[test]
fn what_is_not_text_is_not_signed_as_text() {
    let (policy, alice) = (CryptoPolicy::standard(), alice());
    for text in [&b"\xff\xfe"[..], b"bare\rreturn\n"] {
        let result = signing(vec![&alice], &policy).cleartext(&mut &text[..], &mut Vec::new());
        assert!(matches!(result, Err(SignError::NotText)));
    }
    let nobody = signing(Vec::new(), &policy).detached(&mut &b""[..], &mut Vec::new());
    assert!(matches!(nobody, Err(SignError::NoSigner)));
}

#[test]
fn unsigned_words_cannot_be_put_around_or_into_cleartext() {
    let alice = alice();
    let reader = Reader::knowing(&[&alice]);
    let message = cleartext("pay 10\n", &alice);
    let cases = [
        format!("pay 99\n{message}"),
        format!("{message}pay 99\n"),
        message.replace("Hash: SHA512", "Hash: SHA512\nComment: pay 99"),
        message.replace("Hash: SHA512", "Hash: SHA512 \u{202e}pay 99"),
        message.replace("Hash: SHA512\n\n", "Hash: SHA512\n \npay 99\n\n"),
        message.replace("Hash: SHA512\n", "Hash: SHA512\npay 99\n"),
        message.replace("pay 10", "-pay 10"),
        message.replace("pay 10", "pay 10\rpay 99"),
        message.replace("-----END PGP SIGNATURE-----", ""),
    ];
    for case in cases {
        let watched = Watched::default();
        let result = verify::inline(&mut case.as_bytes(), &reader.context(), watched.clone());
        let released = result.ok().and_then(|opened| opened.release().ok());
        // Sequoia mends armor without its last line; what was signed comes out, and nothing else.
        assert!(released.is_none_or(|(content, _)| content == b"pay 10\n"), "{case}");
    }
    for case in [message.replace("pay 10", "pay 99"), message.replace("pay 10", "pay 99\npay 10")] {
        assert_eq!(opened(case.as_bytes(), &reader).unwrap().verdict().verdict, VerdictKind::Bad, "{case}");
    }
}

/// A signer made with Sequoia alone, to be able to break every rule.
struct Signer {
    cert: Cert,
    key: KeyPair,
}

impl Signer {
    fn new(builder: CertBuilder) -> Self {
        let (cert, _) = builder.add_userid("<alice@example.test>").generate().unwrap();
        let key = cert.keys().unencrypted_secret().last().unwrap().key().clone().into_keypair().unwrap();
        Self { cert, key }
    }

    fn modern() -> Self {
        let made_at = now() - Duration::from_secs(30 * 86_400);
        Self::new(CertBuilder::new().set_creation_time(made_at).add_signing_subkey())
    }

    fn certificate(&self) -> Certificate {
        Certificate::parse_all(&self.cert.clone().strip_secret_key_material().to_vec().unwrap())
            .unwrap()
            .remove(0)
    }

    /// The verdict on a signature over `x` that was made as `build` says.
    fn judged(&mut self, build: impl FnOnce(SignatureBuilder) -> SignatureBuilder) -> (VerdictKind, Code) {
        let builder = SignatureBuilder::new(SignatureType::Binary)
            .set_hash_algo(HashAlgorithm::SHA512)
            .set_signature_creation_time(now() - Duration::from_secs(3_600))
            .unwrap();
        let builder = build(builder);
        let mut hash = builder.hash_algo().context().unwrap().for_signature(4);
        hash.update(b"x");
        let signature = builder.sign_hash(&mut self.key, hash).unwrap();
        let reader = Reader { known: vec![self.certificate()], ..Reader::knowing(&[]) };
        let packet = Packet::from(signature).to_vec().unwrap();
        let verified = verify::detached(&packet, &mut &b"x"[..], &reader.context()).unwrap();
        (verified.verdict.verdict, verified.verdict.code)
    }
}

const GOOD: (VerdictKind, Code) = (VerdictKind::Good, Code::SignatureValid);

fn invalid(code: Code) -> (VerdictKind, Code) {
    (VerdictKind::InvalidSigner, code)
}

#[test]
fn time_decides_about_signatures() {
    let mut signer = Signer::modern();
    assert_eq!(signer.judged(|b| b), GOOD);
    let day = Duration::from_secs(86_400);
    let future = signer.judged(|b| b.set_signature_creation_time(now() + day).unwrap());
    assert_eq!(future, invalid(Code::SignatureTime));
    let expired = signer.judged(|b| b.set_signature_validity_period(Duration::from_secs(60)).unwrap());
    assert_eq!(expired, invalid(Code::SignatureTime));
    let slightly_ahead =
        signer.judged(|b| b.set_signature_creation_time(now() + Duration::from_secs(60)).unwrap());
    assert_eq!(slightly_ahead, GOOD);
    // Sequoia's signature check itself refuses what is older than the key.
    let before_the_key = signer.judged(|b| b.set_signature_creation_time(now() - 60 * day).unwrap());
    assert_ne!(before_the_key.0, VerdictKind::Good);
}

#[test]
fn critical_terms_that_nobody_understands_spoil_a_signature() {
    let mut signer = Signer::modern();
    let note = |critical| {
        move |b: SignatureBuilder| {
            b.set_notation("terms@example.test", b"only on Mondays", None, critical).unwrap()
        }
    };
    assert_eq!(signer.judged(note(false)), GOOD);
    assert_eq!(signer.judged(note(true)), invalid(Code::SignatureTerms));
}

#[test]
fn weak_hashes_and_keys_sign_nothing() {
    let mut signer = Signer::modern();
    assert_eq!(signer.judged(|b| b.set_hash_algo(HashAlgorithm::SHA1)), invalid(Code::SignerWeak));
    assert_eq!(signer.judged(|b| b.set_hash_algo(HashAlgorithm::SHA256)), GOOD);
}

#[test]
fn only_signing_keys_sign() {
    let made_at = now() - Duration::from_secs(86_400);
    let builder = CertBuilder::new()
        .set_creation_time(made_at)
        .set_primary_key_flags(KeyFlags::empty().set_certification());
    let mut certifier = Signer::new(builder);
    assert_eq!(certifier.judged(|b| b), invalid(Code::SignerUnusable));
    let mut signer = Signer::modern();
    let standalone = signer.judged(|b| b.set_type(SignatureType::Unknown(0x77)));
    assert_eq!(standalone, invalid(Code::SignatureTerms));
}

/// What somebody said about a key or a user ID is hashed over bytes that a document may have, too.
#[test]
fn only_signatures_over_documents_say_something_about_one() {
    let mut signer = Signer::modern();
    for octet in 0..=255u8 {
        let judged = signer.judged(|b| b.set_type(octet.into()));
        let expected = if octet <= 1 { GOOD } else { invalid(Code::SignatureTerms) };
        assert_eq!(judged, expected, "type {octet:#04x}");
    }
}

/// Counts how often certificates are looked for.
struct Counting(std::cell::Cell<usize>);

impl SignerCertificates for Counting {
    fn find(&self, _: &KeyHandle) -> Vec<Certificate> {
        self.0.set(self.0.get() + 1);
        Vec::new()
    }
}

#[test]
fn a_signature_with_thousands_of_issuers_costs_a_few_lookups() {
    let mut signer = Signer::modern();
    let mut signature = SignatureBuilder::new(SignatureType::Binary)
        .set_signature_creation_time(now() - Duration::from_secs(3_600))
        .unwrap()
        .sign_message(&mut signer.key, b"x")
        .unwrap();
    for number in 0..5_000u64 {
        let issuer = SubpacketValue::Issuer(KeyID::from(number));
        signature.unhashed_area_mut().add(Subpacket::new(issuer, false).unwrap()).unwrap();
    }
    let packet = Packet::from(signature).to_vec().unwrap();
    let reader = Reader { known: vec![signer.certificate()], ..Reader::knowing(&[]) };
    let verified = verify::detached(&packet, &mut &b"x"[..], &reader.context()).unwrap();
    assert_eq!((verified.verdict.verdict, verified.verdict.code), GOOD);
    let counting = Counting(0.into());
    let context = OpenContext { signers: &counting, ..reader.context() };
    verify::detached(&packet, &mut &b"x"[..], &context).unwrap();
    assert!(counting.0.get() <= 10, "{} lookups", counting.0.get());
}

#[test]
fn an_expired_signer_is_not_good_afterwards() {
    let day = Duration::from_secs(86_400);
    let builder = CertBuilder::new()
        .set_creation_time(now() - 30 * day)
        .set_validity_period(10 * day)
        .add_signing_subkey();
    let mut signer = Signer::new(builder);
    let while_valid = signer.judged(|b| b.set_signature_creation_time(now() - 25 * day).unwrap());
    assert_eq!(while_valid, GOOD);
    assert_eq!(signer.judged(|b| b), invalid(Code::SignerExpired));
}

#[test]
fn a_hard_revocation_undoes_the_past_and_a_soft_one_does_not() {
    let day = Duration::from_secs(86_400);
    for (reason, before) in [
        (ReasonForRevocation::KeyCompromised, invalid(Code::SignerRevoked)),
        (ReasonForRevocation::KeyRetired, GOOD),
    ] {
        let mut signer = Signer::modern();
        let mut primary =
            signer.cert.primary_key().key().clone().parts_into_secret().unwrap().into_keypair().unwrap();
        let revocation = CertRevocationBuilder::new()
            .set_signature_creation_time(now() - 2 * day)
            .unwrap()
            .set_reason_for_revocation(reason, b"")
            .unwrap()
            .build(&mut primary, &signer.cert, None)
            .unwrap();
        signer.cert = signer.cert.insert_packets(revocation).unwrap().0;
        assert_eq!(signer.judged(|b| b), invalid(Code::SignerRevoked), "{reason}");
        let old = signer.judged(|b| b.set_signature_creation_time(now() - 10 * day).unwrap());
        assert_eq!(old, before, "{reason}");
    }
}

#[test]
fn somebody_elses_signing_subkey_cannot_be_adopted() {
    // Mallory binds Alice's signing subkey to her own certificate; the back-signature is missing.
    let alice = Signer::modern();
    let mallory = Signer::new(CertBuilder::new().set_creation_time(now() - Duration::from_secs(86_400 * 30)));
    let subkey = alice.cert.keys().subkeys().next().unwrap().key().clone();
    let mut primary =
        mallory.cert.primary_key().key().clone().parts_into_secret().unwrap().into_keypair().unwrap();
    let public = subkey.clone().parts_into_public();
    let binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_key_flags(KeyFlags::empty().set_signing())
        .unwrap()
        .set_signature_creation_time(now() - Duration::from_secs(86_400 * 20))
        .unwrap()
        .sign_subkey_binding(&mut primary, None, &public)
        .unwrap();
    let adopted = mallory
        .cert
        .clone()
        .insert_packets([Packet::from(public), Packet::from(binding)])
        .unwrap()
        .0
        .strip_secret_key_material();
    let mut signer = Signer { cert: adopted, key: alice.key.clone() };
    assert_ne!(signer.judged(|b| b).0, VerdictKind::Good);
}
