// SPDX-License-Identifier: LGPL-2.0-or-later
//! HTTP to one keystore: bounded in time and size, no redirects.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use plombe_core::keystore::{Origin, envelope::MAX_REPLY_BYTES};
use ureq::{
    Agent, Body,
    http::{Response, header},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

use crate::Browser;

/// What a caller may choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock.
    pub now: fn() -> SystemTime,
    /// DER of the certificate authorities that are believed; empty for the system's.
    pub certificate_authorities: Vec<Vec<u8>>,
    /// For a connection to stand.
    pub connect_timeout: Duration,
    /// For one request, its answer included.
    pub request_timeout: Duration,
    /// How often a request is sent when nothing, or nothing final, comes back.
    pub attempts: u32,
    /// Before the second attempt; doubles with each further one.
    pub backoff: Duration,
    /// How a person gets to the keystore's page when a call needs their passkey. Without it, such a call is refused.
    pub browser: Option<Browser>,
}

impl Options {
    /// What suits a person who waits: 10 s to connect, 30 s per request, four attempts.
    pub fn new(now: fn() -> SystemTime) -> Self {
        Self {
            now,
            certificate_authorities: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_millis(200),
            browser: None,
        }
    }
}

/// A connection pool to one keystore.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    origin: Origin,
}

/// What came back, whatever it is.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `DPoP-Nonce` header, when it holds what it may hold.
    pub(crate) nonce: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Nothing came back.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// No connection, broken connection, or no answer in time. Whether the request arrived is not known.
    Failed(String),
    /// More than a keystore sends.
    TooLarge,
}

impl Http {
    pub(crate) fn new(origin: Origin, options: &Options) -> Self {
        let roots = match options.certificate_authorities.as_slice() {
            [] => RootCerts::PlatformVerifier,
            roots => {
                let roots = roots.iter().map(|der| Certificate::from_der(der).to_owned());
                RootCerts::Specific(Arc::new(roots.collect()))
            }
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .user_agent("plombe")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(options.connect_timeout))
            .timeout_global(Some(options.request_timeout))
            .max_response_header_size(16 << 10);
        // A proxy from the environment sees sealed bodies only. Plain HTTP is for this machine, and stays on it.
        if origin.as_str().starts_with("http://") {
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), origin }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Public things.
    pub(crate) fn get(&self, path: &str, max_bytes: usize) -> Result<Answer, HttpError> {
        read(self.agent.get(self.origin.url(path)).call().map_err(failed)?, max_bytes)
    }

    /// Public things, told.
    pub(crate) fn post_text(&self, path: &str, text: &str, max_bytes: usize) -> Result<Answer, HttpError> {
        let request = self.agent.post(self.origin.url(path)).header(header::CONTENT_TYPE, "text/plain");
        read(request.send(text).map_err(failed)?, max_bytes)
    }

    /// Sealed things.
    pub(crate) fn post(
        &self,
        path: &str,
        authorization: Option<&str>,
        proof: &str,
        body: &[u8],
    ) -> Result<Answer, HttpError> {
        let mut request = self
            .agent
            .post(self.origin.url(path))
            .header(header::CONTENT_TYPE, "application/json")
            .header("DPoP", proof);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        read(request.send(body).map_err(failed)?, MAX_REPLY_BYTES)
    }
}

fn read(mut response: Response<Body>, max_bytes: usize) -> Result<Answer, HttpError> {
    let nonce = response
        .headers()
        .get("DPoP-Nonce")
        .and_then(|value| value.to_str().ok())
        .filter(|nonce| is_nonce(nonce));
    let nonce = nonce.map(str::to_owned);
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)?;
    Ok(Answer { status: response.status().as_u16(), nonce, body })
}

/// RFC 9449 section 8.1, and not so long that the proof becomes too large.
fn is_nonce(text: &str) -> bool {
    let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=256).contains(&text.len()) && text.bytes().all(allowed)
}

fn failed(error: ureq::Error) -> HttpError {
    match error {
        ureq::Error::BodyExceedsLimit(_) => HttpError::TooLarge,
        ureq::Error::Timeout(_) => HttpError::Failed("it does not answer in time".into()),
        other => HttpError::Failed(other.to_string()),
    }
}
