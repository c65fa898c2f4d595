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
use plombe_core::keystore::calls::{
    devices::ConfirmDevice,
    login::DeviceState,
    passkeys::{ConfirmByPasskey, ListPasskeys, PAGE_PATH},
    session::WhoAmI,
};
use plombe_tests::{Scratch, peers};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{keystore::TestKeystore, mail::generate, trail::trail};

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

    /// What a person does with the page: looks at what it is for, and presses the button.
    fn agree(&self, url: &str) {
        self.open(url);
        let button = self.post("/element", json!({"using": "css selector", "value": "#go"}));
        let id = button.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.post(&format!("/element/{id}/click"), json!({}));
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

/// Opens each page that it is sent, and gives the browser back when nobody sends any more.
fn person(chromium: Chromium) -> (Browser, JoinHandle<Chromium>) {
    let (pages, opened) = mpsc::channel::<String>();
    let person = thread::spawn(move || {
        opened.iter().for_each(|url| chromium.agree(&url));
        chromium
    });
    (Browser::new(move |url| pages.send(url.to_owned()).unwrap()), person)
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
    let (browser, person) = person(chromium);
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

    // What is not a question of a program on this machine is not asked.
    drop((alice, laptop, phone, browser));
    let chromium = person.join().unwrap();
    let page = format!("{}{PAGE_PATH}", keystore.url().replace("127.0.0.1", "localhost"));
    let disabled = "return document.getElementById('go').disabled";
    let question = "purpose=devices&challenge=AAAA&state=x&port=";
    for (fragment, is_off) in [
        (format!("{question}4711"), false),
        (format!("{question}80"), true),
        (format!("{question}4711.evil.example"), true),
        (format!("{question}4711&purpose=constructor").replacen("purpose=devices&", "", 1), true),
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
