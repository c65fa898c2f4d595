// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log-ins at the certified provider through the running keystore, by the real client and a person who only clicks.

use std::{collections::BTreeMap, process::Command, time::Duration};

use plombe_client::{ClientError, DeviceKey, Session};
use plombe_core::keystore::{
    ProblemCode,
    calls::{
        login::{DeviceState, LoggedIn, OidcFinish, OidcStart, OidcStarted},
        session::WhoAmI,
    },
};
use url::Url;

use crate::{
    REDIRECT, forging_provider::ForgingProvider, keystore::TestKeystore, mail::refused,
    real_provider::Provider,
};

/// A keystore whose only issuer is the certified provider, with `more` in its configuration; and Alice.
fn begin(more: &str) -> Option<(Provider, TestKeystore)> {
    let provider = Provider::begin()?;
    let keystore = TestKeystore::with(&format!("{}{more}", issuer("example", provider.url(), "example.org")));
    keystore.add("alice@example.org");
    Some((provider, keystore))
}

fn issuer(name: &str, url: &str, tenant: &str) -> String {
    format!(
        "[[issuers]]\nname = \"{name}\"\nissuer = \"{url}\"\nclient_id = \"plombe-rs256\"\ntenant = \"{tenant}\"\n\
         domains = [\"example.org\"]\n"
    )
}

/// What `user` does in the browser. Gives what the redirect says; with `stay` nobody follows it.
fn browse(url: &str, user: &str, stay: bool) -> BTreeMap<String, String> {
    let mut node = Command::new("node");
    node.args(["browser.mjs", url, user])
        .args(stay.then_some("stay"))
        .current_dir(crate::real_provider::folder());
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = Url::parse(String::from_utf8(output.stdout).unwrap().trim()).unwrap();
    url.query_pairs().into_owned().collect()
}

/// The client's own flow: a page to open, and a port that the browser comes back to.
fn log_in(keystore: &TestKeystore, device: DeviceKey, user: &'static str) -> Result<Session, ClientError> {
    let login = keystore.client().start_oidc(device, "example")?;
    let url = login.url().to_owned();
    let browser = std::thread::spawn(move || browse(&url, user, false));
    let session = login.finish("laptop", Duration::from_secs(60));
    browser.join().unwrap();
    session
}

/// The same by hand, for those who do something else in between.
fn start(keystore: &TestKeystore, device: &DeviceKey, issuer: &str) -> OidcStarted {
    let call = OidcStart { issuer: issuer.into(), redirect_uri: REDIRECT.into() };
    keystore.client().exchange(device, None, &call).unwrap()
}

fn finish(
    keystore: &TestKeystore,
    device: &DeviceKey,
    code: &str,
    state: &str,
    iss: &str,
) -> Result<LoggedIn, ClientError> {
    let (code, state, iss) = (code.to_owned(), state.to_owned(), Some(iss.to_owned()));
    keystore.client().exchange(device, None, &OidcFinish { code, state, iss, device_name: "laptop".into() })
}

#[test]
fn alice_logs_in_with_her_browser_and_her_device_renews_the_session() {
    let Some((provider, keystore)) = begin("") else { return };
    let offered = keystore.client().info().unwrap().login.oidc;
    assert_eq!((offered[0].name.as_str(), offered[0].issuer.as_str()), ("example", provider.url()));
    let mut alice = log_in(&keystore, DeviceKey::generate(), "alice@example.org").unwrap();
    assert_eq!(alice.identity().addresses, ["alice@example.org"]);
    assert_eq!(alice.identity().device_state, DeviceState::Confirmed);
    let first = alice.saved().grant;
    alice.renew().unwrap();
    let second = alice.saved().grant;
    assert_ne!(first.token.expose(), second.token.expose());
    assert_eq!((first.id, first.ends_at), (second.id, second.ends_at));
    assert_eq!(alice.call(&WhoAmI {}).unwrap().device, alice.identity().device);
    assert!(keystore.shows_own(&mut alice, "log-in-with-identity", "log-in"));

    // From now on she has something to lose, and whoever logs in as her waits.
    keystore.generate(&mut alice, "alice@example.org");
    let other = log_in(&keystore, DeviceKey::generate(), "alice@example.org").unwrap();
    assert_eq!(other.identity().device_state, DeviceState::Pending);
    // The same device comes back as what it was.
    let device = DeviceKey::from_pkcs8(alice.device().to_pkcs8()).unwrap();
    let again = log_in(&keystore, device, "alice@example.org").unwrap();
    assert_eq!(again.identity().device_state, DeviceState::Confirmed);
}

#[test]
fn who_is_not_known_or_not_vouched_for_is_refused_and_the_reasons_are_on_record() {
    let Some((_provider, mut keystore)) = begin("") else { return };
    let log_in = |user| refused(log_in(&keystore, DeviceKey::generate(), user));
    for user in ["stranger@example.org", "unverified@example.org", "alice@mallory.example"] {
        assert_eq!(log_in(user), ProblemCode::LoginRefused, "{user}");
    }
    let on_record = keystore.counted_refusals();
    for reason in ["identity-unknown: 1", "email_unverified: 1", "domain_foreign: 1"] {
        assert!(on_record.iter().any(|note| note == reason), "{reason} is not in {on_record:?}");
    }
}

#[test]
fn an_issuer_of_another_tenant_names_nobody_here() {
    let Some(provider) = Provider::begin() else { return };
    let keystore = TestKeystore::with(&issuer("example", provider.url(), "elsewhere.org"));
    let mut alice = keystore.log_in(&keystore.add("alice@example.org"));
    let result = log_in(&keystore, DeviceKey::generate(), "alice@example.org");
    assert_eq!(refused(result), ProblemCode::LoginRefused);
    assert!(keystore.shows_own(&mut alice, "log-in-with-identity", "identity-of-another-tenant"));
}

#[test]
fn a_code_and_a_state_are_good_once_and_on_the_device_that_began() {
    let Some((provider, mut keystore)) = begin("") else { return };
    let (laptop, thief) = (DeviceKey::generate(), DeviceKey::generate());
    let began = start(&keystore, &laptop, "example");
    let came = browse(&began.url, "alice@example.org", true);
    let (code, state, iss) = (&came["code"], &came["state"], provider.url());
    // Whoever saw the redirect has a code and a state, and another device.
    assert_eq!(refused(finish(&keystore, &thief, code, state, iss)), ProblemCode::LoginRefused);
    let of_thief = start(&keystore, &thief, "example").state;
    assert_eq!(refused(finish(&keystore, &thief, code, &of_thief, iss)), ProblemCode::LoginRefused);
    // The provider has seen the code with a verifier that is not its own: it is worth nothing to anybody now.
    let began = start(&keystore, &laptop, "example");
    let came = browse(&began.url, "alice@example.org", true);
    let (code, state) = (&came["code"], &came["state"]);
    finish(&keystore, &laptop, code, state, iss).unwrap();
    assert_eq!(refused(finish(&keystore, &laptop, code, state, iss)), ProblemCode::LoginRefused);
    let on_record = keystore.counted_refusals();
    assert_eq!(on_record, ["code_refused: 2", "state_of_other_device: 1"]);
}

#[test]
fn an_answer_of_another_issuer_is_refused_and_its_code_goes_nowhere() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mallory = runtime.block_on(ForgingProvider::begin("mallory"));
    let Some((provider, mut keystore)) = begin(&issuer("mallory", &mallory.url, "example.org")) else {
        return;
    };
    let laptop = DeviceKey::generate();
    // She chose the one; what came back is the other's.
    let began = start(&keystore, &laptop, "mallory");
    let honest = browse(&start(&keystore, &laptop, "example").url, "alice@example.org", true);
    for iss in [provider.url(), "https://id.example.org"] {
        let result = finish(&keystore, &laptop, &honest["code"], &began.state, iss);
        assert_eq!(refused(result), ProblemCode::LoginRefused, "{iss}");
    }
    assert!(mallory.script().exchange.is_none(), "the code went to the wrong provider");
    finish(&keystore, &laptop, &honest["code"], &honest["state"], provider.url()).unwrap();
    assert_eq!(keystore.counted_refusals(), ["response_issuer_mismatch: 2"]);
}

#[test]
fn this_machine_is_the_same_place_under_each_of_its_names() {
    let keystore = TestKeystore::with("");
    let port = Url::parse(keystore.url()).unwrap().port().unwrap();
    let code = keystore.add("alice@example.org");
    let mut alice = keystore.log_in_at(&format!("http://localhost:{port}"), &code).unwrap();
    assert_eq!(alice.call(&WhoAmI {}).unwrap().addresses, ["alice@example.org"]);
    alice.renew().unwrap();
}
