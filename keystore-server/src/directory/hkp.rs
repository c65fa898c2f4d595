// SPDX-License-Identifier: LGPL-2.0-or-later
//! HKP version 1, for reading. Its clients know OpenPGP version 4 only.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use plombe_core::recipients::Address;

use super::{
    look_up::{self, Found, Versions},
    reply::{self, Asked},
    vks,
};
use crate::app::App;

/// `GET /pks/lookup`: `get`, `index` and `vindex`. The index is the machine-readable one, asked for or not.
pub async fn lookup(asked: Asked, State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    reply::aside(move || answer(&asked, &app, &query.unwrap_or_default())).await
}

fn answer(asked: &Asked, app: &App, query: &str) -> Response {
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let op = value("op").unwrap_or_default();
    if !matches!(op.as_str(), "get" | "index" | "vindex") {
        return reply::text(StatusCode::NOT_IMPLEMENTED, "op is get, index or vindex\n");
    }
    let found = search(app, &value("search").unwrap_or_default());
    if found.certificates.is_empty() {
        return reply::not_found();
    }
    if op == "get" {
        return vks::armored(asked, &found);
    }
    let mut text = format!("info:1:{}\n", found.certificates.len());
    let now = app.now();
    for certificate in &found.certificates {
        text.push_str(&certificate.hkp_index(&app.policy, now));
    }
    reply::found(asked, "text/plain; charset=utf-8", text.into_bytes(), found.proof)
}

/// A whole address, fingerprint or key ID; never a part.
fn search(app: &App, what: &str) -> Found {
    let hex = what.strip_prefix("0x").or_else(|| what.strip_prefix("0X")).unwrap_or(what);
    if let Some(key_id) = vks::key_id(hex) {
        return look_up::by_key_id(app, key_id);
    }
    if let Some(fingerprint) = vks::fingerprint(hex).filter(|_| hex.len() == 40) {
        return look_up::by_fingerprint(app, &fingerprint);
    }
    // In a form, a plus that was not encoded is a space. No address has one.
    let bare = what.trim_start_matches('<').trim_end_matches('>').replace(' ', "+");
    match Address::parse(&bare) {
        Ok(address) => look_up::by_address(app, &address, Versions::V4),
        Err(_) => Found::default(),
    }
}
