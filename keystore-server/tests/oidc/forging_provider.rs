// SPDX-License-Identifier: LGPL-2.0-or-later
//! A forging provider: not an implementation of OpenID, but a server that answers whatever a test wants it to.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::token::{ACCESS_TOKEN, Keys};

/// Serves on a port of its own until it is dropped.
pub(crate) struct ForgingProvider {
    pub(crate) url: String,
    pub(crate) keys: Keys,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

/// What it answers, and what it was asked.
pub(crate) struct Script {
    pub(crate) discovery: Answer,
    pub(crate) jwks: Answer,
    pub(crate) token: Answer,
    pub(crate) discovery_fetches: usize,
    pub(crate) jwks_fetches: usize,
    /// `Authorization` header and body of the last code exchange.
    pub(crate) exchange: Option<(Option<String>, String)>,
}

/// Status, `Location`, body.
#[derive(Clone)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) Option<String>, pub(crate) String);

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self(200, None, body.to_string())
    }
}

impl Answer {
    pub(crate) fn failing(status: u16, body: Value) -> Self {
        Self(status, None, body.to_string())
    }

    fn respond(&self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap();
        let mut response = (status, self.2.clone()).into_response();
        if let Some(location) = &self.1 {
            response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
        }
        response
    }
}

impl ForgingProvider {
    pub(crate) async fn begin(prefix: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = Keys::generate(prefix);
        let script = Arc::new(Mutex::new(Script {
            discovery: discovery(&url).into(),
            jwks: keys.jwks().into(),
            token: Answer::failing(400, json!({ "error": "invalid_grant" })),
            discovery_fetches: 0,
            jwks_fetches: 0,
            exchange: None,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(serve_discovery))
            .route("/jwks", get(serve_jwks))
            .route("/token", post(serve_token))
            .with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, keys, script, server }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Answers the next exchange with this ID token.
    pub(crate) fn hand_out(&self, id_token: &str) {
        self.script().token =
            json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token }).into();
    }
}

impl Drop for ForgingProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) fn discovery(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "authorization_response_iss_parameter_supported": true,
    })
}

async fn serve_discovery(State(script): State<Arc<Mutex<Script>>>) -> Response {
    let mut script = script.lock().unwrap();
    script.discovery_fetches += 1;
    script.discovery.respond()
}

async fn serve_jwks(State(script): State<Arc<Mutex<Script>>>) -> Response {
    let mut script = script.lock().unwrap();
    script.jwks_fetches += 1;
    script.jwks.respond()
}

async fn serve_token(State(script): State<Arc<Mutex<Script>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut script = script.lock().unwrap();
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    script.exchange = Some((authorization, String::from_utf8(body.to_vec()).unwrap()));
    script.token.respond()
}
