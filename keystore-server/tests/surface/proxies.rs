// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whose limit a request uses up, behind a proxy and without one.

use plombe_client::DeviceKey;

use crate::{
    server::Server,
    wire::{Answer, Caller, Request, send},
};

/// Tries to log in, from wherever the header says; gives the status.
fn log_in(server: &Server, header: &str, from: &str) -> u16 {
    let stranger = Caller::stranger(&DeviceKey::generate(), server.client().identity());
    let (request, _) = stranger.seal("/v1/login/code", b"{}", None);
    ask(server, &request.header(header, from)).status
}

fn ask(server: &Server, request: &Request) -> Answer {
    send(server.address(), &request.to_bytes()).expect("it answers")
}

const FEW: &str = "[limits]\nlog_ins_per_minute = 3\nlook_ups_per_minute = 3\nlog_reads_per_minute = 3\n";

#[test]
fn a_forged_header_from_nobody_in_particular_buys_no_more_attempts() {
    let server = Server::start("", FEW);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        let statuses: Vec<_> =
            (0..4).map(|i| log_in(&server, header, &format!("for=192.0.2.{i}, 192.0.2.{i}"))).collect();
        assert!(statuses.contains(&429), "{header}: {statuses:?}");
    }
}

#[test]
fn behind_a_trusted_proxy_everybody_has_a_limit_of_their_own() {
    let server = Server::start("trusted_proxies = [\"127.0.0.1\"]", FEW);
    let xff = "X-Forwarded-For";
    // Mallory writes what he likes; what the proxy adds stands last.
    let mallory: Vec<_> =
        (0..4).map(|i| log_in(&server, xff, &format!("192.0.2.{i}, 198.51.100.66"))).collect();
    assert!(!mallory[..3].contains(&429) && mallory[3] == 429, "{mallory:?}");
    assert_ne!(log_in(&server, xff, "203.0.113.5"), 429, "somebody else");
    // The other header is not the one that this proxy writes.
    let other: Vec<_> = (0..4).map(|i| log_in(&server, "Forwarded", &format!("for=192.0.2.{i}"))).collect();
    assert_eq!(other[3], 429, "{other:?}");
}

#[test]
fn the_public_log_and_the_directory_are_read_within_limits() {
    let server = Server::start("trusted_proxies = [\"127.0.0.1\"]", FEW);
    for paths in [
        ["/v1/log/checkpoint", "/v1/log/proof/1/2", "/v1/log/tile/0/000.p/1", "/v1/log/proof/0/1"],
        [
            "/pks/lookup?op=get&search=x",
            "/vks/v1/by-keyid/0",
            "/.well-known/openpgpkey/policy",
            "/pks/lookup",
        ],
    ] {
        for from in ["192.0.2.7", "192.0.2.8"] {
            let answers: Vec<_> = paths
                .iter()
                .map(|path| ask(&server, &Request::new("GET", path).header("X-Forwarded-For", from)))
                .collect();
            assert!(answers[..3].iter().all(|answer| answer.status != 429), "{paths:?}");
            assert_eq!(answers[3].status, 429, "{paths:?}");
            assert_eq!(answers[3].header("retry-after"), Some("60"));
        }
    }
}
