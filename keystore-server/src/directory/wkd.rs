// SPDX-License-Identifier: LGPL-2.0-or-later
//! Web Key Directory: binary, by the hash of the local part, which alone decides (`l` is not looked at).

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};

use super::{
    look_up::{self, Versions},
    reply::{self, Asked},
};
use crate::app::App;

/// `/.well-known/openpgpkey/<domain>/hu/<hash>`.
pub async fn advanced(
    asked: Asked,
    State(app): State<App>,
    Path((domain, hash)): Path<(String, String)>,
) -> Response {
    reply::aside(move || certificates(&asked, &app, &domain.to_ascii_lowercase(), &hash)).await
}

/// `/.well-known/openpgpkey/hu/<hash>`, of the domain that was asked.
pub async fn direct(
    asked: Asked,
    State(app): State<App>,
    Path(hash): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match host(&uri, &headers) {
        Some(domain) => reply::aside(move || certificates(&asked, &app, &domain, &hash)).await,
        None => reply::not_found(),
    }
}

/// `/.well-known/openpgpkey/<domain>/policy`.
pub async fn advanced_policy(_: Asked, State(app): State<App>, Path(domain): Path<String>) -> Response {
    policy(&app, &domain.to_ascii_lowercase())
}

/// `/.well-known/openpgpkey/policy`.
pub async fn direct_policy(_: Asked, State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    match host(&uri, &headers) {
        Some(domain) => policy(&app, &domain),
        None => reply::not_found(),
    }
}

/// It must be there; no policy differs from the protocol's own.
fn policy(app: &App, domain: &str) -> Response {
    match look_up::has_domain(app, domain) {
        true => reply::text(StatusCode::OK, ""),
        false => reply::not_found(),
    }
}

fn certificates(asked: &Asked, app: &App, domain: &str, hash: &str) -> Response {
    let found = look_up::by_wkd_name(app, domain, hash, Versions::V6WithoutV4);
    if found.certificates.is_empty() {
        return reply::not_found();
    }
    let bytes = found.certificates.iter().flat_map(|certificate| certificate.to_bytes()).collect();
    reply::found(asked, "application/octet-stream", bytes, found.proof)
}

/// Without its port; HTTP/2 has it in the URI.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::HOST).iter();
    let host = match (uri.authority(), values.next(), values.next()) {
        (Some(authority), _, None) => authority.as_str(),
        (None, Some(value), None) => value.to_str().ok()?,
        _ => return None,
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) => return None,
        None => host,
    };
    Some(name.to_ascii_lowercase())
}
