// SPDX-License-Identifier: LGPL-2.0-or-later
//! The keystore's page in a real browser: Chromium with an authenticator that chromedriver plugs in.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::SystemTime,
};

use plombe_client::{Browser, DeviceKey, Keystore, Options, Session};
use plombe_core::keystore::{
    Bytes, ProblemCode,
    calls::{
        devices::ConfirmDevice,
        login::DeviceState,
        passkeys::{ConfirmByPasskey, ListPasskeys, PAGE_PATH},
        recovery::SetRecoveryCode,
        session::WhoAmI,
    },
    fields,
};
use plombe_tests::{Scratch, peers};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    keystore::TestKeystore,
    mail::{generate, refused},
    trail::trail,
};

/// One window, driven by the WebDriver protocol.
struct Chromium {
    runtime: Runtime,
    client: reqwest::Client,
    driver: Child,
    session: String,
    _profile: Scratch,
}

impl Chromium {
    /// `None` when it is not installed and may be missing.
    fn begin() -> Option<Self> {
        if peers::find("chromedriver").is_none() || peers::find("chromium").is_none() {
            peers::skip("chromium and chromedriver");
            return None;
        }
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let profile = Scratch::new();
        let mut chromium = Self {
            runtime: Runtime::new().unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            driver,
            session: format!("http://127.0.0.1:{}/session", port.unwrap()),
            _profile: profile,
        };
        let profile = format!("--user-data-dir={}", chromium._profile.path().display());
        let args =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", &profile];
        let made = chromium
            .post("", json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args}}}}));
        chromium.session = format!("{}/{}", chromium.session, made["sessionId"].as_str().unwrap());
        let authenticator = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "isUserConsenting": true,
        });
        chromium.post("/webauthn/authenticator", authenticator);
        Some(chromium)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.session)).body(body.to_string());
        let answer = self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() });
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].take()
    }

    fn open(&self, url: &str) {
        // From a page to itself with another fragment a browser does not load anything.
        self.post("/url", json!({"url": "about:blank"}));
        self.post("/url", json!({"url": url}));
    }

    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
    }

    /// What a person does with the page: looks at what it is for, and presses the button. Gives what was there to be read.
    fn agree(&self, url: &str) -> String {
        self.open(url);
        let shown = self.run("return ['purpose', 'account', 'device'].map((id) => document.getElementById(id).textContent).join('|')");
        let button = self.post("/element", json!({"using": "css selector", "value": "#go"}));
        let id = button.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.post(&format!("/element/{id}/click"), json!({}));
        shown.as_str().unwrap().to_owned()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let request = self.client.delete(&self.session).send();
        let _ = self.runtime.block_on(request);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Opens each page that it is sent, and gives the browser back when nobody sends any more, with what was read on the pages. The
/// addresses come by somebody who may change them.
fn person(
    chromium: Chromium,
    carry: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (Browser, JoinHandle<(Chromium, Vec<String>)>) {
    let (pages, opened) = mpsc::channel::<String>();
    let person = thread::spawn(move || {
        let read = opened.iter().map(|url| chromium.agree(&url)).collect();
        (chromium, read)
    });
    (Browser::new(move |url| pages.send(carry(url)).unwrap()), person)
}

/// The question in a page's address, and the address with another one.
fn question(url: &str) -> (Vec<u8>, impl Fn(&[u8]) -> String) {
    let (before, rest) = url.split_once("question=").unwrap();
    let (question, after) = rest.split_once('&').unwrap();
    let (before, after) = (before.to_owned(), after.to_owned());
    let put = move |question: &[u8]| {
        format!("{before}question={}&{after}", Bytes(question.to_vec()).to_base64url())
    };
    (Bytes::from_base64url(question).unwrap().0, put)
}

/// The same bytes with one word for another of the same length.
fn replaced(question: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let at = question.windows(word.len()).position(|window| window == word).unwrap();
    [&question[..at], by, &question[at + word.len()..]].concat()
}

fn log_in(keystore: &TestKeystore, code: &str, browser: &Browser) -> Session {
    let options = Options { browser: Some(browser.clone()), ..Options::new(SystemTime::now) };
    let client = Keystore::connect(keystore.url(), None, options).unwrap();
    client.log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "test device").unwrap()
}

#[test]
fn a_passkey_is_made_and_shown_on_the_page_in_a_real_browser() {
    let Some(chromium) = Chromium::begin() else { return };
    let keystore = TestKeystore::start();
    let (browser, reader) = person(chromium, str::to_owned);
    let mut alice = log_in(&keystore, &keystore.add("alice@example.org"), &browser);
    generate(&mut alice, "alice@example.org");
    assert_eq!(alice.add_passkey("this computer").unwrap().name, "this computer");

    // Each call asks for it by itself.
    let mut laptop = log_in(&keystore, &keystore.code_for("alice@example.org"), &browser);
    assert_eq!(laptop.identity().device_state, DeviceState::Pending);
    laptop.call(&ConfirmByPasskey {}).unwrap();
    assert_eq!(laptop.call(&WhoAmI {}).unwrap().device_state, DeviceState::Confirmed);
    let phone = log_in(&keystore, &keystore.code_for("alice@example.org"), &browser);
    let confirm = ConfirmDevice { device: phone.identity().device, thumbprint: phone.device().thumbprint() };
    alice.call(&confirm).unwrap();
    assert_eq!(alice.call(&ListPasskeys {}).unwrap().passkeys.len(), 1);
    let shown =
        |entry: &plombe_core::log::entry::Entry| entry.action == "step-up" && entry.decision.permitted;
    assert_eq!(trail(&mut alice).0.iter().filter(|entry| shown(entry)).count(), 2);

    // The page says what each was for, whose account it is, and what the device calls itself that asks.
    let (kept, device) = (laptop.saved(), DeviceKey::from_pkcs8(laptop.device().to_pkcs8()).unwrap());
    drop((alice, laptop, phone, browser));
    let (chromium, read) = reader.join().unwrap();
    for (read, words) in read.iter().zip(["A new passkey", "The computer that asks", "Your devices"]) {
        assert!(read.starts_with(words) && read.ends_with("|alice@example.org|test device"), "{read}");
    }
    assert_eq!(read.len(), 3);

    // Somebody who carries the link makes the page say something else. Then something else is signed.
    let carry = |url: &str| {
        let (question, put) = question(url);
        put(&replaced(&question, b"devices", b"key-use"))
    };
    let (browser, reader) = person(chromium, carry);
    let options = Options { browser: Some(browser), ..Options::new(SystemTime::now) };
    let mut laptop = Session::resume(kept, device, options).unwrap();
    let recovery = SetRecoveryCode { hash: vec![1; 32].into() };
    assert_eq!(refused(laptop.call(&recovery)), ProblemCode::Denied);
    let entries = trail(&mut laptop).0;
    let last = entries.iter().rfind(|entry| entry.action == "step-up").unwrap();
    assert_eq!((last.decision.permitted, last.decision.rule.as_str()), (false, "passkey-challenge"));
    drop(laptop);
    let (chromium, read) = reader.join().unwrap();
    assert!(read[0].starts_with("A key is to be used"), "{read:?}");

    // What is not a question of a program on this machine is not asked.
    let page = format!("{}{PAGE_PATH}", keystore.url().replace("127.0.0.1", "localhost"));
    let disabled = "return document.getElementById('go').disabled";
    let label: &[u8] = b"plombe keystore passkey question v1";
    let parts: [&[u8]; 9] = [label, &[1; 16], &[2; 16], &[3; 16], b"devices", &[0; 8], &[4; 16], b"a", b"b"];
    let with = |place: usize, part: &'static [u8]| {
        let mut parts = parts;
        parts[place] = part;
        fields(&parts)
    };
    let asking = |question: &[u8], port: &str| {
        format!("question={}&state=x&port={port}", Bytes(question.to_vec()).to_base64url())
    };
    let sound = fields(&parts);
    for (fragment, is_off) in [
        (asking(&sound, "4711"), false),
        (asking(&sound, "80"), true),
        (asking(&sound, "4711.evil.example"), true),
        (asking(&with(4, b"constructor"), "4711"), true),
        (asking(&with(0, b"plombe keystore passkey challenge v1"), "4711"), true),
        (asking(&with(1, b"short"), "4711"), true),
        (asking(&with(7, b"\xff"), "4711"), true),
        (asking(&fields(&parts[..8]), "4711"), true),
        (asking(&sound[..sound.len() - 1], "4711"), true),
        (asking(&[&sound[..], &[0; 4]].concat(), "4711"), true),
        ("purpose=devices&challenge=AAAA&state=x&port=4711".to_owned(), true),
        (String::new(), true),
    ] {
        chromium.open(&format!("{page}#{fragment}"));
        assert_eq!(chromium.run(disabled), is_off, "{fragment}");
    }
    // The page runs its own script and nobody else's.
    let injected = "const s = document.createElement('script'); s.textContent = 'window.ran = true'; \
                    document.head.append(s); return window.ran === true";
    assert_eq!(chromium.run(injected), false);
    assert_eq!(chromium.run("return location.hash"), "");
}
