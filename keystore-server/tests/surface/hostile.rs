// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tricks with paths, methods, headers and lengths. Each gets a plain no, in the API's own words.

use plombe_core::keystore::ProblemCode;

use crate::{
    server::Server,
    wire::{Answer, Caller, Request, exchange, send},
};

const WHOAMI: &str = "/v1/whoami";

fn ask(server: &Server, request: &Request) -> Answer {
    send(server.address(), &request.to_bytes()).expect("it answers")
}

fn no(answer: &Answer, status: u16, code: ProblemCode) -> bool {
    answer.status == status && answer.problem().is_some_and(|problem| problem.code == code)
}

/// A sound request to `/v1/whoami`, whose answer would be sealed.
fn sound(server: &Server) -> Request {
    let admin = server.admin();
    let nonce = ask(server, &Request::new("POST", WHOAMI).header("Content-Type", "application/json"));
    let nonce = nonce.header("dpop-nonce").unwrap().to_owned();
    let call = br#"{"request_id":"0f8fad5b-d9cb-469f-a165-70867728950e","call":{}}"#;
    Caller::of(&admin).seal(WHOAMI, call, Some(&nonce)).0
}

#[test]
fn paths_that_are_almost_right_lead_nowhere() {
    let server = Server::start("", "");
    let sound = sound(&server);
    for target in [
        "//v1/whoami",
        "/v1//whoami",
        "/v1/whoami/",
        "/v1/whoami.",
        "/v1/whoami%20",
        "/v1/whoami;a=b",
        "/V1/whoami",
        "/v1/WHOAMI",
        "/v1/../v1/whoami",
        "/v1/./whoami",
        "/%76%31/whoami",
        "/v1/%77hoami",
        "/v1%2fwhoami",
        "/v1/%2e%2e/v1/whoami",
        "/v1/whoami%00",
        "/v1/whoami/..",
        "/v1/keys/%2e%2e/whoami",
        "/v1\\whoami",
        "/",
        "/v2/whoami",
        "/v1/log/tile/0/../../../whoami",
    ] {
        let answer = ask(&server, &Request { target: target.into(), ..sound.clone() });
        let refused = no(&answer, 404, ProblemCode::NoSuchEndpoint)
            || no(&answer, 405, ProblemCode::NoSuchEndpoint)
            || answer.status == 400;
        assert!(refused, "{target}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    // And this is what they are almost.
    assert_eq!(ask(&server, &sound).status, 200);
}

#[test]
fn only_the_method_of_the_endpoint_is_served() {
    let server = Server::start("", "");
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "HEAD", "post", "X"] {
        let answer = ask(&server, &Request::new(method, WHOAMI));
        assert!((400..=405).contains(&answer.status), "{method}: {}", answer.status);
        for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
            let answer = ask(&server, &Request::new(method, WHOAMI).header(name, "POST"));
            assert!((400..=405).contains(&answer.status), "{method} {name}: {}", answer.status);
        }
    }
    let answer = ask(&server, &Request::new("GET", WHOAMI));
    assert!(no(&answer, 405, ProblemCode::NoSuchEndpoint));
    assert_eq!(answer.header("allow"), Some("POST"));
    assert!(no(&ask(&server, &Request::new("POST", "/v1/info")), 405, ProblemCode::NoSuchEndpoint));
}

#[test]
fn what_is_there_twice_or_not_at_all_is_refused() {
    let server = Server::start("", "");
    let sound = sound(&server);
    let header = |name: &str| {
        let (_, value) = sound.headers.iter().find(|(other, _)| other == name).unwrap();
        String::from_utf8(value.clone()).unwrap()
    };
    let (session, proof) = (header("Authorization"), header("DPoP"));
    for (request, code) in [
        (sound.clone().without("DPoP"), ProblemCode::ProofInvalid),
        (sound.clone().header("DPoP", &proof), ProblemCode::ProofInvalid),
        (
            sound.clone().without("DPoP").header("DPoP", &format!("{proof},{proof}")),
            ProblemCode::ProofInvalid,
        ),
        (sound.clone().without("Authorization"), ProblemCode::ProofInvalid),
        (sound.clone().header("Authorization", &session), ProblemCode::NotLoggedIn),
        (
            sound
                .clone()
                .without("Authorization")
                .header("Authorization", &session.replace("DPoP", "Bearer")),
            ProblemCode::NotLoggedIn,
        ),
        (
            sound.clone().without("Authorization").header("Authorization", &format!("{session} ")),
            ProblemCode::ProofInvalid,
        ),
        (
            sound.clone().without("Authorization").header("Authorization", &format!("{session}, x")),
            ProblemCode::NotLoggedIn,
        ),
        (sound.clone().without("Content-Type"), ProblemCode::Malformed),
        (sound.clone().without("Content-Type").header("Content-Type", "text/plain"), ProblemCode::Malformed),
        (
            sound.clone().without("Content-Type").header("Content-Type", "application/x-www-form-urlencoded"),
            ProblemCode::Malformed,
        ),
        (Request { body: Vec::new(), ..sound.clone() }, ProblemCode::ProofInvalid),
        (Request { body: [&sound.body[..], b" "].concat(), ..sound.clone() }, ProblemCode::ProofInvalid),
    ] {
        let answer = ask(&server, &request);
        // White space at the end of a field is not part of it.
        let padded = answer.status == 200 && code == ProblemCode::ProofInvalid && request.body == sound.body;
        let told = answer.problem().map(|problem| problem.code);
        assert!(padded || told == Some(code), "{told:?} and not {code:?}: {}", answer.head);
        if padded {
            assert!(request.headers.iter().any(|(_, value)| value.ends_with(b" ")));
        }
    }
}

#[test]
fn two_lengths_make_no_second_request() {
    let server = Server::start("", "");
    let smuggled = "GET /v1/info HTTP/1.1\r\nHost: x\r\n\r\n";
    for lengths in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 0\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity, chunked, identity\r\n",
    ] {
        let request = format!("POST {WHOAMI} HTTP/1.1\r\nHost: x\r\n{lengths}\r\n0\r\n\r\n{smuggled}");
        let bytes = exchange(server.address(), request.as_bytes());
        let answers = String::from_utf8_lossy(&bytes).matches("HTTP/1.").count();
        assert!(answers <= 1, "{lengths}: {answers} answers");
        let status = Answer::read(&bytes).map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{lengths}: {status:?}");
    }
    for spoilt in [
        format!("POST {WHOAMI} HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n{smuggled}"),
        "GET /v1/info HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n".to_owned(),
        "GET /v1/info HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(),
        "GET /v1/info HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
    ] {
        let bytes = exchange(server.address(), spoilt.as_bytes());
        let status = Answer::read(&bytes).map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..=505).contains(&status)), "{spoilt:?}: {status:?}");
    }
}

#[test]
fn more_than_the_keystore_takes_is_refused_before_it_is_read() {
    let server = Server::start("", "");
    let before = server.memory();
    let request = Request::new("POST", WHOAMI).header("Content-Type", "application/json");
    let declared = ask(&server, &request.clone().header("Content-Length", "1073741824"));
    assert!(no(&declared, 413, ProblemCode::TooLarge), "{}", declared.status);

    // Chunk after chunk, without ever saying how much it will be.
    let head = request.header("Transfer-Encoding", "chunked").to_bytes();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let endless = [head, chunk.repeat(64)].concat();
    let answer = send(server.address(), &endless);
    assert!(answer.is_none_or(|answer| no(&answer, 413, ProblemCode::TooLarge)));

    for headers in [vec![("X".to_owned(), vec![b'a'; 100_000])], vec![("X".to_owned(), b"y".to_vec()); 200]] {
        let mut request = Request::new("GET", "/v1/info");
        request.headers.extend(headers);
        let answer = send(server.address(), &request.to_bytes());
        assert!(answer.is_none_or(|answer| answer.status == 431));
    }
    let long = format!("/v1/{}", "a".repeat(100_000));
    let answer = send(server.address(), &Request::new("GET", &long).to_bytes());
    assert!(answer.is_none_or(|answer| matches!(answer.status, 414 | 431)));
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    assert_eq!(ask(&server, &Request::new("GET", "/v1/health")).status, 200);
}

#[test]
fn pages_of_others_get_nothing_from_the_api() {
    let server = Server::start("", "");
    for path in [WHOAMI, "/v1/info", "/v1/login/code", "/v1/log/checkpoint", "/v1/nothing"] {
        for method in ["OPTIONS", "GET", "POST"] {
            let request = Request::new(method, path)
                .header("Origin", "https://evil.example")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization, dpop, content-type");
            let answer = ask(&server, &request);
            assert!(!answer.head.contains("access-control-"), "{method} {path}: {}", answer.head);
            assert!(method != "OPTIONS" || answer.status >= 400, "{path}");
        }
    }
}

#[test]
fn every_answer_is_hardened_and_says_nothing_of_the_program() {
    let server = Server::start("", "");
    let sound = sound(&server);
    let mut ids = std::collections::HashSet::new();
    for request in [
        sound.clone(),
        sound.without("DPoP"),
        Request::new("GET", "/v1/info"),
        Request::new("GET", "/v1/openapi.json"),
        Request::new("GET", "/v1/health"),
        Request::new("GET", "/v1/ready"),
        Request::new("GET", "/v1/log/checkpoint"),
        Request::new("GET", "/v1/log/proof/x/y"),
        Request::new("GET", "/v1/log/tile/0/999"),
        Request::new("GET", "/nothing"),
        Request::new("DELETE", WHOAMI),
        Request::new("GET", "/pks/lookup?op=get&search=x"),
    ] {
        let answer = ask(&server, &request);
        let target = &request.target;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{target}");
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none(), "{target}");
        let is_private = !target.starts_with("/pks");
        assert!(!is_private || answer.header("cache-control") == Some("no-store"), "{target}");
        assert!(ids.insert(answer.header("x-request-id").expect("an id").to_owned()), "{target}");
    }
    // A sealed request names itself.
    assert!(ids.contains("0f8fad5b-d9cb-469f-a165-70867728950e"));
}

#[test]
fn other_ways_to_write_a_request_are_the_same_request() {
    let server = Server::start("", "");
    for (target, version, host) in [
        ("/v1/info", "HTTP/1.0", "keys.example.org"),
        ("http://evil.example/v1/info", "HTTP/1.1", "keys.example.org"),
        ("/v1/info", "HTTP/1.1", "evil.example"),
        ("/v1/info?x=/v1/whoami", "HTTP/1.1", "keys.example.org:99999"),
    ] {
        let mut request = Request { version, ..Request::new("GET", target) };
        request = request.without("Host").header("Host", host);
        let answer = ask(&server, &request);
        assert_eq!(answer.status, 200, "{target} {host}");
        // Where it is, its configuration says, and nobody who asks.
        assert!(!String::from_utf8_lossy(&answer.body).contains("evil"), "{target} {host}");
    }
}
