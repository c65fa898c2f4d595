// SPDX-License-Identifier: LGPL-2.0-or-later
//! Identity providers that lie to the running keystore. None of them reads Alice's mail, and her log shows that they tried.

use std::{collections::BTreeMap, time::SystemTime};

use plombe_client::{ClientError, DeviceKey, Options, SavedSession, Session};
use plombe_core::keystore::{
    ProblemCode,
    calls::{
        devices::ListDevices,
        keys::KeyInfo,
        login::{DeviceState, LoggedIn, OidcFinish, OidcStart},
        session::WhoAmI,
    },
};
use tokio::runtime::Runtime;
use url::Url;

use crate::{
    REDIRECT,
    forgeries::{MATRIX, Row},
    forging_provider::ForgingProvider,
    keystore::TestKeystore,
    mail::{open, refused, seal_for},
    token::{Keys, Signing, Token},
};

/// Alice with a key, at a keystore whose issuer is in the wrong hands.
struct Story {
    runtime: Runtime,
    provider: ForgingProvider,
    keystore: TestKeystore,
    alice: Session,
    key: KeyInfo,
    mail: Vec<u8>,
}

fn issuer(name: &str, url: &str) -> String {
    format!(
        "[[issuers]]\nname = \"{name}\"\nissuer = \"{url}\"\nclient_id = \"plombe\"\ntenant = \"example.org\"\n\
         domains = [\"example.org\"]\n"
    )
}

impl Story {
    fn begin() -> Self {
        let runtime = Runtime::new().unwrap();
        let provider = runtime.block_on(ForgingProvider::begin("p"));
        let keystore = TestKeystore::with(&issuer("example", &provider.url));
        let mut alice = keystore.log_in(&keystore.add("alice@example.org"));
        let key = keystore.generate(&mut alice, "alice@example.org");
        let mail = seal_for(&key.certificate);
        Self { runtime, provider, keystore, alice, key, mail }
    }

    /// A log-in whose token `forge` makes out of an honest one.
    fn log_in(
        &self,
        name: &str,
        provider: &ForgingProvider,
        device: &DeviceKey,
        forge: impl FnOnce(Token<'_>) -> String,
    ) -> Result<LoggedIn, ClientError> {
        let other = (&provider.keys, provider.url.as_str());
        self.log_in_beside(other, name, provider, device, forge)
    }

    /// The same, with keys and name of another tenant's issuer at hand.
    fn log_in_beside(
        &self,
        other: (&Keys, &str),
        name: &str,
        provider: &ForgingProvider,
        device: &DeviceKey,
        forge: impl FnOnce(Token<'_>) -> String,
    ) -> Result<LoggedIn, ClientError> {
        let client = self.keystore.client();
        let start = OidcStart { issuer: name.into(), redirect_uri: REDIRECT.into() };
        let started = client.exchange(device, None, &start)?;
        let url = Url::parse(&started.url).unwrap();
        let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        let honest = Token::honest(&provider.keys, &provider.url, other, &nonce, SystemTime::now());
        provider.hand_out(&forge(honest));
        let (code, iss) = ("code".to_owned(), Some(provider.url.clone()));
        let finish = OidcFinish { code, state: started.state, iss, device_name: "thief".into() };
        client.exchange(device, None, &finish)
    }

    /// The session of a log-in.
    fn session(&self, device: DeviceKey, logged_in: LoggedIn) -> Session {
        let saved = SavedSession {
            keystore: self.keystore.client().identity().clone(),
            grant: logged_in.session,
            identity: logged_in.identity,
            log: Default::default(),
        };
        Session::resume(saved, device, Options::new(SystemTime::now)).unwrap()
    }
}

#[test]
fn a_forged_id_token_logs_nobody_in_and_is_on_record() {
    let mut story = Story::begin();
    let mallorys = Keys::generate("p");
    let device = DeviceKey::generate();
    let forged =
        story.log_in("example", &story.provider, &device, |t| t.sign_with(&mallorys, Signing::Rs256));
    assert_eq!(refused(forged), ProblemCode::LoginRefused);
    let for_others = story.log_in("example", &story.provider, &device, |t| t.claim("aud", "webmail").sign());
    assert_eq!(refused(for_others), ProblemCode::LoginRefused);
    let on_record = story.keystore.counted_refusals();
    assert_eq!(on_record, ["audience_wrong: 1", "signature_wrong: 1"]);
}

/// The matrix of forgeries is checked function by function elsewhere. Here each of them comes in by the door.
#[test]
fn every_forged_or_wrong_token_is_refused_by_the_running_keystore_and_its_reason_is_on_record() {
    let mut story = Story::begin();
    let other = story.runtime.block_on(ForgingProvider::begin("other"));
    story.keystore.restart_with(&issuer("other", &other.url).replace("example.org", "other.org"));
    let device = DeviceKey::generate();
    let mut expected = BTreeMap::<String, u64>::new();
    for Row(name, reason, forge) in MATRIX {
        let result =
            story.log_in_beside((&other.keys, &other.url), "example", &story.provider, &device, forge);
        assert_eq!(refused(result), ProblemCode::LoginRefused, "{name}");
        *expected.entry(reason.code().to_owned()).or_default() += 1;
    }
    // A minute that ends meanwhile makes two lines of one.
    let mut counted = BTreeMap::<String, u64>::new();
    for note in story.keystore.counted_refusals() {
        let (reason, count) = note.split_once(": ").expect("a reason and a number");
        *counted.entry(reason.to_owned()).or_default() += count.parse::<u64>().unwrap();
    }
    assert_eq!(counted, expected);
    // None of them has left a device.
    let devices = story.alice.call(&ListDevices { principal: None }).unwrap().devices;
    assert_eq!(devices.len(), 1, "{devices:?}");
}

#[test]
fn an_identity_provider_that_says_it_is_alice_gets_a_device_that_waits() {
    let mut story = Story::begin();
    let device = DeviceKey::generate();
    let logged_in = story.log_in("example", &story.provider, &device, |token| token.sign()).unwrap();
    assert_eq!(logged_in.identity.device_state, DeviceState::Pending);
    let mut thief = story.session(device, logged_in);
    assert_eq!(thief.call(&WhoAmI {}).unwrap().addresses, ["alice@example.org"]);
    assert_eq!(refused(open(&mut thief, &story.key.fingerprint, &story.mail)), ProblemCode::DevicePending);
    assert!(story.keystore.shows_own(&mut story.alice, "log-in-with-identity", "log-in"));
    assert!(story.keystore.shows_own(&mut story.alice, "unwrap", "device-pending"));
}

#[test]
fn an_issuer_that_somebody_adds_to_the_configuration_does_not_become_alice() {
    let mut story = Story::begin();
    // She has logged in with the first one.
    let device = DeviceKey::from_pkcs8(story.alice.device().to_pkcs8()).unwrap();
    let alices = story.log_in("example", &story.provider, &device, |token| token.sign()).unwrap();
    assert_eq!(alices.identity.device_state, DeviceState::Confirmed);
    let added = story.runtime.block_on(ForgingProvider::begin("q"));
    story.keystore.restart_with(&issuer("added", &added.url));
    let thief = DeviceKey::generate();
    let result = story.log_in("added", &added, &thief, |token| token.sign());
    assert_eq!(refused(result), ProblemCode::LoginRefused);
    assert!(story.keystore.shows_own(&mut story.alice, "log-in-with-identity", "identity-changed"));
    // Nor for somebody whom no issuer knows yet: a device that waits.
    let mut bob = story.keystore.log_in(&story.keystore.add("bob@example.org"));
    let key = story.keystore.generate(&mut bob, "bob@example.org");
    let as_bob = |token: Token<'_>| token.claim("email", "bob@example.org").claim("sub", "bob").sign();
    let logged_in = story.log_in("added", &added, &thief, as_bob).unwrap();
    assert_eq!(logged_in.identity.device_state, DeviceState::Pending);
    let mut thief = story.session(thief, logged_in);
    let result = open(&mut thief, &key.fingerprint, &seal_for(&key.certificate));
    assert_eq!(refused(result), ProblemCode::DevicePending);
    assert!(story.keystore.shows_own(&mut bob, "unwrap", "device-pending"));
}
