// SPDX-License-Identifier: LGPL-2.0-or-later
//! What an operator can choose, and what is refused at start.

use std::{fs, os::unix::fs::PermissionsExt};

use plombe_keystore::identity::oidc::{Callback, IssuerConfig, Issuers, Reason};
use serde_json::json;

use crate::{
    LAPTOP, config,
    forging_provider::{ForgingProvider, discovery},
    login_flow,
    story::{example, finish, honest, parameter, query, start},
    story_time,
};

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
