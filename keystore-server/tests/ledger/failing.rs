// SPDX-License-Identifier: LGPL-2.0-or-later
//! The writer fails in a way that nobody thought of.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use plombe_core::crypto_policy::CryptoPolicy;
use plombe_keystore::{
    access_policy::{Action, Refusal},
    admin,
    app::{App, Parts, Passkeys, Times},
    connections::Connections,
    custody::Vault,
    identity::{Nonces, passkey::Tickets},
    instance::by_server,
    known_checkpoints::KnownCheckpoints,
    ledger::{Act, AskError, Effects, Scene},
    limits::{Limits, LimitsConfig},
    metrics::Metrics,
    proxies::TrustedProxies,
    refusals::Refusals,
};

use crate::stage::{Put, Server, Stage};

/// A mistake in the program.
struct Mistake;

impl Act for Mistake {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        panic!("a mistake, for a test")
    }
}

async fn app(stage: &Stage, server: &Server) -> App {
    let store = stage.store(false).await;
    App::new(Parts {
        vault: Vault::new(Arc::clone(&store), Arc::clone(&server.keychain)),
        ledger: server.ledger.clone(),
        known_checkpoints: KnownCheckpoints::default(),
        store,
        oidc: None,
        challenges: None,
        passkeys: Passkeys {
            relying_party: None,
            tickets: Tickets::new(&zeroize::Zeroizing::new([7; 32])),
            admins_need_them: false,
        },
        nonces: Nonces::new(&[7; 32]),
        limits: Limits::default(),
        connections: Connections::new(&LimitsConfig::default(), TrustedProxies::default()),
        metrics: Metrics::default(),
        refusals: Refusals::default(),
        times: Times::default(),
        policy: CryptoPolicy::standard(),
        clock: stage.clock(),
        keychain: Arc::clone(&server.keychain),
    })
}

/// The first line, and the body.
fn ready(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /v1/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_writer_has_failed_is_not_ready_permits_nothing_and_ends() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&stage, &server).await;
    let running = tokio::spawn(admin::run(app, listener, None, None));
    let asked = tokio::task::spawn_blocking(move || ready(address)).await.unwrap();
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
    // A request that is under way keeps a stopping server for a while: long enough to ask it.
    let mut under_way = TcpStream::connect(address).unwrap();
    under_way.write_all(b"GET /v1/ready HTTP/1.1\r\nHost: x\r\n").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;

    assert!(matches!(server.ledger.ask(by_server(Mistake)).await, Err(AskError::Unavailable)));
    server.ledger.ended().await;
    assert!(!server.ledger.is_running());
    let told = server.ledger.ask(by_server(Put(Vec::new()))).await;
    assert!(matches!(told, Err(AskError::Unavailable)));
    under_way.write_all(b"\r\n").unwrap();
    let asked = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        under_way.read_to_string(&mut answer).map(|_| answer).unwrap()
    });
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("HTTP/1.1 503") && asked.contains("has failed"), "{asked}");
    let ended = running.await.unwrap().unwrap_err().to_string();
    assert!(ended.contains("has failed"), "{ended}");

    // What another process finds is whole.
    let again = stage.server().await;
    again.ledger.ask(by_server(Put(Vec::new()))).await.unwrap();
}
