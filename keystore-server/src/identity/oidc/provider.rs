// SPDX-License-Identifier: LGPL-2.0-or-later
//! One issuer, seen from here: its documents, fetched when needed and kept for a while, and its token endpoint.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{
    Body, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{
    ClientSecret, IssuerConfig, IssuerConfigError, Reason, discovery::Metadata, fetch::Fetcher,
    key_set::KeySet, strict_json,
};

const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
const MAX_TOKEN_RESPONSE_BYTES: usize = 64 * 1024;
/// A key that the issuer withdraws is accepted for no longer than this.
const KEEP_FOR: Duration = Duration::from_secs(3600);
/// Between two fetches of the key set for the sake of unknown key ids, which anybody who forges a token can send.
const REFRESH_AFTER: Duration = Duration::from_secs(60);
/// Between two attempts at an issuer that does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// An issuer with its own connections, documents and keys.
pub(super) struct Provider {
    pub(super) config: IssuerConfig,
    secret: Option<ClientSecret>,
    fetcher: Fetcher,
    metadata: Mutex<Kept<Metadata>>,
    keys: Mutex<Kept<KeySet>>,
}

/// Both parts of a token response that matter here.
pub(super) struct TokenResponse {
    pub(super) id_token: String,
    /// Used for nothing but `at_hash`.
    pub(super) access_token: Option<Zeroizing<String>>,
}

impl Provider {
    pub(super) fn new(config: IssuerConfig) -> Result<Self, IssuerConfigError> {
        Ok(Self {
            secret: ClientSecret::of(&config)?,
            fetcher: Fetcher::new(&config)?,
            config,
            metadata: Mutex::default(),
            keys: Mutex::default(),
        })
    }

    pub(super) async fn metadata(&self, now: SystemTime) -> Result<Arc<Metadata>, Reason> {
        let mut kept = self.metadata.lock().await;
        if let Some(metadata) = kept.fresh(now) {
            return Ok(metadata);
        }
        kept.may_try(now)?;
        let url =
            Url::parse(&self.config.issuer.discovery_url()).expect("an issuer's URL with a path behind it");
        let document = self.fetcher.document(url, MAX_DOCUMENT_BYTES).await?;
        Ok(kept.keep(Metadata::parse(&document, &self.config)?, now))
    }

    /// The key that a token names, from this issuer's own set.
    pub(super) async fn key(
        &self,
        key_id: &str,
        algorithm: Algorithm,
        now: SystemTime,
    ) -> Result<DecodingKey, Reason> {
        let metadata = self.metadata(now).await?;
        // Held while fetching: a hundred log-ins after a key rotation cause one fetch.
        let mut kept = self.keys.lock().await;
        let keys = match kept.fresh(now) {
            Some(keys) if keys.has(key_id) || !kept.may_refresh(now) => keys,
            _ => {
                kept.may_try(now)?;
                let document = self.fetcher.document(metadata.jwks_uri.clone(), MAX_DOCUMENT_BYTES).await?;
                kept.keep(KeySet::parse(&document)?, now)
            }
        };
        keys.find(key_id, algorithm)
    }

    /// Exchanges an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub(super) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
        now: SystemTime,
    ) -> Result<TokenResponse, Reason> {
        let metadata = self.metadata(now).await?;
        let request = self.token_request(&metadata, code, verifier, redirect_uri);
        let (status, body) = self.fetcher.exchange(request, MAX_TOKEN_RESPONSE_BYTES).await?;
        let body = Zeroizing::new(body);
        let mut members = strict_json::object(&body, Reason::ProviderAnswerMalformed)?;
        if status != StatusCode::OK {
            return Err(match members.get("error").and_then(Value::as_str) {
                Some("invalid_grant") => Reason::CodeRefused,
                Some("invalid_client" | "unauthorized_client") => Reason::ClientRefused,
                _ => Reason::ProviderFailed,
            });
        }
        let access_token = match members.remove("access_token") {
            Some(Value::String(token)) => Some(Zeroizing::new(token)),
            _ => None,
        };
        match members.remove("id_token") {
            Some(Value::String(id_token)) => Ok(TokenResponse { id_token, access_token }),
            _ => Err(Reason::IdTokenMissing),
        }
    }

    /// Asks the token endpoint to exchange the code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    fn token_request(&self, metadata: &Metadata, code: &str, verifier: &str, redirect_uri: &str) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", verifier);
        let mut request = Request::new(Method::POST, metadata.token_endpoint.clone());
        match &self.secret {
            Some(secret) if metadata.takes_basic_authentication => {
                request.headers_mut().insert(AUTHORIZATION, basic(&self.config.client_id, secret));
            }
            Some(secret) => {
                form.append_pair("client_id", &self.config.client_id)
                    .append_pair("client_secret", secret.expose());
            }
            None => {
                form.append_pair("client_id", &self.config.client_id);
            }
        }
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.body_mut() = Some(Body::from(form.finish()));
        request
    }
}

/// RFC 6749 section 2.3.1: both halves are form-encoded first.
fn basic(client_id: &str, secret: &ClientSecret) -> HeaderValue {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret.expose())));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
        .expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

/// A document, since when we have it, and when it was last asked for.
struct Kept<T> {
    document: Option<(Arc<T>, SystemTime)>,
    tried: Option<SystemTime>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { document: None, tried: None }
    }
}

impl<T> Kept<T> {
    fn fresh(&self, now: SystemTime) -> Option<Arc<T>> {
        let (document, since) = self.document.as_ref()?;
        (age(*since, now) < KEEP_FOR).then(|| Arc::clone(document))
    }

    /// Has enough time passed since anybody was asked?
    fn may_refresh(&self, now: SystemTime) -> bool {
        self.tried.is_none_or(|tried| age(tried, now) >= REFRESH_AFTER)
    }

    /// Notes an attempt, unless the last one failed a moment ago.
    fn may_try(&mut self, now: SystemTime) -> Result<(), Reason> {
        let failed_last =
            self.tried.filter(|tried| self.document.as_ref().is_none_or(|(_, since)| since != tried));
        if failed_last.is_some_and(|tried| age(tried, now) < RETRY_AFTER) {
            return Err(Reason::ProviderUnreachable);
        }
        self.tried = Some(now);
        Ok(())
    }

    fn keep(&mut self, document: T, now: SystemTime) -> Arc<T> {
        let document = Arc::new(document);
        self.document = Some((Arc::clone(&document), now));
        document
    }
}

/// A clock that was set back makes everything old: fetching once more is harmless, waiting a day is not.
fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or(Duration::MAX)
}
