// SPDX-License-Identifier: LGPL-2.0-or-later
//! Connections that say nothing, or say it slowly. Nothing here measures time: the server ends them, or the test fails when its own,
//! much longer patience is over.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::{
    server::Server,
    wire::{Request, connect, read_all, send},
};

fn is_well(address: SocketAddr) -> bool {
    send(address, &Request::new("GET", "/v1/ready").to_bytes()).is_some_and(|answer| answer.status == 200)
}

/// Writes one byte after the other until the server has had enough.
fn drip(address: SocketAddr, begin: &str, then: &str) -> Vec<u8> {
    let stream = connect(address);
    let mut writer = stream.try_clone().unwrap();
    writer.write_all(begin.as_bytes()).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in then.bytes().cycle() {
                if is_over.load(Ordering::Relaxed) || writer.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(100));
            }
        });
        let answer = read_all(&mut { stream });
        is_over.store(true, Ordering::Relaxed);
        answer
    })
}

#[test]
fn slow_headers_slow_bodies_and_silence_are_ended() {
    let server = Server::start("", "[limits]\npatience_seconds = 1\n");
    let address = server.address();
    assert_eq!(read_all(&mut connect(address)), b"", "a connection that says nothing");
    drip(address, "GET /v1/info HTTP/1.1\r\nHost: x\r\n", "X: y\r\n");
    drip(address, "GET /v1/in", "f");
    let head = "POST /v1/whoami HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for length in ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\n"] {
        let answer = String::from_utf8(drip(address, &format!("{head}{length}"), " ")).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // A connection that was good for one request and idles then.
    let mut idle = connect(address);
    idle.write_all(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(read_all(&mut idle).starts_with(b"HTTP/1.1 200"));
    // HTTP/2: the preface, and then nothing.
    let mut h2 = connect(address);
    h2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").unwrap();
    read_all(&mut h2);
    assert!(is_well(address));
}

/// Connects from another address of this machine.
fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

#[test]
fn whoever_opens_many_connections_leaves_room_for_others() {
    let server = Server::start(
        "",
        "[limits]\nconnections_per_address = 16\nconnections = 64\npatience_seconds = 60\n",
    );
    let address = server.address();
    let mallory = [127, 0, 0, 2];
    let held: Vec<_> = (0..16).map(|_| connect_from(mallory, address)).collect();
    // One of his connections shows that they have arrived; each more is closed before it is read.
    let mut spoken = held[15].try_clone().unwrap();
    spoken.write_all(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut byte = [0];
    spoken.read_exact(&mut byte).unwrap();
    for _ in 0..48 {
        let mut more = connect_from(mallory, address);
        let _ = more.write_all(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(read_all(&mut more), b"");
    }
    assert!(is_well(address));
    drop((held, spoken));
}

#[test]
fn half_open_connections_in_their_hundreds_cost_nothing_that_lasts() {
    let server = Server::start(
        "",
        "[limits]\nconnections = 256\nconnections_per_address = 200\npatience_seconds = 1\n",
    );
    let address = server.address();
    let before = server.memory();
    for _ in 0..3 {
        let crowd: Vec<_> = (0..300)
            .map(|i| {
                let mut stream = connect_from([127, 0, 0, 2], address);
                let _ = stream.write_all(if i % 2 == 0 { b"POST /v1/whoami HTTP/1.1\r\n" } else { b"" });
                stream
            })
            .collect();
        assert!(is_well(address));
        crowd.into_iter().for_each(|mut stream| _ = read_all(&mut stream));
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB");
    assert!(is_well(address));
}
