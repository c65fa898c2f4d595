// SPDX-License-Identifier: LGPL-2.0-or-later
//! What anybody may ask: who this is, and whether it is well.

use axum::{Json, extract::State, http::StatusCode};
use plombe_core::keystore::{API_VERSION, Info, LoginMethods};

use crate::app::App;

/// The keystore's business card.
pub(super) async fn info(State(app): State<App>) -> Json<Info> {
    Json(Info {
        identity: app.keychain().identity().clone(),
        login: LoginMethods { code: true, oidc: app.oidc_log_ins() },
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: API_VERSION,
    })
}

/// The process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// It can record, so it serves.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    // Lost history does not count here: what leads out of that is served.
    if app.ledger.halted().is_some() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopped until administrators have looked\n");
    }
    if !app.ledger.is_running() {
        return (StatusCode::SERVICE_UNAVAILABLE, "what records has failed; the server ends\n");
    }
    if app.ledger.time().is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the clock has jumped\n");
    }
    match app.store.head().await {
        Ok(Some(_)) if app.ledger.records() => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be used now\n"),
    }
}
