// SPDX-License-Identifier: LGPL-2.0-or-later
//! The same server over HTTP/2: as hard, as bounded, as patient.

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{self, HeaderMap},
};
use h2::{
    Reason,
    client::{SendRequest, handshake},
};
use plombe_core::keystore::{ApiProblem, ProblemCode};
use tokio::{net::TcpStream, runtime::Runtime, time::timeout};

use crate::{
    server::Server,
    wire::{Caller, Request, connect, send},
};

const WHOAMI: &str = "/v1/whoami";
/// So long a test waits before it says that the server hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back, all of it; or for which reason the stream was ended.
type Came = Result<(u16, HeaderMap, Vec<u8>), Reason>;

async fn client(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

fn to_http2(request: &Request) -> http::Request<()> {
    let mut built = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("http://keys.example.org{}", request.target));
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "Host") {
        built = built.header(name, value.as_slice());
    }
    built.body(()).unwrap()
}

/// Sends a request whose body comes in these pieces, one after the other, for as long as the server listens.
async fn exchange(address: SocketAddr, request: &Request, pieces: Vec<Bytes>, pause: Duration) -> Came {
    let mut client = client(address).await.ready().await.unwrap();
    let (answer, mut body) = client.send_request(to_http2(request), false).unwrap();
    let sending = tokio::spawn(async move {
        for piece in pieces {
            body.reserve_capacity(piece.len());
            while body.capacity() < piece.len() {
                match std::future::poll_fn(|context| body.poll_capacity(context)).await {
                    Some(Ok(_)) => {}
                    _ => return,
                }
            }
            if body.send_data(piece, false).is_err() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        let _ = body.send_data(Bytes::new(), true);
    });
    let came = timeout(PATIENCE, read(answer)).await.expect("the server neither answers nor hangs up");
    sending.abort();
    came
}

async fn read(answer: h2::client::ResponseFuture) -> Came {
    let ended = |error: h2::Error| error.reason().unwrap_or(Reason::INTERNAL_ERROR);
    let (about, mut body) = answer.await.map_err(ended)?.into_parts();
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let Ok(data) = data else { break };
        let _ = body.flow_control().release_capacity(data.len());
        all.extend_from_slice(&data);
    }
    Ok((about.status.as_u16(), about.headers, all))
}

fn code(body: &[u8]) -> Option<ProblemCode> {
    serde_json::from_slice::<ApiProblem>(body).ok().map(|problem| problem.code)
}

#[test]
fn answers_over_http2_are_as_hard_as_over_http1() {
    let server = Server::start("", "");
    let address = server.address();
    let caller = Caller::of(&server.admin());
    let begin = Request::new("POST", WHOAMI).header("Content-Type", "application/json");
    let nonce = send(address, &begin.to_bytes()).unwrap().header("dpop-nonce").unwrap().to_owned();
    let runtime = Runtime::new().unwrap();
    let call = |id: &str| format!("{{\"request_id\":\"{id}\",\"call\":{{}}}}");
    let (sound, key) =
        caller.seal(WHOAMI, call("0f8fad5b-d9cb-469f-a165-70867728950e").as_bytes(), Some(&nonce));
    let exchange = |request: &Request| {
        let body = Bytes::from(request.body.clone());
        runtime.block_on(exchange(address, request, vec![body], Duration::ZERO)).expect("it is answered")
    };
    let (status, headers, body) = exchange(&sound);
    assert_eq!(
        (status, headers["x-request-id"].to_str().unwrap()),
        (200, "0f8fad5b-d9cb-469f-a165-70867728950e")
    );
    assert_eq!(key.open(&body).expect("it is sealed for us").status, 200);
    assert!(headers.contains_key("dpop-nonce"));
    for request in [
        Request::new("GET", "/v1/info"),
        Request::new("GET", "/v1/log/checkpoint"),
        Request::new("GET", "/nothing"),
        Request::new("DELETE", WHOAMI),
        Request::new("POST", WHOAMI),
        Request::new("GET", "/pks/lookup?op=get&search=x"),
    ] {
        let (status, new, body) = exchange(&request);
        let old = send(address, &request.to_bytes()).expect("it answers");
        let target = &request.target;
        assert_eq!(
            (status, code(&body)),
            (old.status, old.problem().map(|problem| problem.code)),
            "{target}"
        );
        for name in [
            "x-content-type-options",
            "cache-control",
            "content-security-policy",
            "referrer-policy",
            "x-frame-options",
            "server",
        ] {
            let value = new.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(value, old.header(name), "{target}: {name}");
        }
        assert!(new.contains_key("x-frame-options") && new.contains_key("x-request-id"), "{target}");
    }
}

#[test]
fn more_than_the_keystore_takes_is_refused_over_http2() {
    let server = Server::start("", "");
    let before = server.memory();
    let runtime = Runtime::new().unwrap();
    let request = Request::new("POST", WHOAMI).header("Content-Type", "application/json");
    // What says beforehand how much it is gets its answer, always: it waits for it.
    let declared = request.clone().header("Content-Length", "1073741824");
    let begin = vec![Bytes::from_static(b"{"); 2];
    let (status, _, body) = runtime.block_on(exchange(server.address(), &declared, begin, PATIENCE)).unwrap();
    assert_eq!((status, code(&body)), (413, Some(ProblemCode::TooLarge)));
    // What does not say, and goes on and on, is answered, or its stream ended.
    let pieces = vec![Bytes::from(vec![b' '; 16 << 10]); 512];
    match runtime.block_on(exchange(server.address(), &request, pieces, Duration::ZERO)) {
        Ok((status, _, body)) => assert_eq!((status, code(&body)), (413, Some(ProblemCode::TooLarge))),
        Err(reason) => assert_ne!(reason, Reason::INTERNAL_ERROR),
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    assert_eq!(send(server.address(), &Request::new("GET", "/v1/health").to_bytes()).unwrap().status, 200);
}

#[test]
fn a_body_that_drips_over_http2_is_not_waited_for() {
    let server = Server::start("", "[limits]\npatience_seconds = 1\n");
    let request = Request::new("POST", WHOAMI).header("Content-Type", "application/json");
    let drops = vec![Bytes::from_static(b" "); 10_000];
    let runtime = Runtime::new().unwrap();
    let came = runtime.block_on(exchange(server.address(), &request, drops, Duration::from_millis(100)));
    if let Ok((status, _, body)) = came {
        assert_eq!((status, code(&body)), (408, Some(ProblemCode::TooSlow)));
    }
    assert_eq!(send(server.address(), &Request::new("GET", "/v1/health").to_bytes()).unwrap().status, 200);
}

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn one_connection_has_sixty_four_streams_and_not_one_more() {
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    const END_HEADERS: u8 = 4;
    let server = Server::start("", "[limits]\npatience_seconds = 60\n");
    let mut stream = connect(server.address());
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, b""));
    // `POST` and `http` from the static table, path and authority as they are; none of them ever gets its body.
    let head = [&[0x83, 0x86, 0x04, 10][..], WHOAMI.as_bytes(), &[0x41, 1], b"x"].concat();
    for i in 0..80 {
        sent.extend(frame(HEADERS, END_HEADERS, 2 * i + 1, &head));
    }
    stream.write_all(&sent).unwrap();
    let mut refused = std::collections::BTreeSet::new();
    // The last sixteen; what the first sixty-four get, and when, is another matter.
    while refused.len() < 16 {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            break;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).unwrap();
        let id = u32::from_be_bytes(head[5..9].try_into().unwrap());
        match head[3] {
            RESET => assert!(refused.insert(id) && id > 128, "{id} was refused"),
            GO_AWAY => break,
            SETTINGS => assert!(
                payload.is_empty() || payload.chunks(6).any(|one| one == [0, 3, 0, 0, 0, 64]),
                "it does not say how many streams there may be"
            ),
            _ => {}
        }
    }
    assert!(refused.is_empty() || refused.first() == Some(&129), "{refused:?}");
    assert_eq!(send(server.address(), &Request::new("GET", "/v1/health").to_bytes()).unwrap().status, 200);
}
