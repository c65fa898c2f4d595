// SPDX-License-Identifier: LGPL-2.0-or-later
//! Device proofs that are almost right, at the running server: right in everything but nonce, time or session.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plombe_core::keystore::{ProblemCode, SessionHash};

use crate::{
    server::Server,
    wire::{Answer, Caller, Request, send},
};

const WHOAMI: &str = "/v1/whoami";

fn ask(server: &Server, request: &Request) -> Answer {
    send(server.address(), &request.to_bytes()).expect("it answers")
}

/// A request whose envelope is sound, with this proof beside it.
fn with_proof(caller: &Caller, prove: impl FnOnce(&[u8]) -> String) -> Request {
    let id = plombe_keystore::fresh::random_uuid();
    let call = format!("{{\"request_id\":\"{id}\",\"call\":{{}}}}");
    let (request, _) = caller.seal(WHOAMI, call.as_bytes(), None);
    let proof = prove(&request.body);
    request.without("DPoP").header("DPoP", &proof)
}

/// The nonce that a server hands out.
fn nonce_of(server: &Server) -> String {
    let begin = Request::new("POST", WHOAMI).header("Content-Type", "application/json");
    ask(server, &begin).header("dpop-nonce").expect("every answer has one").to_owned()
}

#[test]
fn a_nonce_that_is_missing_old_or_another_keystores_is_asked_for_again() {
    let (server, other) = (Server::start("", ""), Server::start("", ""));
    let caller = Caller::of(&server.admin());
    let good = nonce_of(&server);
    let nonces = server.nonces();
    let now = SystemTime::now();
    assert!(nonces.good(now).contains(&good), "the test makes other nonces than the server");
    let old = [240, 360, 24 * 3600].map(|seconds| nonces.current(now - Duration::from_secs(seconds)));
    let ahead = nonces.current(now + Duration::from_secs(3600));
    let foreign = nonce_of(&other);
    let wrong = old.iter().chain([&ahead, &foreign]).map(|nonce| Some(nonce.as_str()));
    for nonce in wrong.chain([None, Some("x"), Some(&good[1..])]) {
        let answer = ask(&server, &with_proof(&caller, |body| caller.prove(WHOAMI, body, nonce)));
        let told = answer.problem().map(|problem| problem.code);
        assert_eq!((answer.status, told), (401, Some(ProblemCode::NonceNeeded)), "{nonce:?}");
        // And it says which one it wants.
        let given = answer.header("dpop-nonce").expect("it gives one").to_owned();
        let again = ask(&server, &with_proof(&caller, |body| caller.prove(WHOAMI, body, Some(&given))));
        assert_eq!(again.status, 200, "{nonce:?}");
    }
}

#[test]
fn a_proof_of_another_time_or_for_another_session_is_invalid() {
    let server = Server::start("", "");
    let caller = Caller::of(&server.admin());
    let another = Caller::of(&server.user("alice@example.org")).session();
    let nonce = nonce_of(&server);
    let answer_to = |now: SystemTime, session: Option<SessionHash>| {
        ask(&server, &with_proof(&caller, |body| caller.prove_at(now, session, WHOAMI, body, Some(&nonce))))
    };
    for behind in [false, true] {
        let answer = off_by(61, behind, |time| answer_to(time, caller.session()));
        let told = answer.problem().map(|problem| problem.code);
        assert_eq!((answer.status, told), (401, Some(ProblemCode::ProofInvalid)), "behind: {behind}");
        assert_eq!(
            off_by(30, behind, |time| answer_to(time, caller.session())).status,
            200,
            "behind: {behind}"
        );
    }
    // `ath` of somebody else's session, of none, of nothing that ever was one.
    for session in [another, None, Some(SessionHash([0; 32]))] {
        let answer = answer_to(SystemTime::now(), session);
        let told = answer.problem().map(|problem| problem.code);
        assert_eq!((answer.status, told), (401, Some(ProblemCode::ProofInvalid)), "{session:?}");
    }
    assert_eq!(answer_to(SystemTime::now(), caller.session()).status, 200);
}

/// What is answered to a proof so many seconds ahead of the time, or behind. Asked within one second of the clock, so that it is exactly so many for
/// the server too.
fn off_by(seconds: u64, behind: bool, ask: impl Fn(SystemTime) -> Answer) -> Answer {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    for _ in 0..100 {
        let now = second();
        let off = if behind { now - seconds } else { now + seconds };
        let answer = ask(UNIX_EPOCH + Duration::from_secs(off));
        if second() == now {
            return answer;
        }
    }
    panic!("no answer within one second of the clock, a hundred times");
}
