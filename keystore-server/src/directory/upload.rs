// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates from outside: taken, asked about by mail, and shown once somebody has answered.
//!
//! The keystore keeps nothing of an upload: what it needs for the mail is sealed into the token that the client brings along. What it
//! answers depends on what was sent and on what everybody can look up, never on who has an address.

use std::{collections::BTreeMap, net::IpAddr, num::NonZeroU32};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use plombe_core::{cert::Certificate, keystore::KeyFingerprint, recipients::Address};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    challenge::{self, SendChallenge, look_at},
    reply::{self, Asked},
    uploaded::{Status, Uploaded},
};
use crate::{
    api::edge::Client,
    app::App,
    fresh,
    instance::by_server,
    ledger::{Act, AskError, Granted},
    mail::{Challenges, letter::Letter},
};

/// Why nothing is taken, and what to do.
pub const NO_UPLOADS: &str = "this directory takes no uploads: log in with `plombe login`, then publish your certificate with \
    `plombe key publish`, or have a key kept here with `plombe key generate --custody keystore`";

/// Paths for links in mails begin with it.
pub(super) const CONFIRM_PATH: &str = "/vks/confirm/";

#[derive(Deserialize)]
struct UploadRequest {
    keytext: String,
}

#[derive(Deserialize)]
struct VerifyRequest {
    token: String,
    addresses: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    key_fpr: String,
    status: BTreeMap<String, Status>,
    token: String,
}

/// Why not, for whoever sent it.
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str);

pub(super) type Result<T> = std::result::Result<T, Refused>;

/// `POST /vks/v1/upload`.
pub async fn upload(_: Asked, Client(from): Client, State(app): State<App>, body: Bytes) -> Response {
    answer(take(&app, from, &body).await)
}

/// `POST /vks/v1/request-verify`.
pub async fn request_verify(_: Asked, Client(from): Client, State(app): State<App>, body: Bytes) -> Response {
    answer(verify(&app, from, &body).await)
}

/// `POST /pks/add`: upload, and mails to all of its addresses, for programs that know this protocol only.
pub async fn add(_: Asked, Client(from): Client, State(app): State<App>, body: Bytes) -> Response {
    let mut pairs = url::form_urlencoded::parse(&body);
    let keytext = pairs.find(|(name, _)| name == "keytext").map(|(_, text)| text.into_owned());
    match add_text(&app, from, keytext.unwrap_or_default()).await {
        Ok(words) => reply::text(StatusCode::OK, words),
        Err(Refused(status, why)) => reply::text(status, format!("{why}\n")),
    }
}

async fn add_text(app: &App, from: IpAddr, keytext: String) -> Result<&'static str> {
    let challenges = challenges(app)?;
    let uploaded = Uploaded::read(app, challenges, from, keytext).await?;
    uploaded.revoke(app).await?;
    if uploaded.is_revoked {
        return Ok("revoked; a certificate that is shown here is shown as such\n");
    }
    challenge_all(app, from, &uploaded, uploaded.addresses.clone()).await?;
    Ok("read your mail: where an address can be proven like this, it has a link to confirm\n")
}

fn answer(result: Result<Answer>) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    match result {
        Ok(answer) => (no_store, Json(answer)).into_response(),
        Err(Refused(status, why)) => (status, no_store, Json(json!({ "error": why }))).into_response(),
    }
}

async fn take(app: &App, from: IpAddr, body: &[u8]) -> Result<Answer> {
    let challenges = challenges(app)?;
    let request: UploadRequest = serde_json::from_slice(body).map_err(|_| malformed())?;
    let uploaded = Uploaded::read(app, challenges, from, request.keytext).await?;
    uploaded.revoke(app).await?;
    let token = uploaded.seal(app, app.now()).ok_or_else(unavailable)?;
    Ok(Answer { key_fpr: uploaded.key.to_string(), status: uploaded.statuses(app).await, token })
}

async fn verify(app: &App, from: IpAddr, body: &[u8]) -> Result<Answer> {
    let _ = challenges(app)?;
    let request: VerifyRequest = serde_json::from_slice(body).map_err(|_| malformed())?;
    let uploaded = Uploaded::open(app, &request.token, app.now()).await.ok_or_else(|| {
        app.refusals.count("upload-token");
        Refused(StatusCode::BAD_REQUEST, "this token is too old, or none; upload again")
    })?;
    if uploaded.is_revoked {
        return Err(Refused(StatusCode::BAD_REQUEST, "this certificate is revoked"));
    }
    let wanted: Vec<Address> = {
        let is_asked = |own: &&Address| request.addresses.iter().any(|asked| own.matches(asked));
        uploaded.addresses.iter().filter(is_asked).cloned().collect()
    };
    if wanted.is_empty() {
        return Err(Refused(
            StatusCode::BAD_REQUEST,
            "none of these addresses is in the certificate and in a domain here",
        ));
    }
    challenge_all(app, from, &uploaded, wanted.clone()).await?;
    let status = uploaded.addresses.iter().map(|address| {
        let status = if wanted.contains(address) { Status::Pending } else { Status::Unpublished };
        (address.to_string(), status)
    });
    Ok(Answer { key_fpr: uploaded.key.to_string(), status: status.collect(), token: request.token })
}

/// Asks by mail, where that may be done. Whether it is done shows in the mailbox alone: who asks gets the same answer as fast, whoever has
/// the address.
async fn challenge_all(app: &App, from: IpAddr, uploaded: &Uploaded, wanted: Vec<Address>) -> Result<()> {
    let challenges = challenges(app)?;
    let mails = u32::try_from(wanted.len()).ok().and_then(NonZeroU32::new);
    let Some(mails) = mails else {
        return Err(Refused(StatusCode::BAD_REQUEST, "no address in this certificate is in a domain here"));
    };
    // What is not done now does not count against who asks.
    if !app.ledger.records() || app.ledger.time().is_err() || !challenges.submission.answers().await {
        return Err(unavailable());
    }
    if !challenges.may_cause(from, mails) {
        app.refusals.count("challenge-source-limit");
        return Err(Refused(
            StatusCode::TOO_MANY_REQUESTS,
            "too many mails asked for from there; try again later",
        ));
    }
    let (app, certificate, key) = (app.clone(), uploaded.certificate.clone(), uploaded.key.clone());
    tokio::spawn(async move {
        for to in wanted {
            challenge_one(&app, &certificate, &key, to).await;
        }
    });
    Ok(())
}

async fn challenge_one(app: &App, certificate: &Certificate, key: &KeyFingerprint, to: Address) {
    let Some(challenges) = &app.challenges else { return };
    let prepared = {
        let (app, certificate, key) = (app.clone(), certificate.clone(), key.clone());
        reply::aside(move || prepare(&app, app.challenges.as_ref()?, &certificate, &key, to)).await
    };
    let Some(act) = prepared else {
        app.refusals.count("challenge-not-sealed");
        return;
    };
    let failed = act.failed();
    let Ok(granted) = ask(app, act).await else { return };
    if let Err(error) = challenges.submission.send(granted.permit).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a challenge mail was not sent");
        // When that is not on record either, the challenge runs out by itself.
        let _ = ask(app, failed).await;
    }
}

/// Puts an act of the keystore itself on record. What is refused is counted.
pub(super) async fn ask<A: Act>(app: &App, act: A) -> std::result::Result<Granted<A>, AskError> {
    let asked = app.ledger.ask(by_server(act)).await;
    if let Err(AskError::Unrecorded(refusal)) = &asked {
        app.refusals.count(&refusal.rule);
    }
    asked
}

fn prepare(
    app: &App,
    challenges: &Challenges,
    certificate: &Certificate,
    key: &KeyFingerprint,
    to: Address,
) -> Option<SendChallenge> {
    let now = app.now();
    let shown = certificate.filter_to_address(&to, &app.policy, now).ok()?;
    let token = fresh::random::<32>();
    let origin = app.keychain().identity().origin.as_str();
    let link = format!("{origin}{CONFIRM_PATH}{}", URL_SAFE_NO_PAD.encode(*token));
    let minutes = challenges.config.link_minutes;
    let letter =
        Letter { from: challenges.submission.from(), to: &to, fingerprint: key, link: &link, minutes };
    let mail = letter.seal(&shown, &app.policy, now).ok()?;
    Some(SendChallenge {
        key: key.clone(),
        certificate: shown.to_bytes().into(),
        subkeys: look_at(&shown, &app.policy, now).0,
        hash: challenge::hash(&token),
        mail,
        link_seconds: 60 * minutes,
        per_mailbox: challenges.config.mails_per_mailbox_and_day.get(),
        per_day: challenges.config.mails_per_day.get(),
        to,
    })
}

fn challenges(app: &App) -> Result<&Challenges> {
    app.challenges.as_ref().ok_or(Refused(StatusCode::FORBIDDEN, NO_UPLOADS))
}

pub(super) fn malformed() -> Refused {
    Refused(StatusCode::BAD_REQUEST, "this is not what the endpoint takes")
}

pub(super) fn unavailable() -> Refused {
    Refused(
        StatusCode::SERVICE_UNAVAILABLE,
        "no mail can be sent at the moment, and nothing was done; try again later",
    )
}
