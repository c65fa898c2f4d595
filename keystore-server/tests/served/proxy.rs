// SPDX-License-Identifier: LGPL-2.0-or-later
//! A proxy that terminates TLS sees what a reverse proxy in front of the keystore sees: whole HTTP messages. This one stands
//! between the real client and the real server, with a certificate that the client believes, keeps everything, and changes what a test
//! tells it to.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use axum_server::tls_rustls::RustlsConfig;
use plombe_client::{Keystore, Options};
use plombe_core::keystore::KeystoreIdentity;
use plombe_tests::Authority;
use tokio::runtime::Runtime;

use crate::keystore::TestKeystore;

/// A request on its way to the keystore.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// An answer on its way back.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

type OnRequest = Box<dyn FnMut(&mut Asked) + Send>;
type OnAnswer = Box<dyn FnMut(&Asked, &mut Answered) + Send>;

/// What it has seen, and what it does.
struct Script {
    seen: Vec<(Asked, Answered)>,
    on_request: OnRequest,
    on_answer: OnAnswer,
    /// Sends each request so many times.
    times: usize,
}

/// In front of a keystore, under the address that clients know.
pub(crate) struct Proxy {
    pub(crate) keystore: TestKeystore,
    url: String,
    script: Arc<Mutex<Script>>,
    upstream: String,
    authority: Authority,
    runtime: Runtime,
}

impl Proxy {
    pub(crate) fn begin() -> Self {
        // Another test of this process may have done it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        // By a name: no passkey is bound to an address.
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let mut keystore = TestKeystore::start();
        keystore.restart_with_first(&format!("origin = \"{url}\"\n"));
        let script = Script {
            seen: Vec::new(),
            on_request: Box::new(|_| {}),
            on_answer: Box::new(|_, _| {}),
            times: 1,
        };
        let script = Arc::new(Mutex::new(script));
        let upstream = keystore.upstream().to_owned();
        let state = (Arc::clone(&script), upstream.clone());
        let router = Router::new().fallback(pass).with_state(state);
        let authority = Authority::new();
        let shown = authority.certify(&["localhost"]);
        runtime.spawn(async move {
            let tls = RustlsConfig::from_pem(shown.certificate.into(), shown.key.into()).await.unwrap();
            let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
            server.serve(router.into_make_service()).await.unwrap();
        });
        Self { keystore, url, script, upstream, authority, runtime }
    }

    /// A client that knows the keystore under the proxy's address.
    pub(crate) fn client(&self) -> Keystore {
        self.try_client(None).unwrap()
    }

    /// One that sends a request again when its answer does not arrive.
    pub(crate) fn patient_client(&self) -> Keystore {
        Keystore::connect(&self.url, None, self.options()).unwrap()
    }

    /// Of a client that believes whom the proxy got its certificate from.
    fn options(&self) -> Options {
        let certificate_authorities = vec![self.authority.der().to_vec()];
        Options { certificate_authorities, ..Options::new(SystemTime::now) }
    }

    pub(crate) fn try_client(
        &self,
        pin: Option<&KeystoreIdentity>,
    ) -> Result<Keystore, plombe_client::ClientError> {
        let options = Options { attempts: 1, ..self.options() };
        Keystore::connect(&self.url, pin, options)
    }

    pub(crate) fn on_request(&self, tamper: impl FnMut(&mut Asked) + Send + 'static) {
        self.script().on_request = Box::new(tamper);
    }

    pub(crate) fn on_answer(&self, tamper: impl FnMut(&Asked, &mut Answered) + Send + 'static) {
        self.script().on_answer = Box::new(tamper);
    }

    pub(crate) fn send_each(&self, times: usize) {
        self.script().times = times;
    }

    /// Changes nothing any more.
    pub(crate) fn behave(&self) {
        self.on_request(|_| {});
        self.on_answer(|_, _| {});
        self.send_each(1);
    }

    /// Everything that went through, as it was sent and as it was answered.
    pub(crate) fn seen(&self) -> Vec<(Asked, Answered)> {
        self.script().seen.clone()
    }

    /// Asks the keystore in its own name.
    pub(crate) fn ask(&self, asked: &Asked) -> Answered {
        self.runtime.block_on(forward(&self.upstream, asked))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }
}

async fn pass(
    State((script, upstream)): State<(Arc<Mutex<Script>>, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut asked = Asked { path: uri.path().to_owned(), headers, body: body.to_vec() };
    let times = {
        let mut script = script.lock().unwrap();
        (script.on_request)(&mut asked);
        script.times
    };
    let mut answered = forward(&upstream, &asked).await;
    for _ in 1..times {
        answered = forward(&upstream, &asked).await;
    }
    let mut script = script.lock().unwrap();
    script.seen.push((asked.clone(), answered.clone()));
    (script.on_answer)(&asked, &mut answered);
    let mut response = (StatusCode::from_u16(answered.status).unwrap(), answered.body).into_response();
    response.headers_mut().extend(answered.headers);
    response
}

async fn forward(upstream: &str, asked: &Asked) -> Answered {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{upstream}{}", asked.path);
    let mut headers = asked.headers.clone();
    for own in ["host", "content-length", "accept-encoding"] {
        headers.remove(own);
    }
    let request =
        if asked.body.is_empty() { client.get(url) } else { client.post(url).body(asked.body.clone()) };
    let answer = request.headers(headers).send().await.unwrap();
    let status = answer.status().as_u16();
    let mut headers = HeaderMap::new();
    headers.extend(
        answer
            .headers()
            .get("dpop-nonce")
            .map(|nonce| (axum::http::HeaderName::from_static("dpop-nonce"), nonce.clone())),
    );
    Answered { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}
