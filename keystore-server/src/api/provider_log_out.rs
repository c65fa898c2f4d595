// SPDX-License-Identifier: LGPL-2.0-or-later
//! `POST /v1/login/oidc/{name}/logout`: an identity provider says that somebody has logged out there. What began with that
//! log-in ends here. The one request that is not sealed and changes something: it can end sessions, and nothing else.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use plombe_core::keystore::calls::custody::Context;
use serde_json::json;

use crate::{
    access_policy::{Action, Actor, Refusal, refusal, seconds},
    app::App,
    identity::oidc::{LogOut, Reason},
    ledger::{Act, Ask, AskError, Effects, Scene},
    registry::{Record, Session},
};

pub(super) const PATH: &str = "/v1/login/oidc/{name}/logout";

pub(super) async fn log_out(State(app): State<App>, Path(name): Path<String>, body: Bytes) -> Response {
    match end(&app, &name, &body).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(Refused::Token(reason)) => {
            app.refusals.count(&format!("logout-{reason}"));
            // Which check it failed at is for the log.
            answer(StatusCode::BAD_REQUEST, "invalid_request")
        }
        Err(Refused::Later) => answer(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    }
}

fn answer(status: StatusCode, error: &str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "error": error }))).into_response()
}

enum Refused {
    Token(std::borrow::Cow<'static, str>),
    Later,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::ProviderUnreachable | Reason::ProviderFailed => Self::Later,
            _ => Self::Token(reason.code().into()),
        }
    }
}

async fn end(app: &App, name: &str, body: &[u8]) -> Result<(), Refused> {
    let flow = app.oidc.as_ref().ok_or(Refused::Token(Reason::UnknownIssuer.code().into()))?;
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    let (Some((_, token)), None) = (tokens.next(), tokens.next()) else {
        return Err(Reason::IdTokenMissing.into());
    };
    let log_out =
        flow.log_out(name, &token, app.now()).await.map_err(|refused| Refused::from(refused.reason()))?;
    let ask = Ask {
        actor: Actor::Server,
        once: vec![(log_out.once.0.clone(), seconds(log_out.once.1))],
        request: None,
        context: Context::default(),
        act: End(log_out),
    };
    match app.ledger.ask(ask).await {
        Ok(_) => Ok(()),
        Err(AskError::Refused(refusal) | AskError::Unrecorded(refusal)) => Err(Refused::Token(refusal.rule)),
        Err(_) => Err(Refused::Later),
    }
}

struct End(LogOut);

impl Act for End {
    type Answer = ();

    fn action(&self) -> Action {
        Action::LogOutByProvider {
            issuer: self.0.issuer.clone(),
            subject: self.0.subject.clone(),
            session: self.0.session.clone(),
        }
    }

    /// All that the token names, and no other provider's.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let Actor::Server = scene.actor else { return Err(refusal::NOT_FOR_DEVICES.into()) };
        let mut effects = Effects::none(());
        for session in scene.registry.sessions().filter(|session| self.is_meant(session)) {
            effects.concerns.extend(scene.registry.device(session.device).map(|device| device.principal));
            effects.ended.push(Record::Session(session.clone()).key());
        }
        Ok(effects)
    }
}

impl End {
    fn is_meant(&self, session: &Session) -> bool {
        let Some(origin) = &session.provider else { return false };
        origin.issuer == self.0.issuer
            && self.0.subject.as_ref().is_none_or(|subject| *subject == origin.subject)
            && match (&self.0.session, &origin.session) {
                (Some(named), Some(own)) => named == own,
                // Where the log-in did not say which session it was of, all of that person's are meant.
                (Some(_), None) => self.0.subject.is_some(),
                (None, _) => true,
            }
    }
}
