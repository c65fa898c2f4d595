// SPDX-License-Identifier: LGPL-2.0-or-later
//! What every answer gets, whoever made it: an id, hard headers, a line in the server's log, a count.

use std::{convert::Infallible, net::IpAddr, net::SocketAddr, time::Instant};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use plombe_core::keystore::{ApiProblem, ProblemCode, RequestId};

use crate::{app::App, fresh};

/// Where a request comes from: the peer, or who stands behind a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get().copied();
        Ok(known.unwrap_or(Self(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))))
    }
}

/// What a sealed answer says inside; it travels with the response as far as this.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The client's own id, when the request could be opened.
    pub request_id: Option<RequestId>,
    /// Why not; `None` for yes.
    pub code: Option<ProblemCode>,
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing that is served here is a page, so a browser may do nothing with it.
const HARD: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Goes around everything.
pub async fn edge(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let client = app.connections.proxies().client(peer.ip(), request.headers());
    request.extensions_mut().insert(Client(client));
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let mut response = match is_ambiguous(request.headers()) {
        true => {
            let mut refused =
                problem(StatusCode::BAD_REQUEST, ProblemCode::Malformed, "two lengths for one body");
            refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            refused
        }
        false => next.run(request).await,
    };
    let mut told = response.extensions_mut().remove::<Told>();
    if told.is_none() && response.status().as_u16() >= 400 {
        let code;
        (response, code) = with_code(response, path.as_deref());
        told = code.map(|code| Told { request_id: None, code: Some(code) });
    }
    let id =
        told.and_then(|told| told.request_id).unwrap_or_else(|| RequestId::from_random(*fresh::random()));
    let code = match told {
        Some(told) => told.code.map_or("ok", ProblemCode::as_str).to_owned(),
        None if response.status().is_success() => "ok".to_owned(),
        None => response.status().as_u16().to_string(),
    };
    harden(&app, &mut response, id);
    let took = began.elapsed();
    let call = path.as_deref().unwrap_or("none");
    app.metrics.answered(call, &code, took);
    let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if is_probe(call) {
        tracing::debug!(request = %id, call, code, microseconds, "answered");
    } else {
        tracing::info!(request = %id, call, code, microseconds, "answered");
    }
    response
}

/// Load balancers and Prometheus ask all the time.
fn is_probe(call: &str) -> bool {
    matches!(call, "/v1/health" | "/v1/ready")
}

/// What a proxy in front and this server could read as different requests.
fn is_ambiguous(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH)
}

/// What comes from below (limits, wrong methods, paths that are none) has no words of ours yet. The directory speaks other
/// people's protocols and has its own.
fn with_code(response: Response, path: Option<&str>) -> (Response, Option<ProblemCode>) {
    let status = response.status();
    let is_ours = path.is_none_or(|path| path.starts_with("/v1/") && path != "/v1/ready");
    let has_words = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type == "application/json");
    if !is_ours || has_words {
        return (response, None);
    }
    let (code, words) = match (status, path) {
        (StatusCode::NOT_FOUND, Some(_)) => (ProblemCode::NotFound, "there is nothing by that name"),
        (StatusCode::NOT_FOUND, None) => (ProblemCode::NoSuchEndpoint, "there is no such endpoint"),
        (StatusCode::METHOD_NOT_ALLOWED, _) => (ProblemCode::NoSuchEndpoint, "not with this method"),
        (StatusCode::REQUEST_TIMEOUT, _) => (ProblemCode::TooSlow, "the request did not arrive in time"),
        (StatusCode::PAYLOAD_TOO_LARGE, _) => (ProblemCode::TooLarge, "the request is too large"),
        (StatusCode::TOO_MANY_REQUESTS, _) => (ProblemCode::RateLimited, "too many requests"),
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            (ProblemCode::Unavailable, "the keystore cannot read its database at the moment")
        }
        (status, _) if status.is_server_error() => (ProblemCode::Internal, "the keystore failed"),
        _ => (ProblemCode::Malformed, "this is not what the endpoint takes"),
    };
    let mut worded = problem(status, code, words);
    for name in [header::ALLOW, header::RETRY_AFTER, header::CONNECTION] {
        if let Some(value) = response.headers().get(&name) {
            worded.headers_mut().insert(name, value.clone());
        }
    }
    (worded, Some(code))
}

fn problem(status: StatusCode, code: ProblemCode, words: &str) -> Response {
    (status, axum::Json(ApiProblem::new(code, words))).into_response()
}

fn harden(app: &App, response: &mut Response, id: RequestId) {
    let headers = response.headers_mut();
    for (name, value) in HARD {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Web pages read the directory, and nothing else.
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        );
    }
    if app.keychain().identity().origin.as_str().starts_with("https:") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID.clone(), id);
    }
}
