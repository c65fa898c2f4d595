// SPDX-License-Identifier: LGPL-2.0-or-later
//! Requests as bytes, so that nothing is tidied on the way.

use std::{
    io::{self, Read, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use plombe_client::{DeviceKey, Session};
use plombe_core::keystore::{
    ApiProblem, DevicePublicKey, KeystoreIdentity, ProblemCode, SessionHash, SessionToken,
    dpop::ProofRequest,
    envelope::{Reply, ReplyKey, RequestBinding, seal_request},
};

/// So long a test waits before it says that the server hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody with a device key, and perhaps a session.
pub(crate) struct Caller {
    pair: EcdsaKeyPair,
    token: Option<SessionToken>,
    identity: KeystoreIdentity,
}

impl Caller {
    pub(crate) fn of(session: &Session) -> Self {
        let token = Some(session.saved().grant.token);
        Self { token, ..Self::stranger(session.device(), session.keystore().identity()) }
    }

    pub(crate) fn stranger(device: &DeviceKey, identity: &KeystoreIdentity) -> Self {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, device.to_pkcs8()).unwrap();
        Self { pair, token: None, identity: identity.clone() }
    }

    fn public(&self) -> DevicePublicKey {
        DevicePublicKey::from_sec1(self.pair.public_key().as_ref()).unwrap()
    }

    /// A request that is sound whatever is in it; `nonce` is the newest that the server gave.
    pub(crate) fn seal(&self, path: &str, plaintext: &[u8], nonce: Option<&str>) -> (Request, ReplyKey) {
        let session = self.session();
        let device = self.public().thumbprint();
        let binding = RequestBinding { method: "POST", path, device, session };
        let mut random = |bytes: &mut [u8]| aws_lc_rs::rand::fill(bytes).unwrap();
        let (body, key) = seal_request(&self.identity, &binding, plaintext, &mut random).unwrap();
        let mut request = Request::new("POST", path).header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", &format!("DPoP {}", token.expose()));
        }
        let proof = self.prove(path, &body, nonce);
        (Request { body, ..request.header("DPoP", &proof) }, key)
    }

    /// The hash of its session's value.
    pub(crate) fn session(&self) -> Option<SessionHash> {
        self.token.as_ref().map(SessionToken::hash)
    }

    /// The value of a `DPoP` header for this body.
    pub(crate) fn prove(&self, path: &str, body: &[u8], nonce: Option<&str>) -> String {
        self.prove_at(SystemTime::now(), self.session(), path, body, nonce)
    }

    /// The same of another time, or for another session.
    pub(crate) fn prove_at(
        &self,
        now: SystemTime,
        session: Option<SessionHash>,
        path: &str,
        body: &[u8],
        nonce: Option<&str>,
    ) -> String {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        let proof = ProofRequest {
            method: "POST",
            url: &self.identity.origin.url(path),
            body,
            session,
            nonce,
            now,
            id,
        };
        let input = proof.signing_input(&self.public());
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        ProofRequest::assemble(&input, signature.as_ref().try_into().unwrap())
    }

    /// Asks with a call's JSON, once more when the server wants its nonce.
    pub(crate) fn ask(&self, address: SocketAddr, path: &str, call: &str) -> Result<Reply, ProblemCode> {
        let id = uuid::Uuid::from_u128(u128::from_le_bytes({
            let mut bytes = [0; 16];
            aws_lc_rs::rand::fill(&mut bytes).unwrap();
            bytes
        }));
        let plaintext = format!("{{\"request_id\":\"{id}\",\"call\":{call}}}");
        let mut nonce = None;
        loop {
            let (request, key) = self.seal(path, plaintext.as_bytes(), nonce.as_deref());
            let answer = send(address, &request.to_bytes()).expect("it answers");
            if answer.status == 200 {
                return Ok(key.open(&answer.body).expect("it is sealed for us"));
            }
            let problem = answer.problem().expect("a refusal says why");
            let given = answer.header("dpop-nonce").map(str::to_owned);
            if problem.code == ProblemCode::NonceNeeded && given != nonce {
                nonce = given;
            } else {
                return Err(problem.code);
            }
        }
    }
}

/// One request, to be changed as a test likes.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: &'static str,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let headers = vec![("Host".to_owned(), b"keys.example.org".to_vec())];
        Self { method: method.into(), target: target.into(), version: "HTTP/1.1", headers, body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.as_bytes().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Ends the connection, and has the length of its body unless a length was given.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if !has("Content-Length")
            && !has("Transfer-Encoding")
            && (self.method == "POST" || !self.body.is_empty())
        {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What came back, all of it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case, to look for words in.
    pub(crate) head: String,
    fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Some(Self { status, head: head.to_ascii_lowercase(), fields, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn problem(&self) -> Option<ApiProblem> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Sends bytes and reads to the end. `None` when the server hangs up without a word.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    Answer::read(&exchange(address, bytes))
}

/// The same, as it came.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that has heard enough hangs up while we still talk.
    let _ = stream.write_all(bytes);
    read_all(&mut stream)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut some = [0; 8192];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&some[..count]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("the server neither answers nor hangs up: {error}"),
        }
    }
}
