// SPDX-License-Identifier: LGPL-2.0-or-later
//! Everything around the token: state, redirect URI, issuer mix-up, replay.

use std::time::Duration;

use plombe_keystore::identity::oidc::{Callback, Reason};
use serde_json::json;

use crate::{
    LAPTOP, MALLORYS_DEVICE, REDIRECT, config,
    forging_provider::ForgingProvider,
    login_flow, login_flow_under,
    story::{example, finish, honest, parameter, query, start},
    story_time,
    token::encode,
};

#[tokio::test]
async fn a_state_is_good_for_its_device_its_keystore_and_ten_minutes() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({}))]);
    let started = start(&flow).await;
    let whole = |state: &str, device: &'static str, after: i64| {
        let (flow, provider, state) = (&flow, &provider, state.to_owned());
        async move {
            let now = if after < 0 {
                story_time() - Duration::from_secs(after.unsigned_abs())
            } else {
                story_time() + Duration::from_secs(after.unsigned_abs())
            };
            let callback = Callback { state: &state, code: "code", issuer: Some(&provider.url) };
            flow.finish(callback, device, now).await.unwrap_err().reason()
        }
    };
    // Gets as far as the exchange, which this provider refuses.
    assert_eq!(whole(&started.state, LAPTOP, 599).await, Reason::CodeRefused);
    assert_eq!(whole(&started.state, LAPTOP, 600).await, Reason::StateExpired);
    assert_eq!(whole(&started.state, LAPTOP, -1).await, Reason::StateExpired);
    assert_eq!(whole(&started.state, MALLORYS_DEVICE, 0).await, Reason::StateOfOtherDevice);
    for position in [0, 20, 40, started.state.len() - 2] {
        let mut tampered = started.state.clone().into_bytes();
        tampered[position] = if tampered[position] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(tampered).unwrap();
        assert_eq!(whole(&tampered, LAPTOP, 0).await, Reason::StateInvalid);
    }
    for made_up in ["", "AAAA", &encode([0; 200]), &"A".repeat(8000), "not base64!"] {
        assert_eq!(whole(made_up, LAPTOP, 0).await, Reason::StateInvalid);
    }
    let other_keystore = login_flow_under(8, vec![example(&provider, json!({}))]);
    let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
    let refused = other_keystore.finish(callback, LAPTOP, story_time()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::StateInvalid);
}

#[tokio::test]
async fn a_second_server_ends_what_the_first_began_and_no_state_counts_twice() {
    let provider = ForgingProvider::begin("ours").await;
    let (first, second) =
        (login_flow(vec![example(&provider, json!({}))]), login_flow(vec![example(&provider, json!({}))]));
    let started = start(&first).await;
    let login = finish(&second, &provider, &started, story_time()).await.unwrap();
    assert_eq!(login.flow_id(), started.flow_id);
    assert_eq!(login.expires(), story_time() + Duration::from_secs(600));
    assert_eq!(login.into_identity(true).unwrap().subject, "248289761001");

    // The provider hands out a second code for the same address; the record of used states has the id.
    let replayed = finish(&first, &provider, &started, story_time()).await.unwrap();
    assert_eq!(replayed.flow_id(), started.flow_id);
    assert_eq!(replayed.into_identity(false).unwrap_err().reason(), Reason::StateReplayed);
}

#[tokio::test]
async fn a_state_shows_nothing_of_what_is_in_it() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({}))]);
    let (one, other) = (start(&flow).await, start(&flow).await);
    assert_ne!(one.flow_id, other.flow_id);
    // The exchange shows the verifier.
    assert!(finish(&flow, &provider, &one, story_time()).await.is_ok());
    let (_, form) = provider.script().exchange.clone().unwrap();
    let verifier = parameter(&form, "code_verifier");
    assert_eq!(verifier.len(), 43);
    let challenge = encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
    assert_eq!(query(&one, "code_challenge"), challenge);
    assert_eq!(query(&one, "code_challenge_method"), "S256");
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let sealed = URL_SAFE_NO_PAD.decode(&one.state).unwrap();
    for secret in [verifier.as_bytes(), LAPTOP.as_bytes(), b"verifier"] {
        assert!(!sealed.windows(secret.len()).any(|part| part == secret));
    }
    assert!(!one.authorization_url.as_str().contains(&verifier));
}

#[tokio::test]
async fn the_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere() {
    let (provider, other) = (ForgingProvider::begin("ours").await, ForgingProvider::begin("theirs").await);
    let flow = login_flow(vec![example(&provider, json!({})), config("other", &other.url, json!({}))]);
    let started = start(&flow).await;
    for (issuer, reason) in [
        (Some(other.url.as_str()), Reason::ResponseIssuerMismatch),
        (Some(""), Reason::ResponseIssuerMismatch),
        (None, Reason::ResponseIssuerMissing),
    ] {
        let callback = Callback { state: &started.state, code: "code of the other", issuer };
        assert_eq!(flow.finish(callback, LAPTOP, story_time()).await.unwrap_err().reason(), reason);
    }
    for code in ["", "with\nline", &"c".repeat(5000)] {
        let callback = Callback { state: &started.state, code, issuer: Some(&provider.url) };
        let refused = flow.finish(callback, LAPTOP, story_time()).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::CodeMalformed);
    }
    assert!(provider.script().exchange.is_none() && other.script().exchange.is_none());
}

#[tokio::test]
async fn a_token_of_one_log_in_does_not_end_another() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({}))]);
    let (bobs, alices) = (start(&flow).await, start(&flow).await);
    provider.hand_out(&honest(&provider, &bobs, story_time()).sign());
    let callback = Callback { state: &alices.state, code: "code", issuer: Some(&provider.url) };
    let refused = flow.finish(callback, LAPTOP, story_time()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::NonceWrong);
}

#[tokio::test]
async fn a_log_in_begins_only_with_known_issuers_and_redirect_uris() {
    let provider = ForgingProvider::begin("ours").await;
    let extension = "https://abcdef.extensions.example/callback";
    let flow = login_flow(vec![example(&provider, json!({ "redirect_uris": [extension] }))]);
    for (issuer, uri, reason) in [
        ("nobody", REDIRECT, Reason::UnknownIssuer),
        ("example", "https://mallory.example/callback", Reason::RedirectUriNotAllowed),
        ("example", "http://localhost:4711/callback", Reason::RedirectUriNotAllowed),
        ("example", "https://abcdef.extensions.example/callback/", Reason::RedirectUriNotAllowed),
        ("example", "https://abcdef.extensions.example/callback?x", Reason::RedirectUriNotAllowed),
        ("example", "", Reason::RedirectUriNotAllowed),
    ] {
        assert_eq!(
            flow.start(issuer, uri, LAPTOP, story_time()).await.unwrap_err().reason(),
            reason,
            "{uri}"
        );
    }
    for uri in [extension, REDIRECT, "http://[::1]:9/"] {
        flow.start("example", uri, LAPTOP, story_time()).await.unwrap();
    }
    let strict = login_flow(vec![example(&provider, json!({ "loopback_redirects": false }))]);
    let refused = strict.start("example", REDIRECT, LAPTOP, story_time()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::RedirectUriNotAllowed);
}
