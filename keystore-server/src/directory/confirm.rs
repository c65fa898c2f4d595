// SPDX-License-Identifier: LGPL-2.0-or-later
//! The link in a challenge mail: a page with a button. Opening it does nothing, since programs open links before people do.

use axum::{
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    challenge::{self, Confirm},
    reply::Asked,
    upload,
};
use crate::{
    access_policy::{refusal, seconds},
    app::App,
    ledger::AskError,
    registry::Challenge,
};

const ASK: &str = include_str!("../../page/confirm.html");
const SAID: &str = include_str!("../../page/said.html");

/// Nothing but the page itself and its one form; in nobody's frame; kept by nobody; the link goes nowhere.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// `GET /vks/confirm/{token}`: what it is about, and the button.
pub async fn page(_: Asked, State(app): State<App>, Path(token): Path<String>) -> Response {
    match find(&app, &token) {
        Some(challenge) => {
            let page = ASK
                .replace("{address}", &escaped(&challenge.address))
                .replace("{fingerprint}", &challenge.key.to_string());
            (StatusCode::OK, HEADERS, page).into_response()
        }
        None => no_such_link(&app),
    }
}

/// `POST /vks/confirm/{token}`: the button.
pub async fn confirm(_: Asked, State(app): State<App>, Path(token): Path<String>) -> Response {
    let Some(challenge) = find(&app, &token) else { return no_such_link(&app) };
    let address = escaped(&challenge.address);
    let act = Confirm { challenge, policy: app.policy.clone() };
    match upload::ask(&app, act).await {
        Ok(_) => {
            said(StatusCode::OK, "Done", &format!("Your certificate is shown for {address} from now on."))
        }
        Err(AskError::Refused(_) | AskError::Unrecorded(_)) => said(
            StatusCode::CONFLICT,
            "Not shown",
            &format!(
                "This link shows nothing for {address} any more: it was used, or the address has become somebody's here."
            ),
        ),
        Err(_) => said(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not now",
            "The keystore cannot record at the moment, so it does nothing. Go back and press the button again later.",
        ),
    }
}

fn find(app: &App, token: &str) -> Option<Challenge> {
    app.challenges.as_ref()?;
    let token: [u8; 32] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
    challenge::open(&app.ledger.registry(), &challenge::hash(&token), seconds(app.now()))
}

fn no_such_link(app: &App) -> Response {
    app.refusals.count(refusal::CHALLENGE_UNKNOWN.rule);
    said(
        StatusCode::NOT_FOUND,
        "No such link",
        "It was used, it is too old, or it is none. Upload your certificate again to get another.",
    )
}

fn said(status: StatusCode, title: &str, words: &str) -> Response {
    (status, HEADERS, SAID.replace("{title}", title).replace("{words}", words)).into_response()
}

/// Addresses may have a few characters that mean something in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
