// SPDX-License-Identifier: LGPL-2.0-or-later
//! Everything around the token: state, issuer mix-up, documents of the provider, key rotation, outages.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, SystemTime},
};

use plombe_keystore::identity::oidc::{
    Callback, CheckedLogin, IssuerConfig, Issuers, LoginFlow, LoginRefused, Reason, Started,
};
use serde_json::{Value, json};

use crate::{
    LAPTOP, MALLORYS_DEVICE, REDIRECT, config,
    forging_provider::{Answer, ForgingProvider, discovery},
    login_flow, login_flow_under, story_time,
    token::{Keys, Token, encode},
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

#[tokio::test]
async fn the_client_secret_goes_where_the_provider_wants_it_and_nowhere_else() {
    let provider = ForgingProvider::begin("ours").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "p&ss:wörd\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let secret = || json!({ "client_secret_file": file });

    let flow = login_flow(vec![example(&provider, secret())]);
    assert!(finish(&flow, &provider, &start(&flow).await, story_time()).await.is_ok());
    let (authorization, form) = provider.script().exchange.take().unwrap();
    // base64 of plombe:p%26ss%3Aw%C3%B6rd
    assert_eq!(authorization.unwrap(), "Basic cGxvbWJlOnAlMjZzcyUzQXclQzMlQjZyZA==");
    assert!(!form.contains("secret") && !form.contains("client_id"), "{form}");

    let mut document = discovery(&provider.url);
    document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    provider.script().discovery = document.into();
    let flow = login_flow(vec![example(&provider, secret())]);
    assert!(finish(&flow, &provider, &start(&flow).await, story_time()).await.is_ok());
    let (authorization, form) = provider.script().exchange.take().unwrap();
    assert_eq!((authorization, parameter(&form, "client_secret").as_str()), (None, "p&ss:wörd"));

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(
        Issuers::new(vec![example(&provider, secret())]).err().unwrap().to_string().contains("chmod 600")
    );
}

#[tokio::test]
async fn a_fresh_proof_of_identity_can_be_demanded() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({ "max_authentication_age_seconds": 60 }))]);
    let started = start(&flow).await;
    assert_eq!(query(&started, "max_age"), "60");
    let old = honest(&provider, &started, story_time());
    let then = old.now - 91;
    let cases = [
        (old.claim("auth_time", then).sign(), Reason::AuthenticationTimeWrong),
        (honest(&provider, &started, story_time()).without("auth_time").sign(), Reason::ClaimMissing),
    ];
    for (token, reason) in cases {
        provider.hand_out(&token);
        let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
        assert_eq!(flow.finish(callback, LAPTOP, story_time()).await.unwrap_err().reason(), reason);
    }
    assert!(finish(&flow, &provider, &started, story_time()).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_assigns_addresses_may_be_believed_without_the_claim_but_not_against_it() {
    let provider = ForgingProvider::begin("ours").await;
    let flow = login_flow(vec![example(&provider, json!({ "require_email_verified": false }))]);
    let started = start(&flow).await;
    let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
    provider.hand_out(&honest(&provider, &started, story_time()).without("email_verified").sign());
    assert!(flow.finish(callback, LAPTOP, story_time()).await.is_ok());
    provider.hand_out(&honest(&provider, &started, story_time()).claim("email_verified", false).sign());
    let refused = flow.finish(callback, LAPTOP, story_time()).await.unwrap_err();
    assert_eq!(refused.reason(), Reason::EmailUnverified);
}

#[test]
fn issuers_that_clash_or_are_insecure_are_refused_at_start() {
    let issuer = "https://login.example.org";
    let fails = |configs: Vec<IssuerConfig>| Issuers::new(configs).err().unwrap().to_string();
    for (changes, named) in [
        (json!({ "client_id": "" }), "client_id"),
        (json!({ "domains": [] }), "domains"),
        (json!({ "domains": ["Example.org"] }), "domains"),
        (json!({ "domains": ["*.example.org"] }), "domains"),
        (json!({ "algorithms": [] }), "algorithms"),
        (json!({ "max_clock_skew_seconds": 61 }), "max_clock_skew_seconds"),
        (json!({ "max_clock_skew_seconds": 9 }), "max_clock_skew_seconds"),
        (json!({ "redirect_uris": ["https://*.example.org/"] }), "redirect_uris"),
        (json!({ "name": "Example Inc." }), "name"),
        (json!({ "tenant": "" }), "tenant"),
        (json!({ "client_secret_file": "/nowhere/secret" }), "cannot read"),
    ] {
        let message = fails(vec![config("example", issuer, changes)]);
        assert!(message.contains(named), "{named}: {message}");
    }
    let one = || config("example", issuer, json!({}));
    let other = |changes| config("other", "https://login.other.org", changes);
    assert!(fails(vec![one(), one()]).contains("names"));
    assert!(fails(vec![one(), config("other", issuer, json!({}))]).contains("one tenant"));
    assert!(fails(vec![one(), other(json!({ "domains": ["example.org"] }))]).contains("domain"));

    for (field, value) in [
        ("issuer", json!("http://login.example.org")),
        ("issuer", json!("https://login.example.org/?x")),
        ("issuer", json!("https://alice@login.example.org")),
        ("algorithms", json!(["none"])),
        ("algorithms", json!(["HS256"])),
        ("audience", json!("webmail")),
    ] {
        let mut table = json!({
            "name": "example", "issuer": issuer, "client_id": "plombe", "tenant": "example", "domains": ["example.org"],
        });
        assert!(serde_json::from_value::<IssuerConfig>(table.clone()).is_ok());
        table[field] = value;
        assert!(serde_json::from_value::<IssuerConfig>(table).is_err(), "{field}");
    }
}

fn example(provider: &ForgingProvider, changes: Value) -> IssuerConfig {
    config("example", &provider.url, changes)
}

async fn start(flow: &LoginFlow) -> Started {
    flow.start("example", REDIRECT, LAPTOP, story_time()).await.unwrap()
}

fn honest<'a>(provider: &'a ForgingProvider, started: &Started, now: SystemTime) -> Token<'a> {
    let nonce = query(started, "nonce");
    Token::honest(&provider.keys, &provider.url, (&provider.keys, &provider.url), &nonce, now)
}

async fn finish(
    flow: &LoginFlow,
    provider: &ForgingProvider,
    started: &Started,
    now: SystemTime,
) -> Result<CheckedLogin, LoginRefused> {
    finish_with_key_id(flow, provider, started, &provider.keys.id("rsa"), now).await
}

async fn finish_with_key_id(
    flow: &LoginFlow,
    provider: &ForgingProvider,
    started: &Started,
    key_id: &str,
    now: SystemTime,
) -> Result<CheckedLogin, LoginRefused> {
    provider.hand_out(&honest(provider, started, now).header("kid", key_id).sign());
    let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
    flow.finish(callback, LAPTOP, now).await
}

fn query(started: &Started, name: &str) -> String {
    parameter(started.authorization_url.query().unwrap(), name)
}

fn parameter(form: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
