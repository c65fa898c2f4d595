// SPDX-License-Identifier: LGPL-2.0-or-later
//! Thousands of requests that are almost right. Each is answered with a documented problem, or sealed to who asked; none of them
//! brings the server down, makes it fail, or makes it grow.

use std::{net::SocketAddr, thread};

use plombe_client::DeviceKey;
use plombe_core::keystore::{ApiProblem, ProblemCode, calls};

use crate::{
    server::Server,
    wire::{Caller, Request, send},
};

/// Of each of the two threads.
const REQUESTS: usize = 1500;

/// SplitMix64: the same requests each time, so that a failure can be looked at.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    /// A flipped bit, a cut, a doubled part, other bytes.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        let at = self.roll(bytes.len().max(1));
        match self.roll(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.roll(8),
            1 => bytes.truncate(at),
            2 => bytes.extend_from_within(at..),
            3 => {
                let word = *self.pick(&WORDS);
                bytes.splice(at..at, word.bytes());
            }
            4 if !bytes.is_empty() => bytes[at] = u8::try_from(self.roll(256)).unwrap(),
            5 => bytes.drain(at..(at + self.roll(16)).min(bytes.len())).for_each(drop),
            _ => {
                let length = self.roll(64);
                *bytes = (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect();
            }
        }
    }
}

const WORDS: [&str; 20] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "-1",
    "1e999",
    "18446744073709551616",
    "\u{0}",
    "\u{feff}",
    "\"\\ud800\"",
    "true",
    "{\"v\":1",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\"v\":2,",
    "\"call\":{},",
    "%00",
    "..",
    "🔑",
    ".",
    "=",
];

/// Calls of every kind, sound in form.
const CALLS: [(&str, &str); 14] = [
    ("/v1/whoami", "{}"),
    ("/v1/keys/list", "{}"),
    ("/v1/devices/list", "{\"principal\":\"0f8fad5b-d9cb-469f-a165-70867728950e\"}"),
    ("/v1/audit/entries", "{\"scope\":\"mine\",\"after\":1,\"limit\":3}"),
    ("/v1/audit/consistency", "{\"old_size\":1,\"new_size\":2}"),
    ("/v1/principals/list", "{\"address\":\"alice@example.org\"}"),
    ("/v1/principals/create", "{\"name\":\"x\",\"addresses\":[\"x@example.com\"],\"roles\":[\"user\"]}"),
    ("/v1/keys/generate", "{\"user_ids\":[\"<x@example.com>\"],\"profile\":\"rfc4880\"}"),
    (
        "/v1/keys/unwrap",
        "{\"key\":\"C4BC2DDB38CCE96485EBE9C2F20691179038E5C6\",\"pkesk\":\"hQEMA8\",\"context\":{\"purpose\":\"other\"}}",
    ),
    (
        "/v1/keys/sign",
        "{\"key\":\"C4BC2DDB38CCE96485EBE9C2F20691179038E5C6\",\"subkey\":\"C4BC2DDB38CCE96485EBE9C2F20691179038E5C6\",\"hash\":8,\
         \"digest\":\"AAAA\",\"claim\":{\"signature_type\":0,\"created\":0},\"context\":{\"purpose\":\"sign\"}}",
    ),
    ("/v1/keys/import", "{\"tsk\":\"xVgEaAAAAA\"}"),
    ("/v1/backups/put", "{\"key\":\"C4BC2DDB38CCE96485EBE9C2F20691179038E5C6\",\"sealed\":\"AAAA\"}"),
    (
        "/v1/keys/certify",
        "{\"key\":\"C4BC2DDB38CCE96485EBE9C2F20691179038E5C6\",\"certificate\":\"xjMEaA\",\"user_ids\":[\"x\"]}",
    ),
    ("/v1/grants/end", "{\"grant\":\"0f8fad5b-d9cb-469f-a165-70867728950e\"}"),
];

/// What one request came back as, or why the test fails.
fn judge(
    address: SocketAddr,
    request: &Request,
    open: impl FnOnce(&[u8]) -> Option<u16>,
) -> Result<u16, String> {
    let Some(answer) = send(address, &request.to_bytes()) else { return Ok(0) };
    let about = || format!("{}\n{}", answer.head, String::from_utf8_lossy(&answer.body));
    match answer.status {
        200 => match open(&answer.body) {
            Some(status) if status >= 500 => Err(format!("failed inside: {}", about())),
            Some(status) => Ok(status),
            // Sealed to somebody else, or a public answer.
            None => Ok(200),
        },
        status @ 400..=499 => {
            // What is no HTTP is answered by nobody in particular.
            let is_http = answer.head.contains("x-request-id");
            let known = answer.problem().is_some_and(|problem| ProblemCode::ALL.contains(&problem.code));
            let is_ours = request.target.starts_with("/v1/");
            if !is_http || !is_ours || known {
                Ok(status)
            } else {
                Err(format!("no problem code: {}", about()))
            }
        }
        _ => Err(about()),
    }
}

/// Spoils one thing about a request that would be sound.
fn one(dice: &mut Dice, caller: &Caller, address: SocketAddr, nonce: &str) -> Result<u16, String> {
    let log_in = dice.roll(8) == 0;
    let (path, call) = if log_in {
        ("/v1/login/code", "{\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"device_name\":\"x\"}")
    } else {
        *dice.pick(&CALLS)
    };
    let id = uuid::Uuid::from_u128(dice.roll(usize::MAX) as u128);
    let mut plaintext = format!("{{\"request_id\":\"{id}\",\"call\":{call}}}").into_bytes();
    let what = dice.roll(6);
    if what < 2 {
        dice.spoil(&mut plaintext);
    }
    let (mut request, key) = caller.seal(path, &plaintext, Some(nonce));
    match what {
        2 => {
            dice.spoil(&mut request.body);
            // Half of them with a proof that fits, so that they come further.
            if dice.roll(2) == 0 {
                let proof = caller.prove(path, &request.body, Some(nonce));
                request = request.without("DPoP").header("DPoP", &proof);
            }
        }
        3 => {
            let index = dice.roll(request.headers.len());
            dice.spoil(&mut request.headers[index].1);
            request.headers[index].1.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        4 => {
            let mut target = request.target.clone().into_bytes();
            dice.spoil(&mut target);
            target.retain(|byte| byte.is_ascii_graphic());
            target.insert(0, b'/');
            request.target = String::from_utf8(target).unwrap().replacen("//", "/", 1);
        }
        5 => {
            let (other, _) = *dice.pick(calls::ALL);
            request.target = other.to_owned();
        }
        _ => {}
    }
    judge(address, &request, |body| {
        key.open(body).ok().map(|reply| {
            let problem: Option<ApiProblem> = serde_json::from_value(reply.body.clone()).ok();
            assert!(
                reply.status == 200
                    || problem.is_some_and(|problem| ProblemCode::ALL.contains(&problem.code))
            );
            reply.status
        })
    })
    .map_err(|error| {
        format!("{error}\nfor {} {}\n{}", request.method, request.target, String::from_utf8_lossy(&plaintext))
    })
}

#[test]
fn what_is_almost_right_is_answered_with_a_documented_no() {
    let server = Server::start("", "[limits]\nlog_ins_per_minute = 1000000\nrequests_per_second = 100000\n");
    let address = server.address();
    let session = server.user("alice@example.org");
    let stranger = Caller::stranger(&DeviceKey::generate(), session.keystore().identity());
    let begin = Request::new("POST", "/v1/whoami").header("Content-Type", "application/json");
    let nonce = send(address, &begin.to_bytes()).unwrap().header("dpop-nonce").unwrap().to_owned();
    let run = |seed: u64, count: usize| {
        let mut dice = Dice(seed);
        let caller = Caller::of(&session);
        let mut seen = std::collections::BTreeMap::<u16, usize>::new();
        for _ in 0..count {
            let who = if dice.roll(10) == 0 { &stranger } else { &caller };
            *seen.entry(one(&mut dice, who, address, &nonce).unwrap()).or_default() += 1;
        }
        seen
    };
    run(1, 100);
    let before = server.memory();
    let seen: Vec<_> = thread::scope(|scope| {
        let run = &run;
        let threads = [2, 3].map(|seed| scope.spawn(move || run(seed, REQUESTS)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    // The generator reaches what it is for: sound requests, refusals inside and outside of the seal.
    for status in [200, 400, 401, 404, 422] {
        let count: usize = seen.iter().filter_map(|seen| seen.get(&status)).sum();
        assert!(count > 0, "none with {status}: {seen:?}");
    }
    // And all is as before.
    Caller::of(&session).ask(address, "/v1/whoami", "{}").unwrap();
}
