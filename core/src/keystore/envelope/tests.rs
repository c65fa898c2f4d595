// SPDX-License-Identifier: LGPL-2.0-or-later

use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, inout::InOutBuf, setup_receiver, setup_sender_with_rng,
};
use serde_json::{Value, json};

use super::{
    super::{DeviceThumbprint, KeystoreIdentity, SessionHash, identity},
    EnvelopeError, Reply, RequestBinding, derive_hpke_public, open_request,
    request::{Aead, Kdf, Kem, Source},
    seal_request,
};

const SECRET: [u8; 32] = [0x42; 32];
const BINDING: RequestBinding<'_> = RequestBinding {
    method: "POST",
    path: "/v1/keys/unwrap",
    device: DeviceThumbprint([2; 32]),
    session: Some(SessionHash([3; 32])),
};

fn keystore() -> KeystoreIdentity {
    identity::tests::identity(derive_hpke_public(&SECRET).unwrap())
}

/// Repeats, which is what these tests want.
fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |bytes| {
        bytes.fill_with(|| {
            next = next.wrapping_add(1);
            next
        });
    }
}

fn reply() -> Reply {
    Reply { status: 200, body: json!({"session_key": "c2VjcmV0"}), checkpoint: Some("note".into()) }
}

/// RFC 9180's vector for this suite (mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002).
#[test]
fn the_suite_gives_the_bytes_of_rfc_9180() {
    let ikm_e = hex::decode("2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9").unwrap();
    let sk_r = hex::decode("497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d").unwrap();
    let pk_r = hex::decode("430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c").unwrap();
    let (info, aad) = (b"Ode on a Grecian Urn", b"Count-0");

    let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(&pk_r).unwrap();
    let mut random = |bytes: &mut [u8]| bytes.copy_from_slice(&ikm_e);
    let (enc, mut sender) =
        setup_sender_with_rng::<Aead, Kdf, Kem>(&OpModeS::Base, &recipient, info, &mut Source(&mut random))
            .unwrap();
    assert_eq!(
        hex::encode(enc.to_bytes()),
        "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"
    );
    let mut text = *b"Beauty is truth, truth beauty";
    let tag = sender.seal_inout_detached(InOutBuf::from(text.as_mut_slice()), aad).unwrap();
    let sealed = [text.as_slice(), &tag.to_bytes()].concat();
    assert_eq!(
        hex::encode(sealed),
        "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a"
    );

    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&sk_r).unwrap();
    let receiver = setup_receiver::<Aead, Kdf, Kem>(&OpModeR::Base, &secret, &enc, info).unwrap();
    let mut exported = [0; 32];
    receiver.export(b"TestContext", &mut exported).unwrap();
    assert_eq!(hex::encode(exported), "7c5ded445732c14fe09727d29b4251c0fd38455fe8440571e687f0886aac94d2");
}

#[test]
fn a_request_and_its_reply_go_through() {
    let keystore = keystore();
    let (body, client_key) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
    let (plaintext, server_key) = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &body).unwrap();
    assert_eq!(&**plaintext, b"unwrap this");

    let answer = server_key.seal(&reply(), &mut counting()).unwrap();
    let opened = client_key.open(&answer).unwrap();
    assert_eq!((opened.status, opened.body, opened.checkpoint), (200, reply().body, reply().checkpoint));
}

#[test]
fn a_request_opens_for_its_own_binding_only() {
    let keystore = keystore();
    let (body, _) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
    for binding in [
        RequestBinding { method: "PUT", ..BINDING },
        RequestBinding { path: "/v1/keys/sign", ..BINDING },
        RequestBinding { device: DeviceThumbprint([4; 32]), ..BINDING },
        RequestBinding { session: None, ..BINDING },
        RequestBinding { session: Some(SessionHash([4; 32])), ..BINDING },
        // A border moved between two fields.
        RequestBinding { method: "POST/v1", path: "/keys/unwrap", ..BINDING },
    ] {
        let opened = open_request(&SECRET, &keystore.fingerprint(), &binding, &body);
        assert_eq!(opened.unwrap_err(), EnvelopeError::Unopened, "{binding:?}");
    }
    let other = KeystoreIdentity { log_verifier: "another log".into(), ..keystore.clone() };
    assert_eq!(
        open_request(&SECRET, &other.fingerprint(), &BINDING, &body).unwrap_err(),
        EnvelopeError::Unopened
    );
    assert_eq!(
        open_request(&[0x43; 32], &keystore.fingerprint(), &BINDING, &body).unwrap_err(),
        EnvelopeError::Unopened
    );
}

/// Every byte of `member` changed in turn.
fn changed<'a>(body: &[u8], member: &'a str) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let envelope: Value = serde_json::from_slice(body).unwrap();
    let bytes = super::super::bytes::from_base64url(envelope[member].as_str().unwrap()).unwrap();
    (0..bytes.len()).map(move |index| {
        let mut bytes = bytes.clone();
        bytes[index] ^= 1;
        let mut envelope = envelope.clone();
        envelope[member] = super::super::bytes::to_base64url(&bytes).into();
        serde_json::to_vec(&envelope).unwrap()
    })
}

#[test]
fn a_changed_byte_in_a_request_is_refused() {
    let keystore = keystore();
    let (body, _) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
    for body in changed(&body, "enc").chain(changed(&body, "ct")) {
        let opened = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &body);
        assert_eq!(opened.unwrap_err(), EnvelopeError::Unopened);
    }
}

#[test]
fn a_changed_byte_in_a_reply_is_refused() {
    let keystore = keystore();
    let (body, _) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
    let keys = || {
        let (again, client_key) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
        assert_eq!(again, body);
        client_key
    };
    let (_, server_key) = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &body).unwrap();
    let answer = server_key.seal(&reply(), &mut counting()).unwrap();
    for answer in changed(&answer, "nonce").chain(changed(&answer, "ct")) {
        assert_eq!(keys().open(&answer).unwrap_err(), EnvelopeError::Unopened);
    }
    assert!(keys().open(&answer).is_ok());
}

#[test]
fn a_reply_fits_no_other_request() {
    let keystore = keystore();
    let mut random = counting();
    let (first, _) = seal_request(&keystore, &BINDING, b"unwrap this", &mut random).unwrap();
    let (_, second_key) = seal_request(&keystore, &BINDING, b"unwrap this", &mut random).unwrap();
    let (_, server_key) = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &first).unwrap();
    let answer = server_key.seal(&reply(), &mut random).unwrap();
    assert_eq!(second_key.open(&answer).unwrap_err(), EnvelopeError::Unopened);
}

/// Whoever carries a request can send it twice. If both replies used one key stream, their difference would be the
/// difference of the plaintexts.
#[test]
fn a_request_sent_twice_is_answered_under_two_keys() {
    let keystore = keystore();
    let (body, _) = seal_request(&keystore, &BINDING, b"unwrap this", &mut counting()).unwrap();
    let mut random = counting();
    let mut answer = || {
        let (_, key) = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &body).unwrap();
        let answer: Value = serde_json::from_slice(&key.seal(&reply(), &mut random).unwrap()).unwrap();
        answer["ct"].clone()
    };
    assert_ne!(answer(), answer());
}

#[test]
fn what_is_no_envelope_is_refused() {
    let keystore = keystore();
    let (body, _) = seal_request(&keystore, &BINDING, b"x", &mut counting()).unwrap();
    let sound: Value = serde_json::from_slice(&body).unwrap();
    let with = |member: &str, value: Value| {
        let mut envelope = sound.clone();
        envelope[member] = value;
        serde_json::to_vec(&envelope).unwrap()
    };
    for body in [
        b"".to_vec(),
        b"{}".to_vec(),
        with("v", json!(2)),
        with("enc", json!("")),
        with("ct", json!("AAAA")),
        with("more", json!(1)),
        [b"{\"v\":1,".as_slice(), &body[1..]].concat(),
    ] {
        let opened = open_request(&SECRET, &keystore.fingerprint(), &BINDING, &body);
        assert_eq!(opened.unwrap_err(), EnvelopeError::Malformed, "{}", String::from_utf8_lossy(&body));
    }
    let large = vec![b' '; super::MAX_REQUEST_BYTES + 1];
    assert_eq!(
        open_request(&SECRET, &keystore.fingerprint(), &BINDING, &large).unwrap_err(),
        EnvelopeError::TooLarge
    );
}

#[test]
fn a_key_of_small_order_is_refused() {
    let keystore = identity::tests::identity([0; 32]);
    assert_eq!(seal_request(&keystore, &BINDING, b"x", &mut counting()).unwrap_err(), EnvelopeError::BadKey);
}
