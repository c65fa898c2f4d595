// SPDX-License-Identifier: LGPL-2.0-or-later
//! A server that says what a test tells it to: things that a real keystore never says, and what something between it
//! and the client may do.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use plombe_core::{
    keystore::{
        ApiProblem, HpkePublicKey, Info, KeystoreIdentity, LoginMethods, Origin, ProblemCode, SessionToken,
        dpop::{Expectation, Proof, UnverifiedProof},
        envelope::{Reply, ReplyKey, RequestBinding, derive_hpke_public, open_request},
    },
    log::{KeyKind, VerifierKey},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) struct Scripted {
    pub(crate) identity: KeystoreIdentity,
    secret: [u8; 32],
    asks: Arc<Mutex<Vec<Ask>>>,
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Say {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Say {
    /// What is not sealed.
    pub(crate) fn plain(status: u16, code: ProblemCode) -> Self {
        let problem = ApiProblem::new(code, "said by the script");
        Self { status, headers: Vec::new(), body: serde_json::to_vec(&problem).unwrap() }
    }

    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }
}

/// What the keystore's key is able to do with a request.
pub(crate) struct Opened {
    pub(crate) call: Value,
    key: ReplyKey,
}

impl Opened {
    pub(crate) fn reply(self, status: u16, body: Value) -> Say {
        let reply = Reply { status, body, checkpoint: None };
        let mut next = 0u8;
        let mut random = |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(1);
                next
            });
        };
        Say { status: 200, headers: Vec::new(), body: self.key.seal(&reply, &mut random).unwrap() }
    }
}

impl Scripted {
    /// Starts a keystore with `secret` as its HPKE key. `script` gets each request but those for the info, and its number from 0;
    /// `None` drops the connection.
    pub(crate) fn start(
        secret: [u8; 32],
        script: impl Fn(&Self, usize, &Ask) -> Option<Say> + Send + 'static,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin: Origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let hpke_public = HpkePublicKey(derive_hpke_public(&secret).unwrap());
        let identity = KeystoreIdentity { origin, hpke_public, log_verifier: verifier().to_string() };
        let scripted = Arc::new(Self { identity, secret, asks: Arc::default() });
        let server = Arc::clone(&scripted);
        thread::spawn(move || {
            for stream in listener.incoming() {
                server.serve(stream.unwrap(), &script);
            }
        });
        scripted
    }

    /// What arrived, without requests for the info.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        self.asks.lock().unwrap().clone()
    }

    pub(crate) fn open(&self, ask: &Ask) -> Opened {
        let session = ask
            .headers
            .get("authorization")
            .map(|value| SessionToken::parse(value.strip_prefix("DPoP ").unwrap()).unwrap().hash());
        let binding =
            RequestBinding { method: "POST", path: &ask.path, device: signed(ask).thumbprint(), session };
        let (plaintext, key) =
            open_request(&self.secret, &self.identity.fingerprint(), &binding, &ask.body).unwrap();
        Opened { call: serde_json::from_slice(&plaintext).unwrap(), key }
    }

    /// The request's proof, checked for everything but the time.
    pub(crate) fn proof(&self, ask: &Ask, nonces: &[&str]) -> Proof {
        let proof = signed(ask);
        let session = ask
            .headers
            .get("authorization")
            .map(|value| SessionToken::parse(value.strip_prefix("DPoP ").unwrap()).unwrap().hash());
        proof
            .check(&Expectation {
                method: "POST",
                url: &self.identity.origin.url(&ask.path),
                body_hash: Sha256::digest(&ask.body).into(),
                session,
                nonces,
                now: super::now(),
                leeway: std::time::Duration::ZERO,
            })
            .unwrap();
        proof
    }

    fn serve(&self, mut stream: TcpStream, script: &impl Fn(&Self, usize, &Ask) -> Option<Say>) {
        let Some(ask) = read(&stream) else { return };
        let say = if ask.path == "/v1/info" {
            let info = Info {
                identity: self.identity.clone(),
                login: LoginMethods::default(),
                server_version: "0".into(),
                api_version: 1,
            };
            Some(Say { status: 200, headers: Vec::new(), body: serde_json::to_vec(&info).unwrap() })
        } else {
            let number = {
                let mut asks = self.asks.lock().unwrap();
                asks.push(ask.clone());
                asks.len() - 1
            };
            script(self, number, &ask)
        };
        let Some(say) = say else { return };
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n",
            say.status,
            say.body.len()
        );
        for (name, value) in &say.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        stream.write_all(&say.body).unwrap();
    }
}

fn verifier() -> VerifierKey {
    VerifierKey::of_seed("keys.example.org", KeyKind::Log, &[9; 32]).unwrap()
}

fn read(stream: &TcpStream) -> Option<Ask> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Ask { path, headers, body })
}

/// The proof that came along, with its signature checked.
fn signed(ask: &Ask) -> Proof {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    let proof = UnverifiedProof::parse(&ask.headers["dpop"]).unwrap();
    proof
        .verify(|point, message, signature| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        })
        .unwrap()
}
