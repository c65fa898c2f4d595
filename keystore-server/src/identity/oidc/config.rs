// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the operator says about an issuer: one `[[issuer]]` table of the configuration.

use std::{fmt, fs, io, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use url::{Host, Url};
use zeroize::Zeroizing;

/// An OpenID provider whose word about its users' names this keystore takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Short name, by which clients ask for this issuer and the log speaks of it: lower-case letters, digits, hyphens.
    pub name: String,
    /// The issuer's identifier, exactly as it stands in its tokens (`https://login.example.org`). `https`, or `http` on
    /// a loopback address.
    pub issuer: IssuerUrl,
    /// Under which id this keystore is registered there. The audience of the tokens: no other is accepted.
    pub client_id: String,
    /// File with the client secret, readable by its owner only. Leave it out for a public client.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// The tenant that this issuer's users belong to.
    pub tenant: String,
    /// Domains in which this issuer may say whose an address is (`example.org`; subdomains are others).
    pub domains: Vec<String>,
    /// Signature algorithms that its tokens may use. Default: RS256, ES256, EdDSA.
    #[serde(default = "SigningAlgorithm::usual")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// Hosts beside the issuer's own that its discovery document may point to. Google's, for example, points to
    /// `oauth2.googleapis.com` and `www.googleapis.com`. Reached by `https` on port 443.
    #[serde(default)]
    pub endpoint_hosts: Vec<String>,
    /// PEM file with the certification authorities for this issuer's hosts, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How far the issuer's clock may be off: 10 to 60. Default: 30. (A token is issued while we wait for it, so it may be
    /// some seconds younger than our look at the clock.)
    #[serde(default = "default_skew_seconds")]
    pub max_clock_skew_seconds: u64,
    /// Asks for a fresh proof of identity when the issuer's own session is older. Default: the issuer decides.
    #[serde(default)]
    pub max_authentication_age_seconds: Option<u64>,
    /// Refuses users whose token does not say `email_verified: true`. Default: true. Turn it off only for an issuer that
    /// assigns the addresses itself and never sends the claim (Microsoft Entra ID with a single directory); a token
    /// that says `false` is refused all the same.
    #[serde(default = "yes")]
    pub require_email_verified: bool,
    /// Redirect URIs of clients that are not on a loopback address (browser extensions), compared exactly.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Allows `http://127.0.0.1:PORT/…` and `http://[::1]:PORT/…` with any port, as native clients need it (RFC 8252).
    /// Default: true.
    #[serde(default = "yes")]
    pub loopback_redirects: bool,
}

impl IssuerConfig {
    /// Checks what can be seen without asking anybody.
    ///
    /// # Errors
    ///
    /// Says which field is wrong and what it should be.
    pub fn check(&self) -> Result<(), IssuerConfigError> {
        let wrong = |what| Err(IssuerConfigError::Field { issuer: self.name.clone(), what });
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(is_name) {
            return wrong("name: 1 to 32 lower-case letters, digits or hyphens");
        }
        if self.client_id.is_empty() {
            return wrong("client_id: may not be empty; it is the audience that tokens are checked for");
        }
        if self.tenant.is_empty() {
            return wrong("tenant: may not be empty");
        }
        if self.domains.is_empty() {
            return wrong("domains: name at least one; an issuer that may vouch for no address is of no use");
        }
        if !self.domains.iter().chain(&self.endpoint_hosts).all(|name| is_domain(name)) {
            return wrong("domains, endpoint_hosts: domain names in lower-case A-labels, without wildcards");
        }
        if self.algorithms.is_empty() {
            return wrong("algorithms: name at least one");
        }
        if !(10..=60).contains(&self.max_clock_skew_seconds) {
            return wrong(
                "max_clock_skew_seconds: 10 to 60; when that is not enough, set the clocks instead",
            );
        }
        if self.redirect_uris.iter().any(|uri| Url::parse(uri).is_err() || uri.contains('*')) {
            return wrong("redirect_uris: whole URIs, without wildcards");
        }
        Ok(())
    }

    pub(super) fn max_clock_skew(&self) -> Duration {
        Duration::from_secs(self.max_clock_skew_seconds)
    }

    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.iter().any(|allowed| allowed.into_jwa() == algorithm)
    }
}

/// Why an issuer's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerConfigError {
    /// A field has a value that it must not have.
    #[error("issuer {issuer:?}: {what}")]
    Field {
        /// Name of the issuer.
        issuer: String,
        /// The field, and what it should be.
        what: &'static str,
    },
    /// Two issuers say the same thing that only one may say.
    #[error("issuers {first:?} and {second:?}: {what}")]
    Clash {
        /// Name of one.
        first: String,
        /// Name of the other.
        second: String,
        /// What they both claim.
        what: &'static str,
    },
    /// A file cannot be read.
    #[error("issuer {issuer:?}: cannot read {}: {error}", path.display())]
    File {
        /// Name of the issuer.
        issuer: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others on this machine may read the client secret.
    #[error("issuer {issuer:?}: others can read {}; run: chmod 600 {}", path.display(), path.display())]
    SecretReadable {
        /// Name of the issuer.
        issuer: String,
        /// The file.
        path: PathBuf,
    },
    /// The HTTP client cannot be made: no such certificates, or no TLS provider in this process.
    #[error("issuer {issuer:?}: cannot prepare TLS: {error}")]
    Tls {
        /// Name of the issuer.
        issuer: String,
        /// What the HTTP client says.
        error: reqwest::Error,
    },
}

/// An issuer's identifier: kept as written, because tokens are compared with it byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct IssuerUrl {
    text: String,
    url: Url,
}

impl IssuerUrl {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Where the discovery document is (OpenID Connect Discovery section 4.1).
    pub(super) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'))
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = Url::parse(&text).map_err(|_| "issuer: not a URL")?;
        if !is_secure(&url) {
            return Err("issuer: https://…, or http:// on a loopback address");
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err("issuer: no user, query or fragment");
        }
        Ok(Self { text, url })
    }
}

/// Encrypted, or never on a wire.
pub(super) fn is_secure(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

/// What shows a provider that it is this keystore that asks.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// The secret. Every use of it goes through here.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads the file that `config` names; white space at its end does not count.
    pub(super) fn of(config: &IssuerConfig) -> Result<Option<Self>, IssuerConfigError> {
        let Some(path) = &config.client_secret_file else { return Ok(None) };
        let failed =
            |error| IssuerConfigError::File { issuer: config.name.clone(), path: path.clone(), error };
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(IssuerConfigError::SecretReadable {
                issuer: config.name.clone(),
                path: path.clone(),
            });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        match text.trim_end() {
            "" => Err(IssuerConfigError::Field {
                issuer: config.name.clone(),
                what: "client_secret_file: the file is empty",
            }),
            secret => Ok(Some(Self(Zeroizing::new(secret.to_owned())))),
        }
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// Signatures by a key pair. There is no `none` and no HMAC here, so neither can be configured or confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "names of RFC 7518 and RFC 8037")]
pub enum SigningAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "ES384")]
    Es384,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    fn usual() -> Vec<Self> {
        vec![Self::Rs256, Self::Es256, Self::EdDsa]
    }

    fn into_jwa(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Ps256 => Algorithm::PS256,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

fn is_domain(name: &str) -> bool {
    idna::domain_to_ascii_strict(name).is_ok_and(|ascii| ascii == name) && name.contains('.')
}

fn default_skew_seconds() -> u64 {
    30
}

fn yes() -> bool {
    true
}
