// SPDX-License-Identifier: LGPL-2.0-or-later
//! The steps of a log-in at a keystore whose issuer is a forging provider that behaves.

use std::time::SystemTime;

use plombe_keystore::identity::oidc::{
    Callback, CheckedLogin, IssuerConfig, LoginFlow, LoginRefused, Started,
};
use serde_json::Value;

use crate::{LAPTOP, REDIRECT, config, forging_provider::ForgingProvider, story_time, token::Token};

pub(crate) fn example(provider: &ForgingProvider, changes: Value) -> IssuerConfig {
    config("example", &provider.url, changes)
}

pub(crate) async fn start(flow: &LoginFlow) -> Started {
    flow.start("example", REDIRECT, LAPTOP, story_time()).await.unwrap()
}

pub(crate) fn honest<'a>(provider: &'a ForgingProvider, started: &Started, now: SystemTime) -> Token<'a> {
    let nonce = query(started, "nonce");
    Token::honest(&provider.keys, &provider.url, (&provider.keys, &provider.url), &nonce, now)
}

pub(crate) async fn finish(
    flow: &LoginFlow,
    provider: &ForgingProvider,
    started: &Started,
    now: SystemTime,
) -> Result<CheckedLogin, LoginRefused> {
    finish_with_key_id(flow, provider, started, &provider.keys.id("rsa"), now).await
}

pub(crate) async fn finish_with_key_id(
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

pub(crate) fn query(started: &Started, name: &str) -> String {
    parameter(started.authorization_url.query().unwrap(), name)
}

pub(crate) fn parameter(form: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}
