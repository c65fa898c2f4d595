// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates that come in by upload and challenge mail, through a real Postfix.

mod attacks;
mod delivery;
mod others;
mod story;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::SystemTime,
};

use plombe_client::Session;
use plombe_core::{
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    keystore::calls::{login::Role, principals::CreatePrincipal},
    mail::OpenOptions,
    message::{Limits, OpenContext, SealedMessage},
};
use serde_json::{Value, json};

use crate::{directory::get, keystore::TestKeystore, postfix::Postfix, published::local, trail::whole_trail};

/// A keystore that sends challenge mails through a Postfix.
struct Stage {
    keystore: TestKeystore,
    postfix: Postfix,
    auditor: Session,
}

impl Stage {
    fn begin() -> Option<Self> {
        Self::with(&[], "")
    }

    /// With more arguments for `init` and more settings in `[mail]`.
    fn with(init: &[&str], settings: &str) -> Option<Self> {
        let postfix = Postfix::start()?;
        let mut keystore = TestKeystore::start_with(init);
        let (port, authority) = (postfix.implicit, postfix.authority().display().to_string());
        keystore.restart_with(&format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {port}\nca_file = \"{authority}\"\nfrom = \"keystore@example.org\"\n{settings}\n\
             [limits]\nlook_ups_per_minute = 100000\n"
        ));
        let mut admin = keystore.log_in(keystore.admin_code());
        let auditor = CreatePrincipal {
            name: String::new(),
            addresses: vec!["auditor@example.org".into()],
            roles: vec![Role::Auditor],
        };
        admin.call(&auditor).unwrap();
        let auditor = keystore.log_in(&keystore.code_for("auditor@example.org"));
        Some(Self { keystore, postfix, auditor })
    }

    fn upload(&self, certificate: &Certificate) -> (u16, Value) {
        post_json(&self.keystore, "/vks/v1/upload", &json!({ "keytext": certificate.to_armored() }))
    }

    fn request(&self, token: &str, addresses: &[&str]) -> (u16, Value) {
        let asked = json!({ "token": token, "addresses": addresses, "locale": ["en_US"] });
        post_json(&self.keystore, "/vks/v1/request-verify", &asked)
    }

    /// Uploads, and asks for a mail to this address.
    #[track_caller]
    fn ask_for(&self, tsk: &Tsk, address: &str) -> Value {
        let (status, uploaded) = self.upload(&tsk.certificate());
        assert_eq!(status, 200, "{uploaded}");
        let (status, asked) = self.request(uploaded["token"].as_str().unwrap(), &[address]);
        assert_eq!(status, 200, "{asked}");
        asked
    }

    /// The link in a mail that was delivered to `address` as number `count`.
    #[track_caller]
    fn link(&self, tsk: &Tsk, address: &str, count: usize) -> String {
        path_of(&text_of(tsk, &self.postfix.wait_for(address, count)))
    }

    /// All the way.
    #[track_caller]
    fn prove(&self, tsk: &Tsk, address: &str) {
        self.ask_for(tsk, address);
        let link = self.link(tsk, address, 1);
        assert_eq!(press(&self.keystore, &link), 200);
    }

    fn shown(&self, path: &str) -> Option<Certificate> {
        let answer = get(&self.keystore, path);
        (answer.status == 200).then(|| Certificate::parse(&answer.body).unwrap())
    }

    /// Waits until everything that was asked for before has been decided: requests are, one after the other.
    #[track_caller]
    fn settle(&self, number: usize) {
        let address = format!("settle{number}@example.org");
        self.ask_for(&local(&[&format!("<{address}>")]), &address);
        self.postfix.wait_for(&address, 1);
    }

    /// What the log counts of refusals with this reason, after the server has put them on record.
    fn counted(&mut self, reason: &str) -> u64 {
        self.keystore.stop_and_start();
        let entries = whole_trail(&mut self.auditor);
        let notes = entries.iter().filter(|entry| entry.action == "refused-anonymous");
        let counts = notes.filter_map(|entry| {
            entry.about.note.as_ref()?.strip_prefix(&format!("{reason}: "))?.parse::<u64>().ok()
        });
        counts.sum()
    }
}

fn exchange(keystore: &TestKeystore, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(keystore.url().trim_start_matches("http://")).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn post(keystore: &TestKeystore, path: &str, kind: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: keys.example.org\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    exchange(keystore, [head.as_bytes(), body.as_bytes()].concat().as_slice())
}

fn post_json(keystore: &TestKeystore, path: &str, body: &Value) -> (u16, Value) {
    let (status, body) = post(keystore, path, "application/json", &body.to_string());
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// The button of the page.
fn press(keystore: &TestKeystore, link: &str) -> u16 {
    post(keystore, link, "application/x-www-form-urlencoded", "").0
}

/// The text inside a challenge mail.
fn text_of(tsk: &Tsk, mail: &[u8]) -> String {
    read(tsk, mail).expect("it is sealed to this key")
}

fn read(tsk: &Tsk, mail: &[u8]) -> Option<String> {
    let (policy, now, nobody) = (CryptoPolicy::standard(), SystemTime::now(), Vec::<Certificate>::new());
    let context = OpenContext {
        signers: &nobody,
        readers: &[tsk.fingerprint()],
        policy: &policy,
        now,
        limits: Limits::default(),
        hash_content: false,
    };
    let tsks = [tsk.clone()];
    let mut key = |message: &SealedMessage<'_>| message.unwrap_session_key(&tsks, &policy, now);
    let opened = plombe_core::mail::open(mail, &mut key, &context, &OpenOptions::default()).ok()?;
    let (text, _) = opened.parts().first()?.text()?;
    Some(text)
}

/// Path of the link in the text.
fn path_of(text: &str) -> String {
    let at = text.find("/vks/confirm/").expect("a link");
    text[at..].split_whitespace().next().unwrap().to_owned()
}
