// SPDX-License-Identifier: LGPL-2.0-or-later
//! One call: seal, prove, send, open; again when nothing final came back.

use std::{thread, time::Duration};

use plombe_core::{
    keystore::{
        ApiProblem, ProblemCode, RequestId, SessionToken,
        calls::{Call, Request},
        dpop::ProofRequest,
        envelope::{EnvelopeError, Reply, ReplyKey, RequestBinding, seal_request},
    },
    log::SignedCheckpoint,
};
use zeroize::Zeroizing;

use crate::{
    ClientError, DeviceKey, Keystore,
    device::{random, random_array},
    http::{Answer, HttpError},
};

const METHOD: &str = "POST";
/// A server that asks for a new nonce each time is not waited for.
const MAX_NONCES: u32 = 2;

/// How one attempt ended.
enum Outcome {
    /// With a sealed reply.
    Reply(Reply),
    /// The keystore wants its nonce in the proof, and gave a new one.
    NewNonce(ClientError),
    /// Neither yes nor no; the same request may be sent again.
    Again(ClientError),
}

impl Keystore {
    /// Makes one call. `token` is the session that it is made in, if any. For a program that logs in its own way;
    /// [`Session::call`](crate::Session::call) is the usual one.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub fn exchange<C: Call>(
        &self,
        device: &DeviceKey,
        token: Option<&SessionToken>,
        call: &C,
    ) -> Result<C::Answer, ClientError> {
        let shown = self.checkpoints().latest().cloned();
        let request = Request {
            request_id: RequestId::from_random(random_array()),
            checkpoint: shown.as_ref().map(|shown| shown.note().to_owned()),
            call,
        };
        let plaintext = Zeroizing::new(serde_json::to_vec(&request).map_err(|_| ClientError::TooLarge)?);
        let attempts = if C::REPEATABLE { self.options().attempts.max(1) } else { 1 };
        let (mut attempt, mut nonces) = (1, 0);
        loop {
            match self.attempt(C::PATH, device, token, &plaintext)? {
                Outcome::Reply(reply) => return self.answer::<C>(reply, shown.as_ref()),
                Outcome::NewNonce(_) if nonces < MAX_NONCES => nonces += 1,
                Outcome::Again(_) if attempt < attempts => {
                    thread::sleep(backoff(self.options().backoff, attempt));
                    attempt += 1;
                }
                Outcome::NewNonce(error) | Outcome::Again(error) => return Err(error),
            }
        }
    }

    fn attempt(
        &self,
        path: &str,
        device: &DeviceKey,
        token: Option<&SessionToken>,
        plaintext: &[u8],
    ) -> Result<Outcome, ClientError> {
        let session = token.map(SessionToken::hash);
        let binding = RequestBinding { method: METHOD, path, device: device.thumbprint(), session };
        let (body, reply_key) =
            seal_request(self.identity(), &binding, plaintext, &mut random).map_err(sealing)?;
        let nonce = self.nonce();
        let proof = device.prove(&ProofRequest {
            method: METHOD,
            url: &self.http().origin().url(path),
            body: &body,
            session,
            nonce: nonce.as_deref(),
            now: (self.options().now)(),
            id: random_array(),
        });
        let authorization = token.map(|token| Zeroizing::new(format!("DPoP {}", token.expose())));
        match self.http().post(path, authorization.as_ref().map(|text| text.as_str()), &proof, &body) {
            Ok(answer) => {
                let fresh = self.remember_nonce(answer.nonce.as_deref());
                self.judge(answer, reply_key, fresh)
            }
            Err(HttpError::Failed(reason)) => Ok(Outcome::Again(ClientError::Unreachable(reason))),
            Err(HttpError::TooLarge) => Err(ClientError::Tampered),
        }
    }

    fn judge(&self, answer: Answer, reply_key: ReplyKey, fresh_nonce: bool) -> Result<Outcome, ClientError> {
        if answer.status == 200 {
            let reply = reply_key.open(&answer.body).map_err(|_| ClientError::Tampered)?;
            return Ok(match problem(&reply).map(|problem| problem.code) {
                Some(ProblemCode::NonceNeeded) if fresh_nonce => Outcome::NewNonce(refused(&reply)),
                Some(ProblemCode::Unavailable) => Outcome::Again(refused(&reply)),
                _ => Outcome::Reply(reply),
            });
        }
        // Nobody's seal is on this. It is reported; all it can do is to make us try again.
        let problem: Option<ApiProblem> = serde_json::from_slice(&answer.body).ok();
        let code = problem.as_ref().map(|problem| problem.code);
        // Another keystore knows neither our envelope nor our session.
        if matches!(code, Some(ProblemCode::NotSealed | ProblemCode::NotLoggedIn)) {
            self.check_identity()?;
        }
        let error = match code {
            Some(ProblemCode::NotLoggedIn) => ClientError::NotLoggedIn,
            _ => ClientError::RefusedUnsealed { status: answer.status, problem },
        };
        match (code, answer.status) {
            (Some(ProblemCode::NonceNeeded), _) if fresh_nonce => Ok(Outcome::NewNonce(error)),
            (_, 502..=504) => Ok(Outcome::Again(error)),
            _ => Err(error),
        }
    }

    /// `shown` is the checkpoint that went along with the request.
    fn answer<C: Call>(
        &self,
        reply: Reply,
        shown: Option<&SignedCheckpoint>,
    ) -> Result<C::Answer, ClientError> {
        self.checkpoints().accept(reply.checkpoint.as_deref(), shown)?;
        if reply.status >= 400 {
            return Err(refused(&reply));
        }
        serde_json::from_value(reply.body).map_err(|_| ClientError::NotUnderstood)
    }
}

fn problem(reply: &Reply) -> Option<ApiProblem> {
    (reply.status >= 400).then(|| serde_json::from_value(reply.body.clone()).ok()).flatten()
}

fn refused(reply: &Reply) -> ClientError {
    match problem(reply) {
        None => ClientError::NotUnderstood,
        Some(problem) => match problem.code {
            ProblemCode::NotLoggedIn => ClientError::NotLoggedIn,
            ProblemCode::DevicePending => ClientError::DevicePending,
            _ => ClientError::Refused(problem),
        },
    }
}

fn sealing(error: EnvelopeError) -> ClientError {
    match error {
        EnvelopeError::TooLarge => ClientError::TooLarge,
        _ => ClientError::NotAKeystore("nothing can be sealed to its key"),
    }
}

/// Doubles each time; up to half of it is random, so that clients that lost the same server do not come back together.
fn backoff(first: Duration, attempt: u32) -> Duration {
    let full = first.saturating_mul(1 << (attempt - 1).min(6));
    let share = f64::from(random_array::<1>()[0]) / 512.0;
    full - full.mul_f64(share)
}
