// SPDX-License-Identifier: LGPL-2.0-or-later

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    super::{SessionHash, bytes::to_base64url},
    DevicePublicKey, Expectation, MAX_PROOF_BYTES, Proof, ProofError, ProofRequest, UnverifiedProof,
};

const URL: &str = "https://keys.example.org/v1/keys/unwrap";
const SESSION: SessionHash = SessionHash([5; 32]);
const BODY: &[u8] = b"{\"v\":1}";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

/// The key of RFC 9449's examples.
fn key() -> DevicePublicKey {
    serde_json::from_value(jwk()).unwrap()
}

fn jwk() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    })
}

fn request() -> ProofRequest<'static> {
    ProofRequest {
        method: "POST",
        url: URL,
        body: BODY,
        session: Some(SESSION),
        nonce: Some("n1"),
        now: now(),
        id: [1; 16],
    }
}

fn expectation() -> Expectation<'static> {
    Expectation {
        method: "POST",
        url: URL,
        body_hash: Sha256::digest(BODY).into(),
        session: Some(SESSION),
        nonces: &["n1", "n0"],
        now: now(),
        leeway: Duration::from_secs(60),
    }
}

/// These tests are about everything but the signature.
fn proof(request: ProofRequest<'_>) -> Proof {
    let text = ProofRequest::assemble(&request.signing_input(&key()), &[9; 64]);
    UnverifiedProof::parse(&text).unwrap().verify(|_, _, _| true).unwrap()
}

fn sound_parts() -> (Value, Value) {
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk()});
    let claims = json!({
        "jti": "0123456789abcdef", "htm": "POST", "htu": URL, "iat": 1_790_000_000,
        "bh": to_base64url(&Sha256::digest(BODY)),
    });
    (header, claims)
}

fn text(header: &[u8], claims: &[u8]) -> String {
    format!("{}.{}.{}", to_base64url(header), to_base64url(claims), to_base64url(&[9; 64]))
}

fn parse(header: &Value, claims: &Value) -> Result<UnverifiedProof, ProofError> {
    UnverifiedProof::parse(&text(header.to_string().as_bytes(), claims.to_string().as_bytes()))
}

#[test]
fn the_thumbprint_is_that_of_rfc_9449() {
    assert_eq!(key().thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!(DevicePublicKey::from_sec1(&key().to_sec1()), Some(key()));
}

#[test]
fn a_proof_for_this_request_is_accepted() {
    let proof = proof(request());
    assert_eq!(proof.check(&expectation()), Ok(()));
    assert_eq!(proof.thumbprint(), key().thumbprint());
    assert_eq!(proof.id(), to_base64url(&[1; 16]));
}

#[test]
fn the_verifier_gets_what_was_signed_and_its_no_is_final() {
    let input = request().signing_input(&key());
    let proof = UnverifiedProof::parse(&ProofRequest::assemble(&input, &[9; 64])).unwrap();
    let refused = proof.verify(|point, message, signature| {
        assert_eq!((point, message, signature), (&key().to_sec1(), input.as_bytes(), &[9; 64]));
        false
    });
    assert_eq!(refused.unwrap_err(), ProofError::Signature);
}

#[test]
fn a_proof_for_another_request_is_refused() {
    let late = now() + Duration::from_secs(61);
    let early = now() - Duration::from_secs(61);
    for (request, error) in [
        (ProofRequest { method: "GET", ..request() }, ProofError::Method),
        (ProofRequest { method: "post", ..request() }, ProofError::Method),
        (ProofRequest { url: "https://keys.example.org/v1/keys/sign", ..request() }, ProofError::Url),
        (ProofRequest { url: "https://keys.example.org/v1/keys/unwrap/", ..request() }, ProofError::Url),
        (ProofRequest { url: "https://keys.example.org/v1/keys/Unwrap", ..request() }, ProofError::Url),
        (ProofRequest { url: "https://evil.example/v1/keys/unwrap", ..request() }, ProofError::Url),
        (ProofRequest { url: "http://keys.example.org/v1/keys/unwrap", ..request() }, ProofError::Url),
        (ProofRequest { url: "nonsense", ..request() }, ProofError::Url),
        (ProofRequest { body: b"{\"v\":2}", ..request() }, ProofError::Body),
        (ProofRequest { session: None, ..request() }, ProofError::Session),
        (ProofRequest { session: Some(SessionHash([6; 32])), ..request() }, ProofError::Session),
        (ProofRequest { now: late, ..request() }, ProofError::Time),
        (ProofRequest { now: early, ..request() }, ProofError::Time),
        (ProofRequest { nonce: None, ..request() }, ProofError::Nonce),
        (ProofRequest { nonce: Some("old"), ..request() }, ProofError::Nonce),
    ] {
        assert_eq!(proof(request).check(&expectation()), Err(error), "{request:?}");
    }
}

#[test]
fn a_proof_that_names_a_session_is_refused_where_there_is_none() {
    let expected = Expectation { session: None, ..expectation() };
    assert_eq!(proof(request()).check(&expected), Err(ProofError::Session));
    assert_eq!(proof(ProofRequest { session: None, ..request() }).check(&expected), Ok(()));
}

#[test]
fn one_address_in_other_spellings_is_accepted() {
    for url in
        ["HTTPS://Keys.Example.ORG:443/v1/keys/unwrap", "https://keys.example.org/v1/keys/unwrap?x=1#y"]
    {
        assert_eq!(proof(ProofRequest { url, ..request() }).check(&expectation()), Ok(()), "{url}");
    }
}

#[test]
fn other_algorithms_and_types_are_refused() {
    let (header, claims) = sound_parts();
    assert!(parse(&header, &claims).is_ok());
    for (member, value) in [
        ("alg", "none"),
        ("alg", "HS256"),
        ("alg", "es256"),
        ("alg", "RS256"),
        ("typ", "JWT"),
        ("typ", "at+jwt"),
    ] {
        let mut header = header.clone();
        header[member] = value.into();
        assert_eq!(parse(&header, &claims).unwrap_err(), ProofError::Algorithm, "{value}");
    }
}

#[test]
fn other_members_are_refused() {
    let (header, claims) = sound_parts();
    type Change = dyn Fn(&mut Value, &mut Value);
    let broken = |change: &Change| {
        let (mut header, mut claims) = (header.clone(), claims.clone());
        change(&mut header, &mut claims);
        parse(&header, &claims).unwrap_err()
    };
    let changes: [&Change; 15] = [
        &|header, _| header["jwk"]["d"] = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE".into(),
        &|header, _| header["jwk"]["kid"] = "1".into(),
        &|header, _| header["jwk"]["kty"] = "oct".into(),
        &|header, _| header["jwk"]["crv"] = "P-384".into(),
        &|header, _| header["jwk"]["x"] = "AAAA".into(),
        &|header, _| header["kid"] = "../../etc/passwd".into(),
        &|header, _| header["jku"] = "https://evil.example/jwks".into(),
        &|header, _| header["crit"] = json!(["b64"]),
        &|header, _| _ = header.as_object_mut().unwrap().remove("jwk"),
        &|_, claims| _ = claims.as_object_mut().unwrap().remove("bh"),
        &|_, claims| _ = claims.as_object_mut().unwrap().remove("jti"),
        &|_, claims| claims["jti"] = "short".into(),
        &|_, claims| claims["iat"] = (-1).into(),
        &|_, claims| claims["iat"] = "now".into(),
        &|_, claims| claims["exp"] = 1.into(),
    ];
    for (index, change) in changes.iter().enumerate() {
        assert_eq!(broken(change), ProofError::Malformed, "{index}");
    }
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let (header, claims) = sound_parts();
    let twice = |json: &Value, member: &str| json.to_string().replacen('{', &format!("{{{member},"), 1);
    for (header, claims) in [
        (twice(&header, "\"alg\":\"ES256\""), claims.to_string()),
        (header.to_string(), twice(&claims, "\"htm\":\"GET\"")),
        (header.to_string(), twice(&claims, "\"nonce\":\"a\",\"nonce\":\"b\"")),
        (
            header.to_string().replace("\"crv\":\"P-256\"", "\"crv\":\"P-256\",\"crv\":\"P-256\""),
            claims.to_string(),
        ),
    ] {
        let refused = UnverifiedProof::parse(&text(header.as_bytes(), claims.as_bytes()));
        assert_eq!(refused.unwrap_err(), ProofError::Malformed, "{header} {claims}");
    }
}

#[test]
fn what_is_no_jwt_is_refused() {
    let sound = ProofRequest::assemble(&request().signing_input(&key()), &[9; 64]);
    let (input, _) = sound.rsplit_once('.').unwrap();
    for text in [
        "",
        ".",
        "..",
        input,
        &format!("{sound}."),
        &format!("{sound}.x"),
        &format!("{sound}="),
        &format!(" {sound}"),
        &format!("{input}.{}", to_base64url(&[9; 63])),
        &format!("{input}."),
    ] {
        assert_eq!(UnverifiedProof::parse(text).unwrap_err(), ProofError::Malformed, "{text}");
    }
    assert_eq!(UnverifiedProof::parse(&"a".repeat(MAX_PROOF_BYTES + 1)).unwrap_err(), ProofError::TooLarge);
}
