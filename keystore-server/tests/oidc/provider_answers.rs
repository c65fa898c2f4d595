// SPDX-License-Identifier: LGPL-2.0-or-later
//! Documents of the provider: whose they are, where they point, how often they are fetched; key rotation, outages.

use std::time::Duration;

use plombe_keystore::identity::oidc::{Callback, LoginRefused, Reason};
use serde_json::json;

use crate::{
    LAPTOP, REDIRECT,
    forging_provider::{Answer, ForgingProvider, discovery},
    login_flow,
    story::{example, finish, finish_with_key_id, start},
    story_time,
    token::Keys,
};

#[tokio::test]
async fn a_discovery_document_speaks_for_its_own_issuer_and_hosts_only() {
    let (provider, other) = (ForgingProvider::begin("ours").await, ForgingProvider::begin("theirs").await);
    let with = |name: &str, value: &str| {
        let mut document = discovery(&provider.url);
        document[name] = value.into();
        Answer::from(document)
    };
    let moved = Answer(302, Some(format!("{}/.well-known/openid-configuration", other.url)), String::new());
    for (what, answer, reason) in [
        ("another issuer", with("issuer", &other.url), Reason::DiscoveryIssuerMismatch),
        ("a slash more", with("issuer", &format!("{}/", provider.url)), Reason::DiscoveryIssuerMismatch),
        (
            "foreign tokens",
            with("token_endpoint", &format!("{}/token", other.url)),
            Reason::EndpointNotAllowed,
        ),
        ("foreign keys", with("jwks_uri", "https://mallory.example/jwks"), Reason::EndpointNotAllowed),
        ("cloud metadata", with("jwks_uri", "http://169.254.169.254/latest"), Reason::EndpointNotAllowed),
        ("a file", with("jwks_uri", "file:///etc/passwd"), Reason::EndpointNotAllowed),
        (
            "foreign browser",
            with("authorization_endpoint", "https://mallory.example/"),
            Reason::EndpointNotAllowed,
        ),
        ("no URL", with("token_endpoint", "token"), Reason::ProviderAnswerMalformed),
        ("no JSON", Answer(200, None, "<html>".into()), Reason::ProviderAnswerMalformed),
        ("too large", Answer(200, None, " ".repeat(300_000)), Reason::ProviderAnswerMalformed),
        ("a name twice", Answer(200, None, r#"{"issuer":"a","issuer":"b"}"#.into()), Reason::DuplicateMember),
        ("a redirect", moved, Reason::ProviderFailed),
        ("broken", Answer(500, None, String::new()), Reason::ProviderFailed),
        ("not there", Answer(404, None, String::new()), Reason::ProviderFailed),
    ] {
        provider.script().discovery = answer;
        let flow = login_flow(vec![example(&provider, json!({}))]);
        let refused = flow.start("example", REDIRECT, LAPTOP, story_time()).await.unwrap_err();
        assert_eq!(refused.reason(), reason, "{what}");
    }
    assert_eq!(other.script().discovery_fetches, 0, "a redirect was followed");
}

#[tokio::test]
async fn what_the_token_endpoint_says_instead_of_a_token_is_told_apart_in_the_log() {
    let provider = ForgingProvider::begin("ours").await;
    let moved = Answer(307, Some("http://127.0.0.1:9/token".into()), String::new());
    for (answer, reason) in [
        (Answer::failing(400, json!({ "error": "invalid_grant" })), Reason::CodeRefused),
        (Answer::failing(401, json!({ "error": "invalid_client" })), Reason::ClientRefused),
        (Answer::failing(400, json!({ "error": "slow_down" })), Reason::ProviderFailed),
        (Answer::failing(503, json!({})), Reason::ProviderFailed),
        (json!({ "access_token": "a" }).into(), Reason::IdTokenMissing),
        (json!({ "id_token": ["a"] }).into(), Reason::IdTokenMissing),
        (Answer(200, None, "id_token=a".into()), Reason::ProviderAnswerMalformed),
        (Answer(200, None, r#"{"id_token":"a","id_token":"b"}"#.into()), Reason::DuplicateMember),
        (Answer(200, None, " ".repeat(70_000)), Reason::ProviderAnswerMalformed),
        (moved, Reason::ProviderFailed),
    ] {
        provider.script().token = answer;
        let flow = login_flow(vec![example(&provider, json!({}))]);
        let started = start(&flow).await;
        let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
        assert_eq!(flow.finish(callback, LAPTOP, story_time()).await.unwrap_err().reason(), reason);
    }
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_a_minute_and_a_rotation_is_followed() {
    let mut provider = ForgingProvider::begin("old").await;
    let flow = login_flow(vec![example(&provider, json!({}))]);
    let started = start(&flow).await;
    assert!(finish(&flow, &provider, &started, story_time()).await.is_ok());
    assert_eq!(provider.script().jwks_fetches, 1);

    // Forgers cannot make us ask the provider again and again.
    for _ in 0..5 {
        let refused =
            finish_with_key_id(&flow, &provider, &started, "mallory", story_time()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::KeyUnknown);
    }
    assert_eq!(provider.script().jwks_fetches, 1);
    let minute_later = story_time() + Duration::from_secs(60);
    for _ in 0..5 {
        let refused =
            finish_with_key_id(&flow, &provider, &started, "mallory", minute_later).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::KeyUnknown);
    }
    assert_eq!(provider.script().jwks_fetches, 2);

    let old_keys = std::mem::replace(&mut provider.keys, Keys::generate("new"));
    provider.script().jwks = provider.keys.jwks().into();
    let rotated = story_time() + Duration::from_secs(120);
    assert!(finish(&flow, &provider, &started, rotated).await.is_ok());
    assert_eq!(provider.script().jwks_fetches, 3);

    // What was withdrawn is forgotten with that fetch.
    let new_keys = std::mem::replace(&mut provider.keys, old_keys);
    let refused = finish(&flow, &provider, &started, rotated).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::KeyUnknown);
    provider.keys = new_keys;
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_accepted_for_an_hour_at_most() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({}))]);
    assert!(finish(&flow, &provider, &start(&flow).await, story_time()).await.is_ok());
    provider.script().jwks = json!({ "keys": [] }).into();
    for (after, expected) in [(3599, Ok(())), (3600, Err(Reason::KeyUnknown))] {
        let now = story_time() + Duration::from_secs(after);
        let started = flow.start("example", REDIRECT, LAPTOP, now).await.unwrap();
        let result = finish(&flow, &provider, &started, now).await;
        assert_eq!(result.map(|_| ()).map_err(|refused| refused.reason()), expected, "after {after} s");
    }
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_verify_none() {
    let provider = ForgingProvider::begin("ours").await;
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("alg", json!("RS512")),
        ("kty", json!("oct")),
        ("kid", json!("ours-other")),
    ] {
        let mut key = provider.keys.rsa_jwk();
        key[name] = value;
        key["k"] = json!("c2VjcmV0");
        provider.script().jwks = json!({ "keys": [key, { "kty": "unheard of" }, 7] }).into();
        let flow = login_flow(vec![example(&provider, json!({}))]);
        let refused = finish(&flow, &provider, &start(&flow).await, story_time()).await.unwrap_err();
        assert!(matches!(refused.reason(), Reason::KeyUnknown | Reason::KeyUnfit), "{name}: {refused:?}");
    }
    for broken in [json!({}), json!({ "keys": {} }), json!({ "keys": vec![provider.keys.rsa_jwk(); 65] })] {
        provider.script().jwks = broken.into();
        let flow = login_flow(vec![example(&provider, json!({}))]);
        let refused = finish(&flow, &provider, &start(&flow).await, story_time()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::ProviderAnswerMalformed);
    }
}

#[tokio::test]
async fn an_outage_is_called_one_and_not_hammered() {
    let provider = ForgingProvider::begin("ours").await;
    provider.script().discovery = Answer(503, None, String::new());
    let flow = login_flow(vec![example(&provider, json!({}))]);
    for _ in 0..5 {
        assert!(flow.start("example", REDIRECT, LAPTOP, story_time()).await.unwrap_err().is_outage());
    }
    assert_eq!(provider.script().discovery_fetches, 1);
    provider.script().discovery = discovery(&provider.url).into();
    let later = story_time() + Duration::from_secs(5);
    flow.start("example", REDIRECT, LAPTOP, later).await.unwrap();
    assert!(!LoginRefused::from(Reason::Expired).is_outage());
}
