// SPDX-License-Identifier: LGPL-2.0-or-later
//! Answers that tell no more than they must.

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::look_up::Proof;
use crate::{api::edge::Client, app::App};

/// Says of an answer that a challenge mail is all that stands behind it.
const PROOF: header::HeaderName = header::HeaderName::from_static("plombe-proof");

/// A question that may be answered: not too many from there, and the keystore is not stopped.
pub struct Asked {
    /// `If-None-Match`: what who asks has already.
    known: Vec<String>,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(Client(from)) = Client::from_request_parts(parts, app).await;
        if !app.limits.look_up(from) {
            let mut response = text(StatusCode::TOO_MANY_REQUESTS, "too many requests; wait a minute\n");
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
            return Err(response);
        }
        // A restored older state may have forgotten a revocation.
        if app.ledger.halted().is_some() || app.ledger.registry().is_stopped() {
            return Err(text(StatusCode::SERVICE_UNAVAILABLE, "stopped until administrators have looked\n"));
        }
        let known = parts.headers.get_all(header::IF_NONE_MATCH).iter();
        let known = known.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Ok(Self { known: known.map(|tag| tag.trim().trim_start_matches("W/").to_owned()).collect() })
    }
}

/// Certificates are parsed and written anew where that holds up nobody who uses a key.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// Whatever the reason is.
pub fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "no certificate here\n")
}

/// Plain words.
pub fn text(status: StatusCode, words: impl Into<String>) -> Response {
    respond(status, "text/plain; charset=utf-8", words.into().into())
}

/// What was found; or that it is what who asks has already.
pub fn found(asked: &Asked, content_type: &'static str, body: Vec<u8>, proof: Proof) -> Response {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    let same = asked.known.iter().any(|known| *known == tag || known == "*");
    let (status, body) =
        if same { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, body.into()) };
    let mut response = respond(status, content_type, body);
    if proof == Proof::Mail {
        response.headers_mut().insert(PROOF, header::HeaderValue::from_static("mail"));
    }
    if let Ok(tag) = header::HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Everything here may be read by web pages, and is kept for five minutes, so that a revocation spreads soon.
fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let cache = match status {
        StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND => "public, max-age=300",
        _ => "no-store",
    };
    let mut headers = HeaderMap::new();
    let fixed = [
        (header::CONTENT_TYPE, content_type),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    (status, headers, body).into_response()
}
