// SPDX-License-Identifier: LGPL-2.0-or-later
//! HTTPS to servers that strangers name: bounded in time, size and redirects.

use std::{io, sync::Arc, time::Duration};

use ureq::{
    Agent, Body,
    http::{Response, Uri, header},
    tls::{RootCerts, TlsConfig, TlsProvider},
    unversioned::transport::DefaultConnector,
};

use super::names::{Guard, NameError, Names, SystemNames};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For all of one request, its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Servers that add a slash or change a path need one; a loop needs more.
const MAX_REDIRECTS: usize = 3;

/// Asks servers. Proxies from the environment are not used: behind one, the check of addresses would mean nothing.
pub(crate) struct WebClient {
    agent: Agent,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebError {
    /// The host's name leads nowhere, or where it must not.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Neither yes nor no.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// To another host, to another scheme, or too often.
    #[error("the server redirects elsewhere, which is not followed")]
    Redirect,
    /// More than the caller takes.
    #[error("the answer is too large")]
    TooLarge,
    /// No answer in time.
    #[error("the server does not answer in time")]
    Timeout,
    /// No connection, no valid certificate, not HTTP.
    #[error("the connection failed: {0}")]
    Failed(String),
}

impl WebError {
    /// Does the host not exist at all?
    pub(crate) fn is_no_such_host(&self) -> bool {
        matches!(self, Self::Name(NameError::NoSuchHost(_)))
    }
}

impl WebClient {
    /// With the system's names and certificate authorities. Only the hosts in `allow_private` may have private
    /// addresses.
    pub(crate) fn new(allow_private: &[String]) -> Self {
        Self::with(Arc::new(SystemNames), allow_private, RootCerts::PlatformVerifier)
    }

    pub(super) fn with(names: Arc<dyn Names>, allow_private: &[String], roots: RootCerts) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .user_agent("plombe")
            .http_status_as_error(false)
            // Followed here, where host and scheme are compared.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .max_response_header_size(16 << 10)
            .build();
        let guard = Guard::new(names, allow_private);
        Self { agent: Agent::with_parts(config, DefaultConnector::default(), guard) }
    }

    /// What lies at `url`; `None` when the server says that nothing does.
    pub(crate) fn get(&self, url: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, WebError> {
        let mut url = parse(url)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.agent.get(url.clone()).call().map_err(failed)?;
            match response.status().as_u16() {
                200 => return read(response, max_bytes).map(Some),
                404 | 410 => return Ok(None),
                301 | 302 | 303 | 307 | 308 => url = same_place(&url, &response).ok_or(WebError::Redirect)?,
                other => return Err(WebError::Status(other)),
            }
        }
        Err(WebError::Redirect)
    }

    /// Hands `body` in. Returns status and answer, whatever they are; redirects are not followed.
    pub(crate) fn post(
        &self,
        url: &str,
        content_type: &str,
        body: &[u8],
        max_bytes: usize,
    ) -> Result<(u16, Vec<u8>), WebError> {
        let request = self.agent.post(parse(url)?).header(header::CONTENT_TYPE, content_type);
        let response = request.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        read(response, max_bytes).map(|answer| (status, answer))
    }
}

fn parse(url: &str) -> Result<Uri, WebError> {
    url.parse().map_err(|_| WebError::Failed("this is not a URL".into()))
}

/// The target of a redirect that stays on the same host, port and scheme.
fn same_place(from: &Uri, response: &Response<Body>) -> Option<Uri> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let absolute = match location.strip_prefix('/') {
        // `//host/` would be another host.
        Some(rest) if !rest.starts_with('/') && !rest.starts_with('\\') => {
            format!("{}://{}{location}", from.scheme_str()?, from.authority()?)
        }
        _ => location.to_owned(),
    };
    let to: Uri = absolute.parse().ok()?;
    let stays = to.scheme() == from.scheme() && to.authority() == from.authority();
    stays.then_some(to)
}

fn read(mut response: Response<Body>, max_bytes: usize) -> Result<Vec<u8>, WebError> {
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    response.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)
}

fn failed(error: ureq::Error) -> WebError {
    match error {
        ureq::Error::BodyExceedsLimit(_) => WebError::TooLarge,
        ureq::Error::Timeout(_) => WebError::Timeout,
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<NameError>()) {
            Some(name) => WebError::Name(name.clone()),
            None if error.kind() == io::ErrorKind::TimedOut => WebError::Timeout,
            None => WebError::Failed(error.to_string()),
        },
        other => WebError::Failed(other.to_string()),
    }
}
