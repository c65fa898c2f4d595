// SPDX-License-Identifier: LGPL-2.0-or-later
//! From an HTTP request to a call, and from its answer to a reply.
//!
//! ```text
//! size, rate → proof (shape, signature, this request) → session → envelope → JSON → serve → sealed reply
//! ```
//! Until the envelope is open, errors are plain; from then on everything is sealed, errors too, and HTTP's status is 200.

use std::{net::IpAddr, time::Duration};

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use plombe_core::{
    keystore::{
        ApiProblem, ProblemCode, SessionHash, SessionToken,
        calls::{Access, Call, Request},
        dpop::{Expectation, Proof, ProofError, UnverifiedProof},
        envelope::{Reply, RequestBinding, open_request},
        fields,
    },
    log::SignedCheckpoint,
};
use sha2::{Digest, Sha256};

use super::{
    Caller, Failure, Serve,
    edge::{Client, Told},
};
use crate::{
    access_policy::{Actor, Claimed, seconds},
    app::App,
    identity::verify_es256,
    ledger::AskError,
    proofs_of_history,
};

/// How far a device's clock may be off.
const LEEWAY: Duration = Duration::from_secs(60);

/// A proof may be made one leeway ahead of this clock and is taken one leeway after that; the third is for the clocks of other servers.
const PROOFS_REMEMBERED: Duration = Duration::from_secs(180);

const METHOD: &str = "POST";

static DPOP: HeaderName = HeaderName::from_static("dpop");
static DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Serves one call.
pub async fn serve<C: Serve>(
    State(app): State<App>,
    Client(from): Client,
    headers: HeaderMap,
    body: Bytes,
) -> Response
where
    C::Answer: Send,
{
    // Nothing that was made with the right time would be taken for it.
    if app.ledger.time().is_err() {
        let problem = super::failure::clock().problem;
        return Plain { problem, reason: "clock-jumped".into() }.into_response(&app);
    }
    let opened = match open::<C>(&app, from, &headers, &body) {
        Ok(opened) => opened,
        Err(plain) => return plain.into_response(&app),
    };
    let Opened { request, caller, reply_key } = opened;
    let result = answer(&app, request, &caller).await;
    let code = result.as_ref().err().map(|failure| failure.problem.code);
    let told = Told { request_id: Some(caller.request_id), code };
    let checkpoint = app.ledger.checkpoint().map(|checkpoint| checkpoint.note().to_owned());
    checkpoint.iter().for_each(|note| app.known_checkpoints.add(note));
    let reply = match result {
        Ok(body) => Reply { status: 200, body, checkpoint },
        Err(failure) => {
            if let Some(rule) = &failure.unrecorded {
                app.refusals.count(rule);
            }
            Reply::problem(&failure.problem, checkpoint)
        }
    };
    let mut random = |bytes: &mut [u8]| {
        aws_lc_rs::rand::fill(bytes).expect("a system without randomness cannot answer");
    };
    match reply_key.seal(&reply, &mut random) {
        Ok(body) => with_nonce(
            &app,
            (Extension(told), [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        ),
        Err(_) => Plain::problem(ApiProblem::new(ProblemCode::Internal, "the answer is too large"))
            .into_response(&app),
    }
}

async fn answer<C: Serve>(
    app: &App,
    request: Request<C>,
    caller: &Caller,
) -> Result<serde_json::Value, Failure> {
    if let Some(note) = &request.checkpoint {
        // Whoever shows this keystore its own signature on a tree that it does not have stops it.
        proofs_of_history::check_seen(app, note).await;
    }
    // Reads, too: what they would show may lack a revocation.
    if let Some(halt) = app.ledger.halted() {
        return Err(AskError::Halted(halt).into());
    }
    let answer = request.call.serve(app, caller).await?;
    serde_json::to_value(answer)
        .map_err(|_| Failure::new(ProblemCode::Internal, "the answer cannot be written"))
}

struct Opened<C> {
    request: Request<C>,
    caller: Caller,
    reply_key: plombe_core::keystore::envelope::ReplyKey,
}

/// A refusal before anything is open: not sealed, and counted, not recorded.
struct Plain {
    problem: ApiProblem,
    /// For the counter.
    reason: String,
}

impl Plain {
    fn problem(problem: ApiProblem) -> Self {
        Self { reason: problem.code.as_str().to_owned(), problem }
    }

    fn because(reason: &str, code: ProblemCode, message: &str) -> Self {
        Self { problem: ApiProblem::new(code, message), reason: reason.to_owned() }
    }

    fn into_response(self, app: &App) -> Response {
        app.refusals.count(&self.reason);
        let status = StatusCode::from_u16(self.problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let told = Told { request_id: None, code: Some(self.problem.code) };
        with_nonce(app, (status, Extension(told), axum::Json(self.problem)).into_response())
    }
}

fn with_nonce(app: &App, mut response: Response) -> Response {
    let nonce = HeaderValue::from_str(&app.nonces.current(app.now()));
    if let Ok(nonce) = nonce {
        response.headers_mut().insert(DPOP_NONCE.clone(), nonce);
    }
    response
}

fn open<C: Call>(app: &App, from: IpAddr, headers: &HeaderMap, body: &[u8]) -> Result<Opened<C>, Plain> {
    if C::ACCESS == Access::LogIn && !app.limits.log_in(from) {
        return Err(too_often());
    }
    // A page of somebody else's cannot send this type without asking first, and nobody answers such questions here.
    if headers.get(header::CONTENT_TYPE).is_none_or(|content_type| content_type != "application/json") {
        return Err(Plain::because(
            "content-type",
            ProblemCode::Malformed,
            "the content type is application/json",
        ));
    }
    let token = session_token(headers)?;
    let session = token.as_ref().map(SessionToken::hash);
    if C::ACCESS == Access::LogIn && session.is_some() {
        return Err(Plain::because(
            "log-in-with-session",
            ProblemCode::Malformed,
            "a log-in carries no session",
        ));
    }
    let proof = proof(app, headers, C::PATH, body, session).map_err(|error| {
        let code =
            if error == ProofError::Nonce { ProblemCode::NonceNeeded } else { ProblemCode::ProofInvalid };
        Plain::because(error.code(), code, &error.to_string())
    })?;
    let actor = actor::<C>(app, session, &proof)?;
    let binding = RequestBinding { method: METHOD, path: C::PATH, device: proof.thumbprint(), session };
    let keychain = app.keychain();
    let (plaintext, reply_key) = keychain
        .hpke()
        .with(|secret| open_request(secret, &keychain.identity().fingerprint(), &binding, body))
        .map_err(|error| Plain::because(error.code(), ProblemCode::NotSealed, &error.to_string()))?;
    let request: Request<C> = serde_json::from_slice(&plaintext).map_err(|_| {
        Plain::because("malformed", ProblemCode::Malformed, "the request is not what this call takes")
    })?;
    let proof_id = fields(&[b"plombe keystore proof v1", &proof.thumbprint().0, proof.id().as_bytes()]);
    let caller = Caller {
        actor,
        thumbprint: proof.thumbprint(),
        proof: (Sha256::digest(proof_id).to_vec(), seconds(app.now() + PROOFS_REMEMBERED)),
        request_id: request.request_id,
        digest: Sha256::digest(&plaintext).into(),
        path: C::PATH,
        from,
    };
    Ok(Opened { request, caller, reply_key })
}

/// `Authorization: DPoP <value>`; none at all is for log-ins.
fn session_token(headers: &HeaderMap) -> Result<Option<SessionToken>, Plain> {
    let malformed =
        || Plain::because("authorization-malformed", ProblemCode::NotLoggedIn, "you are not logged in");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed());
    }
    let value = value.to_str().map_err(|_| malformed())?;
    let token = value.strip_prefix("DPoP ").ok_or_else(malformed)?;
    SessionToken::parse(token).map(Some).map_err(|_| malformed())
}

fn proof(
    app: &App,
    headers: &HeaderMap,
    path: &str,
    body: &[u8],
    session: Option<SessionHash>,
) -> Result<Proof, ProofError> {
    let mut values = headers.get_all(&DPOP).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(ProofError::Malformed) };
    let value = value.to_str().map_err(|_| ProofError::Malformed)?;
    let proof = UnverifiedProof::parse(value)?.verify(verify_es256)?;
    let now = app.now();
    let nonces = app.nonces.good(now);
    proof.check(&Expectation {
        method: METHOD,
        url: &app.keychain().identity().origin.url(path),
        body_hash: Sha256::digest(body).into(),
        session,
        nonces: &[&nonces[0], &nonces[1]],
        now,
        leeway: LEEWAY,
    })?;
    Ok(proof)
}

/// Which session that is. Whether it still stands is decided with the act; here only strangers are sent away.
fn actor<C: Call>(app: &App, session: Option<SessionHash>, proof: &Proof) -> Result<Actor, Plain> {
    let thumbprint = proof.thumbprint();
    if C::ACCESS == Access::LogIn {
        return Ok(Actor::Newcomer { thumbprint });
    }
    let refused = || Plain::because("no-session", ProblemCode::NotLoggedIn, "you are not logged in");
    let hash = session.ok_or_else(refused)?;
    let (session, is_own) = {
        let registry = app.ledger.registry();
        let session = registry.session_of_hash(&hash.0).ok_or_else(refused)?;
        (session.id, registry.device(session.device).is_some_and(|device| device.thumbprint == thumbprint))
    };
    if !is_own && !app.limits.foreign_request(session) {
        return Err(refused());
    }
    if is_own && !app.limits.request(session) {
        return Err(too_often());
    }
    Ok(Actor::Device(Claimed {
        session,
        hash: hash.0,
        thumbprint,
        admins_need_passkeys: app.passkeys.admins_need_them,
    }))
}

fn too_often() -> Plain {
    let problem = ApiProblem::new(ProblemCode::RateLimited, "too many requests");
    Plain { problem: problem.with_hint("wait a minute"), reason: "rate-limited".into() }
}

/// A checkpoint for those who ask without a call.
pub fn newest(app: &App) -> Option<SignedCheckpoint> {
    app.ledger.checkpoint()
}
