// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log-ins with `oidc-provider` from npm, which is certified: what the standard wants, by somebody else's reading of it.
//!
//! `cargo xtask peers` installs it beside `tests/interop/oidc/provider.mjs`.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use plombe_keystore::identity::oidc::{Callback, LoginFlow, LoginRefused, Reason, Started, VerifiedIdentity};
use reqwest::{Client, Method, header, redirect};
use serde_json::{Value, json};
use url::Url;

use crate::{LAPTOP, REDIRECT, config, login_flow};

#[tokio::test]
async fn alice_logs_in_with_each_signature_algorithm() {
    let Some(provider) = Provider::begin() else { return };
    for client in ["plombe-rs256", "plombe-es256", "plombe-eddsa"] {
        let flow = provider.keystore(json!({ "client_id": client }));
        let before = SystemTime::now() - Duration::from_secs(2);
        let identity = log_in(&flow, "alice@example.org").await.unwrap();
        assert_eq!(identity.subject, "alice@example.org");
        assert_eq!(identity.email.to_string(), "alice@example.org");
        assert_eq!((identity.issuer, identity.tenant.as_str()), (provider.url.clone(), "example"));
        // Not told unless asked for.
        assert!(identity.auth_time.is_none_or(|at| at >= before), "{client}");
    }
}

#[tokio::test]
async fn a_confidential_client_and_a_fresh_proof_of_identity_work_too() {
    let Some(provider) = Provider::begin() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret:with%").unwrap();
    let confidential = json!({
        "client_id": "plombe-secret",
        "client_secret_file": file.path(),
        "max_authentication_age_seconds": 60,
    });
    let identity = log_in(&provider.keystore(confidential.clone()), "alice@example.org").await.unwrap();
    assert!(identity.auth_time.is_some());

    std::fs::write(file.path(), "a wrong secret").unwrap();
    let refused = log_in(&provider.keystore(confidential), "alice@example.org").await.unwrap_err();
    assert_eq!(refused.reason(), Reason::ClientRefused);
}

#[tokio::test]
async fn users_without_a_verified_address_in_our_domain_are_refused() {
    let Some(provider) = Provider::begin() else { return };
    let flow = provider.keystore(json!({}));
    for (user, reason) in [
        ("unverified@example.org", Reason::EmailUnverified),
        ("alice@mallory.example", Reason::DomainForeign),
        ("alice", Reason::EmailMalformed),
    ] {
        assert_eq!(log_in(&flow, user).await.unwrap_err().reason(), reason, "{user}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_with_its_own_verifier_only() {
    let Some(provider) = Provider::begin() else { return };
    let flow = provider.keystore(json!({}));
    let started = start(&flow).await.unwrap();
    let answer = browse(&started, "alice@example.org").await;
    let login = end(&flow, &answer, &answer["state"]).await.unwrap();
    assert_eq!(login.into_identity(true).unwrap().subject, "alice@example.org");
    assert_eq!(end(&flow, &answer, &answer["state"]).await.unwrap_err().reason(), Reason::CodeRefused);

    // Mallory slips the code of his own log-in into Alice's: her state has another verifier.
    let mallorys = browse(&start(&flow).await.unwrap(), "mallory@example.org").await;
    let alices = start(&flow).await.unwrap();
    assert_eq!(end(&flow, &mallorys, &alices.state).await.unwrap_err().reason(), Reason::CodeRefused);
}

#[tokio::test]
async fn a_key_rotation_is_followed_and_an_outage_survived() {
    let Some(mut provider) = Provider::begin() else { return };
    let flow = provider.keystore(json!({}));
    log_in(&flow, "alice@example.org").await.unwrap();

    provider.stop();
    let started = start(&flow).await.unwrap();
    let callback = Callback { state: &started.state, code: "code", issuer: Some(&provider.url) };
    let refused = flow.finish(callback, LAPTOP, SystemTime::now()).await.unwrap_err();
    assert!(refused.is_outage(), "{refused:?}");
    let fresh = provider.keystore(json!({}));
    assert_eq!(start(&fresh).await.unwrap_err().reason(), Reason::ProviderUnreachable);

    // It comes back with new keys. Within a minute of the last look at them that is an unknown key, then a new one.
    provider.restart();
    let refused = log_in(&flow, "alice@example.org").await.unwrap_err();
    assert_eq!(refused.reason(), Reason::KeyUnknown);
    let answer = browse(&start(&flow).await.unwrap(), "alice@example.org").await;
    let callback = Callback { state: &answer["state"], code: &answer["code"], issuer: Some(&provider.url) };
    let minute_later = SystemTime::now() + Duration::from_secs(61);
    let login = flow.finish(callback, LAPTOP, minute_later).await.unwrap();
    assert_eq!(login.into_identity(true).unwrap().email.to_string(), "alice@example.org");
}

/// The provider in a process of its own, on a port of its own.
pub(crate) struct Provider {
    url: String,
    port: u16,
    process: Child,
}

impl Provider {
    /// `None` when it is not installed and may be missing.
    pub(crate) fn begin() -> Option<Self> {
        let folder = folder();
        if !folder.join("node_modules/oidc-provider").is_dir() {
            let required = std::env::var_os("PLOMBE_REQUIRE_PEERS").is_some_and(|value| value == "1");
            assert!(!required, "missing: oidc-provider; `cargo xtask peers` installs it");
            println!("skipped: oidc-provider is not installed");
            return None;
        }
        Some(Self::begin_and_tell(None))
    }

    /// It tells that address when somebody logs out. For those who know that it is installed.
    pub(crate) fn begin_and_tell(told: Option<&str>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { url: format!("http://127.0.0.1:{port}"), port, process: run(port, told) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// With other keys.
    fn restart(&mut self) {
        self.process = run(self.port, None);
    }

    fn keystore(&self, changes: Value) -> LoginFlow {
        let mut all = json!({ "client_id": "plombe-rs256" });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        login_flow(vec![config("example", &self.url, all)])
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/oidc")
}

fn run(port: u16, told: Option<&str>) -> Child {
    let mut process = Command::new("node")
        .arg("provider.mjs")
        .arg(port.to_string())
        .args(told)
        .current_dir(folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Warnings about how little it is secured.
        .stderr(Stdio::null())
        .spawn()
        .expect("the provider needs node");
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    process
}

async fn log_in(flow: &LoginFlow, user: &str) -> Result<VerifiedIdentity, LoginRefused> {
    let answer = browse(&start(flow).await?, user).await;
    end(flow, &answer, &answer["state"]).await?.into_identity(true)
}

async fn start(flow: &LoginFlow) -> Result<Started, LoginRefused> {
    flow.start("example", REDIRECT, LAPTOP, SystemTime::now()).await
}

async fn end(
    flow: &LoginFlow,
    answer: &BTreeMap<String, String>,
    state: &str,
) -> Result<plombe_keystore::identity::oidc::CheckedLogin, LoginRefused> {
    let callback = Callback { state, code: &answer["code"], issuer: Some(&answer["iss"]) };
    flow.finish(callback, LAPTOP, SystemTime::now()).await
}

/// What the user's browser does: logs in as `user`, consents, and ends at the redirect URI, whose parameters this gives.
async fn browse(started: &Started, user: &str) -> BTreeMap<String, String> {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
    let mut cookies = BTreeMap::new();
    let mut url = started.authorization_url.clone();
    let mut form: Option<String> = None;
    for _ in 0..12 {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client
            .request(method, url.clone())
            .header(header::COOKIE, cookie.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.take().unwrap_or_default());
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => cookies.remove(name),
                _ => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        if let Some(location) = response.headers().get(header::LOCATION) {
            url = url.join(location.to_str().unwrap()).unwrap();
            if url.as_str().starts_with(REDIRECT) {
                return url.query_pairs().into_owned().collect();
            }
            continue;
        }
        let page = response.text().await.unwrap();
        let prompt = between(&page, "name=\"prompt\" value=\"");
        url = Url::parse(&between(&page, "action=\"")).unwrap();
        let mut answer = url::form_urlencoded::Serializer::new(String::new());
        answer.append_pair("prompt", &prompt);
        if prompt == "login" {
            answer.append_pair("login", user).append_pair("password", "any");
        }
        form = Some(answer.finish());
    }
    panic!("the provider does not send the browser back; it is at {url}");
}

/// What follows `before` in `page`, up to the next quotation mark.
fn between(page: &str, before: &str) -> String {
    let (_, after) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    after.split('"').next().unwrap().to_owned()
}
