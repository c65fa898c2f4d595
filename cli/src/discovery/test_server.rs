// SPDX-License-Identifier: LGPL-2.0-or-later
//! A real HTTPS server on this machine, for as many host names as a test wants.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use ureq::tls::{Certificate, RootCerts};

use super::{names::tests::Table, web::WebClient};

/// What the server saw: method and path, host, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) host: String,
    pub(super) body: Vec<u8>,
}

/// Status, extra header lines, body.
pub(super) type Reply = (u16, String, Vec<u8>);

/// Runs until the test process ends.
pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) requests: Arc<Mutex<Vec<Request>>>,
    certificate: Vec<u8>,
}

impl TestServer {
    /// Serves `hosts`, and answers as `reply` says.
    pub(super) fn start(hosts: &[&str], reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(hosts).unwrap();
        let certificate = made.cert.der().to_vec();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate.clone())], key)
            .unwrap();
        let (tls, reply) = (Arc::new(tls), Arc::new(reply));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, reply, seen) = (tls.clone(), reply.clone(), seen.clone());
                // A client that hangs up (wrong certificate, too large an answer) is part of the tests.
                thread::spawn(move || drop(answer(stream.unwrap(), tls, &*reply, &seen)));
            }
        });
        Self { address, requests, certificate }
    }

    /// A client that knows these names, all of them this server's, may connect to them, and trusts the server.
    pub(super) fn client(&self, hosts: &[&str]) -> WebClient {
        let allow: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        self.client_allowing(hosts, &allow)
    }

    pub(super) fn client_allowing(&self, hosts: &[&str], allow_private: &[String]) -> WebClient {
        let table = hosts.iter().fold(Table::default(), |table, host| table.with(host, self.address));
        let roots = RootCerts::new_with_certs(&[Certificate::from_der(&self.certificate).to_owned()]);
        WebClient::with(Arc::new(table), allow_private, roots)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }
}

fn answer(
    tcp: TcpStream,
    tls: Arc<ServerConfig>,
    reply: &dyn Fn(&Request) -> Reply,
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, tcp);
    let request = read_request(&mut stream)?;
    seen.lock().unwrap().push(request.clone());
    let (status, headers, body) = reply(&request);
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)?;
    stream.flush()?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn read_request(stream: &mut impl Read) -> std::io::Result<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Request { line, host: header("host").unwrap_or_default(), body })
}
