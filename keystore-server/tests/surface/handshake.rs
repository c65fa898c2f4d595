// SPDX-License-Identifier: LGPL-2.0-or-later
//! TLS that is begun and never comes to an end.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use plombe_tests::Authority;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::CertificateDer};

use crate::{
    server::Server,
    wire::{connect, read_all},
};

/// A server with TLS that waits for a second at most, and what believes it.
fn impatient() -> (Server, Arc<ClientConfig>) {
    let authority = Authority::new();
    let mut server = Server::start("", "[limits]\npatience_seconds = 1\n");
    server.serve_tls(&authority.certify(&["127.0.0.1"]));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der().to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (server, Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Reads to the end over TLS, which the server may cut short.
fn answer(stream: TcpStream, config: &Arc<ClientConfig>, request: &[u8]) -> Vec<u8> {
    let client = ClientConnection::new(Arc::clone(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let mut tls = StreamOwned::new(client, stream);
    let mut said = Vec::new();
    let _ = tls.write_all(request);
    let _ = tls.read_to_end(&mut said);
    said
}

#[test]
fn a_handshake_has_no_more_patience_than_a_request() {
    let (server, config) = impatient();
    let address = server.address();
    // A client that says nothing, one that begins a record of TLS, and one that begins to speak HTTP without it.
    let begun: [&[u8]; 3] = [b"", &[22, 3, 1, 2, 0, 1], b"GET /v1/health"];
    let mut silent: Vec<_> = begun
        .into_iter()
        .map(|words| {
            let mut stream = connect(address);
            stream.write_all(words).unwrap();
            stream
        })
        .collect();
    // Meanwhile one after the other has TLS, says nothing more, and is sent away. That is one patience each.
    for _ in 0..4 {
        assert_eq!(answer(connect(address), &config, b""), b"");
    }
    for stream in &mut silent {
        stream.set_nonblocking(true).unwrap();
        let mut rest = [0; 64];
        let ended = match stream.read(&mut rest) {
            // Half a handshake may be told off before it is ended.
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        assert!(ended, "a handshake that was begun four patiences ago is still waited for");
        stream.set_nonblocking(false).unwrap();
        read_all(stream);
    }
    let health = b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let said = answer(connect(address), &config, health);
    assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
    assert!(String::from_utf8_lossy(&said).contains("strict-transport-security"));
}
