// SPDX-License-Identifier: LGPL-2.0-or-later
//! Asks an issuer's hosts, and nobody else: no redirects, bounded answers, bounded time, no proxy of the environment.

use std::{fs, time::Duration};

use reqwest::{Certificate, Client, Method, Request, Response, StatusCode, header, redirect};
use url::Url;

use super::{IssuerConfig, IssuerConfigError, Reason, config::is_secure};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole answer. A user waits for two or three of them.
const TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP client of one issuer.
pub(super) struct Fetcher {
    client: Client,
}

impl Fetcher {
    pub(super) fn new(config: &IssuerConfig) -> Result<Self, IssuerConfigError> {
        let tls = |error| IssuerConfigError::Tls { issuer: config.name.clone(), error };
        let mut builder = Client::builder()
            .user_agent(concat!("plombe-keystore/", env!("CARGO_PKG_VERSION")))
            // A redirect would be a second address that nobody configured.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if let Some(path) = &config.ca_file {
            let failed =
                |error| IssuerConfigError::File { issuer: config.name.clone(), path: path.clone(), error };
            let pem = fs::read(path).map_err(failed)?;
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(tls)?);
        }
        Ok(Self { client: builder.build().map_err(tls)? })
    }

    /// Body of a document of at most `limit_bytes`.
    pub(super) async fn document(&self, url: Url, limit_bytes: usize) -> Result<Vec<u8>, Reason> {
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        let (status, body) = self.exchange(request, limit_bytes).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(Reason::ProviderFailed) }
    }

    /// Status and body (at most `limit_bytes`) of any answer that is not a redirect.
    pub(super) async fn exchange(
        &self,
        request: Request,
        limit_bytes: usize,
    ) -> Result<(StatusCode, Vec<u8>), Reason> {
        let response = self.client.execute(request).await.map_err(|_| Reason::ProviderUnreachable)?;
        let status = response.status();
        if status.is_redirection() || status.is_server_error() {
            return Err(Reason::ProviderFailed);
        }
        Ok((status, body(response, limit_bytes).await?))
    }
}

async fn body(mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, Reason> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Reason::ProviderUnreachable)? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(Reason::ProviderAnswerMalformed);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// May this issuer's discovery document point to `url`?
pub(super) fn is_allowed(url: &Url, config: &IssuerConfig) -> bool {
    let issuer = config.issuer.url();
    let is_its_own = url.origin() == issuer.origin();
    let is_listed = url.scheme() == "https"
        && url.port_or_known_default() == Some(443)
        && url.host_str().is_some_and(|host| config.endpoint_hosts.iter().any(|listed| listed == host));
    is_secure(url)
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && (is_its_own || is_listed)
}
