// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who logs out at the identity provider is logged out here; and what is no such word of the provider's ends nothing.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use plombe_client::{DeviceKey, Options, SavedSession, Session};
use plombe_core::keystore::{
    ProblemCode,
    calls::{
        login::{LoggedIn, OidcFinish, OidcStart},
        session::WhoAmI,
    },
};
use serde_json::json;
use tokio::runtime::Runtime;
use url::Url;

use crate::{
    REDIRECT,
    forging_provider::ForgingProvider,
    keystore::TestKeystore,
    mail::refused,
    real_provider::{Provider, folder},
    token::{Keys, Signing, Token, encode},
};

fn issuer(name: &str, url: &str, client: &str) -> String {
    format!(
        "[[issuers]]\nname = \"{name}\"\nissuer = \"{url}\"\nclient_id = \"{client}\"\ntenant = \"example.org\"\n\
         domains = [\"example.org\"]\n"
    )
}

#[test]
fn who_logs_out_at_the_certified_provider_is_logged_out_here() {
    if Provider::begin().is_none() {
        return;
    }
    let mut keystore = TestKeystore::with("");
    let provider =
        Provider::begin_and_tell(Some(&format!("{}/v1/login/oidc/example/logout", keystore.url())));
    keystore.restart_with(&issuer("example", provider.url(), "plombe-rs256"));
    let mut by_code = keystore.log_in(&keystore.add("alice@example.org"));

    let device = DeviceKey::from_pkcs8(by_code.device().to_pkcs8()).unwrap();
    let login = keystore.client().start_oidc(device, "example").unwrap();
    let mut browser = Command::new("node")
        .args(["browser.mjs", login.url(), "alice@example.org", "leave"])
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut alice = login.finish("laptop", Duration::from_secs(60)).unwrap();
    alice.call(&WhoAmI {}).unwrap();
    browser.stdin.take().unwrap().write_all(b"leave\n").unwrap();
    let said: Vec<_> = BufReader::new(browser.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    assert!(
        browser.wait().unwrap().success() && said.iter().any(|line| line.starts_with("left with")),
        "{said:?}"
    );

    assert_eq!(refused(alice.call(&WhoAmI {})), ProblemCode::NotLoggedIn);
    // What began with a code is not the provider's to end.
    by_code.call(&WhoAmI {}).unwrap();
    assert!(keystore.shows_own(&mut by_code, "log-out-by-provider", "keystore-itself"));
}

/// A keystore at a provider that says what a test wants.
struct Story {
    runtime: Runtime,
    provider: ForgingProvider,
    keystore: TestKeystore,
}

impl Story {
    fn begin() -> Self {
        let runtime = Runtime::new().unwrap();
        let provider = runtime.block_on(ForgingProvider::begin("p"));
        let keystore = TestKeystore::with(&issuer("example", &provider.url, "plombe"));
        Self { runtime, provider, keystore }
    }

    /// Somebody in one of the provider's sessions.
    fn log_in(&self, who: &str, session: &str) -> Session {
        let (client, device) = (self.keystore.client(), DeviceKey::generate());
        let start = OidcStart { issuer: "example".into(), redirect_uri: REDIRECT.into() };
        let started = client.exchange(&device, None, &start).unwrap();
        let url = Url::parse(&started.url).unwrap();
        let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        let ForgingProvider { keys, url, .. } = &self.provider;
        let token = Token::honest(keys, url, (keys, url), &nonce, SystemTime::now());
        let token =
            token.claim("sub", who).claim("email", format!("{who}@example.org")).claim("sid", session);
        self.provider.hand_out(&token.sign());
        let finish = OidcFinish {
            code: "code".into(),
            state: started.state,
            iss: Some(url.clone()),
            device_name: "laptop".into(),
        };
        let LoggedIn { session: grant, identity } = client.exchange(&device, None, &finish).unwrap();
        let saved =
            SavedSession { keystore: client.identity().clone(), grant, identity, log: Default::default() };
        Session::resume(saved, device, Options::new(SystemTime::now)).unwrap()
    }

    fn token(&self, name: &str) -> Token<'_> {
        let ForgingProvider { keys, url, .. } = &self.provider;
        Token::log_out(keys, url, (keys, url), ("alice", "first", name), SystemTime::now())
    }

    /// Sends a token as the provider does; gives the status.
    fn tell(&self, token: &str) -> u16 {
        self.post("example", &format!("logout_token={token}"))
    }

    fn post(&self, name: &str, body: &str) -> u16 {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v1/login/oidc/{name}/logout", self.keystore.url());
        let request = client.post(url).body(body.to_owned());
        let answer = self.runtime.block_on(request.send()).unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.status().as_u16()
    }
}

fn ended(session: &mut Session) -> bool {
    session.call(&WhoAmI {}).is_err()
}

#[test]
fn a_log_out_ends_what_it_names_and_nothing_else() {
    let story = Story::begin();
    for who in ["alice", "bob"] {
        story.keystore.add(&format!("{who}@example.org"));
    }
    let (mut first, mut second, mut bob) =
        (story.log_in("alice", "first"), story.log_in("alice", "second"), story.log_in("bob", "third"));
    assert_eq!(story.tell(&story.token("a").sign()), 200);
    assert_eq!((ended(&mut first), ended(&mut second), ended(&mut bob)), (true, false, false));
    // Without a session, all of hers; a session that is not hers, none.
    assert_eq!(story.tell(&story.token("b").claim("sid", "third").sign()), 200);
    assert!(!ended(&mut bob) && !ended(&mut second));
    assert_eq!(story.tell(&story.token("c").without("sid").sign()), 200);
    assert_eq!((ended(&mut second), ended(&mut bob)), (true, false));
    // A session alone.
    assert_eq!(story.tell(&story.token("d").without("sub").claim("sid", "third").sign()), 200);
    assert!(ended(&mut bob));
}

type Forgery<'a> = (&'static str, &'static str, Box<dyn Fn(Token<'_>) -> String + 'a>);

#[test]
fn forged_log_outs_end_nothing_and_each_reason_is_on_record() {
    let mut story = Story::begin();
    story.keystore.add("alice@example.org");
    let mut alice = story.log_in("alice", "first");
    let mallory = Keys::generate("p");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let event =
        |value: serde_json::Value| move |token: Token<'_>| token.claim("events", value.clone()).sign();
    let forgeries: Vec<Forgery<'_>> = vec![
        ("another's key", "signature_wrong", Box::new(|t| t.sign_with(&mallory, Signing::Rs256))),
        (
            "no signature",
            "algorithm_not_allowed",
            Box::new(|t| format!("{}.", t.header("alg", "none").unsigned())),
        ),
        ("another issuer", "issuer_wrong", Box::new(|t| t.claim("iss", "https://mallory.example").sign())),
        ("another audience", "audience_wrong", Box::new(|t| t.claim("aud", "webmail").sign())),
        (
            "several audiences",
            "authorized_party_missing",
            Box::new(|t| t.claim("aud", json!(["plombe", "webmail"])).sign()),
        ),
        ("expired", "expired", Box::new(|t| t.claim("exp", now - 120).sign())),
        ("of tomorrow", "issued_in_future", Box::new(|t| t.claim("iat", now + 86_400).sign())),
        ("of yesterday", "issued_long_ago", Box::new(|t| t.claim("iat", now - 86_400).sign())),
        ("without a time", "claim_missing", Box::new(|t| t.without("iat").sign())),
        ("without a name", "claim_missing", Box::new(|t| t.without("jti").sign())),
        ("without an event", "event_missing", Box::new(|t| t.without("events").sign())),
        ("another event", "event_missing", Box::new(event(json!({ "https://example.org/log-in": {} })))),
        ("an event that is a word", "event_missing", Box::new(event(json!("logout")))),
        ("an ID token", "nonce_present", Box::new(|t| t.claim("nonce", "n").sign())),
        ("nobody", "subject_missing", Box::new(|t| t.without("sub").without("sid").sign())),
        ("another type", "type_wrong", Box::new(|t| t.header("typ", "at+jwt").sign())),
        ("a key of its own", "key_in_header", Box::new(|t| t.header("jwk", mallory.rsa_jwk()).sign())),
        ("an unknown key", "key_unknown", Box::new(|t| t.header("kid", "x").sign())),
        ("a critical extension", "critical_header", Box::new(|t| t.header("crit", json!(["b64"])).sign())),
        (
            "changed claims",
            "signature_wrong",
            Box::new(|t| {
                let token = t.sign();
                let mut parts: Vec<_> = token.split('.').collect();
                let changed = encode("{\"sub\":\"alice\"}");
                parts[1] = &changed;
                parts.join(".")
            }),
        ),
    ];
    let mut expected = std::collections::BTreeMap::<&str, u32>::new();
    for (what, reason, forge) in &forgeries {
        assert_eq!(story.tell(&forge(story.token(what))), 400, "{what}");
        *expected.entry(*reason).or_default() += 1;
    }
    let honest = story.token("honest").sign();
    for (name, body) in [
        ("example", String::new()),
        ("example", format!("logout_token={honest}&logout_token={honest}")),
        ("nobody", format!("logout_token={honest}")),
    ] {
        assert_eq!(story.post(name, &body), 400, "{name}: {body}");
    }
    assert!(!ended(&mut alice), "a forged log-out ended a session");
    assert_eq!(story.tell(&honest), 200);
    assert!(ended(&mut alice));
    // Recorded and sent again, when she is back: it counted once.
    let mut back = story.log_in("alice", "first");
    assert_eq!(story.tell(&honest), 400);
    assert!(!ended(&mut back));
    drop(forgeries);
    let on_record = story.keystore.counted_refusals();
    for (reason, count) in expected {
        assert!(on_record.contains(&format!("logout-{reason}: {count}")), "{reason} {count}: {on_record:?}");
    }
    assert!(on_record.contains(&"logout-proof-replayed: 1".to_owned()), "{on_record:?}");
}

#[test]
fn a_logout_token_logs_nobody_in() {
    let story = Story::begin();
    story.keystore.add("alice@example.org");
    let (client, device) = (story.keystore.client(), DeviceKey::generate());
    let start = OidcStart { issuer: "example".into(), redirect_uri: REDIRECT.into() };
    let started = client.exchange(&device, None, &start).unwrap();
    let token = story.token("x").claim("email", "alice@example.org").claim("email_verified", true);
    story.provider.hand_out(&token.sign());
    let finish = OidcFinish {
        code: "code".into(),
        state: started.state,
        iss: Some(story.provider.url.clone()),
        device_name: "laptop".into(),
    };
    assert_eq!(refused(client.exchange(&device, None, &finish)), ProblemCode::LoginRefused);
}
