// SPDX-License-Identifier: LGPL-2.0-or-later
//! Thousands of requests that are almost right. Each is answered with a documented problem, or sealed to who asked; none of them
//! brings the server down, makes it fail, or makes it grow.

use std::{net::SocketAddr, thread};

use plombe_core::keystore::{ApiProblem, ProblemCode, calls};
use plombe_keystore::openapi::public_routes;
use serde_json::json;

use crate::{
    stage::{Column, Stage},
    targets,
    wire::{Request, send},
};

/// Of each of the two threads.
const REQUESTS: usize = 1500;

/// Mostly whoever's things are asked about.
const COLUMNS: [Column; 8] = [
    Column::Owner,
    Column::Owner,
    Column::Owner,
    Column::Owner,
    Column::Admin,
    Column::Auditor,
    Column::Pending,
    Column::Nobody,
];

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

/// What would end the session that asks: a test of what comes after needs it.
const ENDS_THE_SESSION: [&str; 2] = ["/v1/session/logout", "/v1/session/renew"];

/// Who asks for what.
struct Scene {
    stage: Stage,
    /// For each call one that is right, when the right one asks.
    calls: Vec<(&'static str, String)>,
    /// Requests without a seal that carry a body, as honest programs send them.
    unsealed: Vec<Request>,
    nonce: String,
}

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::new();
        let calls =
            calls::ALL.iter().filter(|(path, _)| !ENDS_THE_SESSION.contains(path)).map(|&(path, _)| {
                let ask =
                    targets::request(&mut stage, path, Column::Owner).expect("there is one for the owner");
                (path, ask.call.to_string())
            });
        let calls = calls.collect();
        let address = stage.address();
        let begin = Request::new("POST", "/v1/whoami").header("Content-Type", "application/json");
        let nonce = send(address, &begin.to_bytes()).unwrap().header("dpop-nonce").unwrap().to_owned();
        let note = send(address, &Request::new("GET", "/v1/log/checkpoint").to_bytes()).unwrap().body;
        let certificate = stage.local.to_armored();
        let form = |name: &str, value: &str| {
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair(name, value)
                .finish()
                .into_bytes()
        };
        let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJpc3MiOiJ4In0.AAAA";
        let (text, urlencoded) = ("text/plain", "application/x-www-form-urlencoded");
        let bodies = [
            ("/v1/log/checkpoint", text, note),
            ("/v1/login/oidc/{name}/logout", urlencoded, form("logout_token", token)),
            ("/pks/add", urlencoded, form("keytext", &certificate)),
            (
                "/vks/v1/upload",
                "application/json",
                json!({ "keytext": certificate }).to_string().into_bytes(),
            ),
            (
                "/vks/v1/request-verify",
                "application/json",
                json!({ "token": "x", "addresses": ["alice@example.org"] }).to_string().into_bytes(),
            ),
            // The button's form has no fields.
            ("/vks/confirm/{token}", urlencoded, Vec::new()),
        ];
        let mut posted: Vec<_> =
            public_routes().filter(|(method, _)| *method == "POST").map(|(_, path)| path).collect();
        let mut known = bodies.each_ref().map(|(path, ..)| *path);
        posted.sort_unstable();
        known.sort_unstable();
        assert_eq!(posted, known, "one is new: say here what an honest program sends to it");
        let unsealed = bodies.map(|(path, content_type, body)| {
            let request = Request::new("POST", &targets::public(&stage, path));
            Request { body, ..request.header("Content-Type", content_type) }
        });
        Self { calls, unsealed: unsealed.into(), nonce, stage }
    }
}

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
        // A checkpoint that the keystore has.
        204 => Ok(204),
        status @ 400..=499 => {
            // What is no HTTP is answered by nobody in particular.
            let is_http = answer.head.contains("x-request-id");
            let known = answer.problem().is_some_and(|problem| ProblemCode::ALL.contains(&problem.code));
            // The log-out of an identity provider answers as OpenID has it.
            let is_ours = request.target.starts_with("/v1/") && !request.target.ends_with("/logout");
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
fn one(dice: &mut Dice, scene: &Scene) -> Result<u16, String> {
    let address = scene.stage.address();
    let nonce = scene.nonce.as_str();
    let (column, log_in) = (*dice.pick(&COLUMNS), dice.roll(8) == 0);
    let caller = scene.stage.caller(if log_in { Column::Nobody } else { column });
    let (path, call) = loop {
        let (path, call) = dice.pick(&scene.calls);
        if path.starts_with("/v1/login/") == log_in {
            break (*path, call.as_str());
        }
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
            request.target = dice.pick(&scene.calls).0.to_owned();
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

/// The same for what carries no seal.
fn one_unsealed(dice: &mut Dice, scene: &Scene) -> Result<u16, String> {
    let mut request = dice.pick(&scene.unsealed).clone();
    match dice.roll(4) {
        0 => {}
        1 => {
            let index = dice.roll(request.headers.len());
            dice.spoil(&mut request.headers[index].1);
            request.headers[index].1.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        _ => dice.spoil(&mut request.body),
    }
    judge(scene.stage.address(), &request, |_| None).map_err(|error| {
        format!("{error}\nfor {}\n{}", request.target, String::from_utf8_lossy(&request.body))
    })
}

#[test]
fn what_is_almost_right_is_answered_with_a_documented_no() {
    let scene = Scene::new();
    let run = |seed: u64, count: usize| {
        let mut dice = Dice(seed);
        let mut seen = std::collections::BTreeMap::<u16, usize>::new();
        for _ in 0..count {
            let done =
                if dice.roll(8) == 0 { one_unsealed(&mut dice, &scene) } else { one(&mut dice, &scene) };
            *seen.entry(done.unwrap()).or_default() += 1;
        }
        seen
    };
    run(1, 100);
    let before = scene.stage.server.memory();
    let seen: Vec<_> = thread::scope(|scope| {
        let run = &run;
        let threads = [2, 3].map(|seed| scope.spawn(move || run(seed, REQUESTS)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let grown = scene.stage.server.memory().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
    // The generator reaches what it is for: sound requests, refusals inside and outside of the seal.
    for status in [200, 400, 401, 403, 404, 422] {
        let count: usize = seen.iter().filter_map(|seen| seen.get(&status)).sum();
        assert!(count > 0, "none with {status}: {seen:?}");
    }
    // And all is as before.
    scene.stage.caller(Column::Owner).ask(scene.stage.address(), "/v1/whoami", "{}").unwrap();
}
