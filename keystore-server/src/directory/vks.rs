// SPDX-License-Identifier: LGPL-2.0-or-later
//! VKS, for reading: what Thunderbird and others ask key servers with.

use axum::{
    extract::{Path, State},
    response::Response,
};
use plombe_core::{cert::Certificate, keystore::KeyFingerprint, recipients::Address};

use super::{
    look_up::{self, Found, Versions},
    reply::{self, Asked},
};
use crate::app::App;

/// `GET /vks/v1/by-fingerprint/<40 or 64 digits>`: who asks for a version 6 fingerprint reads version 6.
pub async fn by_fingerprint(asked: Asked, State(app): State<App>, Path(text): Path<String>) -> Response {
    reply::aside(move || {
        let found = fingerprint(&text).map(|fingerprint| look_up::by_fingerprint(&app, &fingerprint));
        armored(&asked, &found.unwrap_or_default())
    })
    .await
}

/// `GET /vks/v1/by-keyid/<16 digits>`.
pub async fn by_key_id(asked: Asked, State(app): State<App>, Path(text): Path<String>) -> Response {
    reply::aside(move || {
        let found = key_id(&text).map(|key_id| look_up::by_key_id(&app, key_id));
        armored(&asked, &found.unwrap_or_default())
    })
    .await
}

/// `GET /vks/v1/by-email/<address>`.
pub async fn by_email(asked: Asked, State(app): State<App>, Path(text): Path<String>) -> Response {
    reply::aside(move || {
        let found = Address::parse(&text).map(|address| look_up::by_address(&app, &address, Versions::V4));
        armored(&asked, &found.unwrap_or_default())
    })
    .await
}

/// One block for each, or nothing found.
pub(super) fn armored(asked: &Asked, found: &Found) -> Response {
    if found.certificates.is_empty() {
        return reply::not_found();
    }
    let text: String = found.certificates.iter().map(Certificate::to_armored).collect();
    reply::found(asked, "application/pgp-keys", text.into_bytes(), found.proof)
}

/// Upper case is asked for; lower case is understood.
pub(super) fn fingerprint(text: &str) -> Option<KeyFingerprint> {
    text.to_ascii_uppercase().parse().ok()
}

pub(super) fn key_id(text: &str) -> Option<[u8; 8]> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok().map(u64::to_be_bytes))?
}
