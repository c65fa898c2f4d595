// SPDX-License-Identifier: LGPL-2.0-or-later
//! Signing with a key that is elsewhere: the seam, and what comes out when the other side does not sign.

mod cast;

use cast::{Reader, alice, mallory, now};
use plombe_core::{
    cert::{Tsk, Unusable},
    crypto_policy::CryptoPolicy,
    message::{
        DigestRequest, DigestSignature, RemoteError, RemoteKey, Seal, SealError, SignDigest, SignError,
        Signing, verify,
    },
    verdict::VerdictKind,
};
use sequoia_openpgp::{self as openpgp, crypto::Signer as _, parse::Parse, serialize::MarshalInto};

/// A keystore that signs whatever it is asked to.
fn obliging(tsk: &Tsk) -> impl Fn(&DigestRequest<'_>) -> Result<DigestSignature, RemoteError> + Send + Sync {
    let cert = openpgp::Cert::from_bytes(&tsk.clone().lock(None).unwrap().to_armored()).unwrap();
    move |request| {
        let key = cert.keys().unencrypted_secret().find(|key| key.key().fingerprint() == *request.key);
        let mut pair = key.ok_or("no such key")?.key().clone().into_keypair()?;
        let signature = pair.sign(request.hash.into(), request.digest)?;
        Ok(DigestSignature(signature.to_vec()?))
    }
}

fn signing_subkey(tsk: &Tsk) -> plombe_core::Fingerprint {
    let description = tsk.certificate().describe(&CryptoPolicy::standard(), now());
    description.keys.iter().find(|key| key.capabilities.sign).unwrap().fingerprint.clone()
}

fn sign_with(remote: &RemoteKey<'_>) -> Result<Vec<u8>, SignError> {
    let policy = CryptoPolicy::standard();
    let signing =
        Signing { signers: vec![remote.into()], text: false, armor: false, policy: &policy, now: now() };
    let mut message = Vec::new();
    signing.inline(&mut &b"attack at dawn"[..], &mut message).map(|()| message)
}

#[derive(Debug, thiserror::Error)]
#[error("policy says no")]
struct Refusal;

#[test]
fn a_refusal_comes_out_as_the_other_side_said_it() {
    let alice = alice();
    let remote = RemoteKey {
        certificate: alice.certificate(),
        held: vec![signing_subkey(&alice)],
        sign: Box::new(|_| Err(Refusal.into())),
    };
    let Err(SignError::Remote { certificate, source }) = sign_with(&remote) else { panic!("not signed") };
    assert_eq!(certificate, alice.fingerprint());
    assert!(source.is::<Refusal>());

    let (policy, recipient) = (CryptoPolicy::standard(), alice.certificate());
    let seal = Seal { signers: vec![(&remote).into()], ..Seal::new(vec![&recipient], &policy, now()) };
    let sealed = seal.seal(&mut &b"x"[..], &mut Vec::new());
    assert!(matches!(sealed, Err(SealError::Remote { source, .. }) if source.is::<Refusal>()));
}

#[test]
fn an_answer_that_is_no_signature_by_this_key_is_not_sent() {
    let (alice, mallory) = (alice(), mallory());
    let by_mallory = obliging(&mallory);
    let key_of_mallory = signing_subkey(&mallory);
    let wrong: [Box<SignDigest<'_>>; 3] = [
        Box::new(|request| by_mallory(&DigestRequest { key: &key_of_mallory, ..*request })),
        Box::new(|_| Ok(DigestSignature(vec![1, 2, 3]))),
        Box::new(|_| Ok(DigestSignature(Vec::new()))),
    ];
    for sign in wrong {
        let remote = RemoteKey { certificate: alice.certificate(), held: vec![signing_subkey(&alice)], sign };
        assert!(matches!(sign_with(&remote), Err(SignError::Remote { .. })));
    }
}

#[test]
fn only_keys_that_the_other_side_holds_are_asked_to_sign() {
    let alice = alice();
    let held = signing_subkey(&alice);
    let sign = Box::new(obliging(&alice));
    let remote = RemoteKey { certificate: alice.certificate(), held: vec![], sign };
    let nothing_held = sign_with(&remote);
    assert!(matches!(nothing_held, Err(SignError::SignerUnusable { reason: Unusable::NoSecret, .. })));

    // A newer signing subkey, which stays on the device, does not get in the way.
    let policy = CryptoPolicy::standard();
    let rotated = alice.clone().rotate(plombe_core::cert::DEFAULT_OVERLAP, &policy, now()).unwrap().tsk;
    let remote = RemoteKey {
        certificate: rotated.certificate(),
        held: vec![held.clone()],
        sign: Box::new(obliging(&alice)),
    };
    let message = sign_with(&remote).unwrap();
    let reader = Reader::knowing(&[&rotated]);
    let opened = verify::inline(&mut &message[..], &reader.context(), cast::Watched::default()).unwrap();
    assert_eq!(opened.verdict().verdict, VerdictKind::Good);
    assert_eq!(opened.verdict().signer.as_ref().unwrap().key, held.to_hex());
}
