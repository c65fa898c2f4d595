// SPDX-License-Identifier: LGPL-2.0-or-later
//! A log-in from start to end.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use plombe_core::recipients::Address;
use url::Url;

use super::{
    FlowId, Issuers, LoginRefused, Reason, StateKey,
    claims::{Claims, Expected},
    discovery::Metadata,
    id_token::{Kind, UnverifiedIdToken},
    logout::LogOut,
    provider::Provider,
    redirect,
    state::LoginState,
};

/// RFC 6749 sets no bound; 2 KiB is common.
const MAX_CODE_BYTES: usize = 4096;
/// Asks for the claims in the ID token itself: the userinfo endpoint would be one more answer to check.
const CLAIMS: &str = r#"{"id_token":{"email":{"essential":true},"email_verified":{"essential":true}}}"#;

/// Begins and ends log-ins. Holds nothing about those under way.
pub struct LoginFlow {
    issuers: Issuers,
    key: StateKey,
}

/// A log-in that began.
#[derive(Debug)]
pub struct Started {
    /// What the user's browser opens.
    pub authorization_url: Url,
    /// Comes back with the code. The client compares what its redirect URI receives with this.
    pub state: String,
    /// For the log.
    pub flow_id: FlowId,
}

/// What arrived at the client's redirect URI.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// Parameter `state`.
    pub state: &'a str,
    /// Parameter `code`.
    pub code: &'a str,
    /// Parameter `iss` (RFC 9207), when there was one.
    pub issuer: Option<&'a str>,
}

/// Everything about the log-in is right, unless its state was used before: that takes the caller's records to know.
#[derive(Debug)]
#[must_use]
pub struct CheckedLogin {
    flow_id: FlowId,
    expires: SystemTime,
    identity: VerifiedIdentity,
}

/// A name that an issuer vouches for, in the tenant that the issuer is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// The issuer's identifier. Together with the subject it names the user, also when the address changes.
    pub issuer: String,
    /// The issuer's name for the user.
    pub subject: String,
    /// The user's address, in one of the issuer's domains.
    pub email: Address,
    /// The issuer's tenant.
    pub tenant: String,
    /// When the user last proved to the issuer who they are, when the issuer says so.
    pub auth_time: Option<SystemTime>,
    /// The issuer's name for its own session, when it says it: what it may end later.
    pub session: Option<String>,
}

impl CheckedLogin {
    /// To be inserted into the record of used states, in the transaction that makes the log-in count.
    pub fn flow_id(&self) -> FlowId {
        self.flow_id
    }

    /// Until when the record of this state must be kept.
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// The identity, when inserting [`Self::flow_id`] showed that it was not there yet.
    ///
    /// # Errors
    ///
    /// [`Reason::StateReplayed`] otherwise.
    pub fn into_identity(self, is_first_use: bool) -> Result<VerifiedIdentity, LoginRefused> {
        if is_first_use { Ok(self.identity) } else { Err(Reason::StateReplayed.into()) }
    }
}

impl LoginFlow {
    /// Log-ins with these issuers; `key` is the same on all servers.
    pub fn new(issuers: Issuers, key: StateKey) -> Self {
        Self { issuers, key }
    }

    /// The issuers.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Begins a log-in with the issuer of that name, for the device whose key has the thumbprint `device_jkt`.
    ///
    /// # Errors
    ///
    /// No such issuer, a redirect URI that is not allowed, or an issuer that cannot be asked.
    pub async fn start(
        &self,
        issuer: &str,
        redirect_uri: &str,
        device_jkt: &str,
        now: SystemTime,
    ) -> Result<Started, LoginRefused> {
        let provider = self.issuers.find(issuer)?;
        redirect::check(redirect_uri, &provider.config)?;
        let metadata = provider.metadata(now).await?;
        let login = LoginState::generate(issuer, redirect_uri, device_jkt, now);
        let (flow_id, state) = login.seal(&self.key);
        let authorization_url = authorization_url(provider, &metadata, &login, &state);
        Ok(Started { authorization_url, state, flow_id })
    }

    /// Ends a log-in: exchanges the code and checks what the issuer says.
    ///
    /// # Errors
    ///
    /// The first check that failed. All of them look alike from outside.
    pub async fn finish(
        &self,
        callback: Callback<'_>,
        device_jkt: &str,
        now: SystemTime,
    ) -> Result<CheckedLogin, LoginRefused> {
        let (flow_id, login) = LoginState::open(callback.state, device_jkt, &self.key, now)?;
        let provider = self.issuers.find(&login.issuer)?;
        check_response_issuer(callback.issuer, provider, now).await?;
        check_code(callback.code)?;

        // The issuer is the one of the state: a code of another issuer ends up nowhere but there.
        let response = provider.exchange(callback.code, &login.verifier, &login.redirect_uri, now).await?;
        let token = UnverifiedIdToken::parse(&response.id_token, Kind::IdToken, &provider.config)?;
        let algorithm = token.algorithm();
        let key = provider.key(token.key_id(), algorithm, now).await?;
        let expected = Expected {
            config: &provider.config,
            nonce: &login.nonce,
            started: login.started(),
            access_token: response.access_token.as_deref().map(String::as_str),
            algorithm,
            now,
        };
        let claims = Claims::check(&token.verify(&key)?, &expected)?;
        let identity = VerifiedIdentity {
            issuer: provider.config.issuer.as_str().to_owned(),
            subject: claims.subject,
            email: claims.email,
            tenant: provider.config.tenant.clone(),
            auth_time: claims.authenticated,
            session: claims.session,
        };
        Ok(CheckedLogin { flow_id, expires: login.expires(), identity })
    }
}

impl LoginFlow {
    /// Takes a logout token that came to the address of the issuer of that name. Whether it came before is for the caller's
    /// records to say.
    ///
    /// # Errors
    ///
    /// The first check that failed. All of them look alike from outside.
    pub async fn log_out(&self, issuer: &str, token: &str, now: SystemTime) -> Result<LogOut, LoginRefused> {
        let provider = self.issuers.find(issuer)?;
        let token = UnverifiedIdToken::parse(token, Kind::LogoutToken, &provider.config)?;
        let key = provider.key(token.key_id(), token.algorithm(), now).await?;
        Ok(LogOut::check(&token.verify(&key)?, &provider.config, now)?)
    }
}

fn authorization_url(provider: &Provider, metadata: &Metadata, login: &LoginState, state: &str) -> Url {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, login.verifier.as_bytes()));
    let mut url = metadata.authorization_endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.config.client_id)
        .append_pair("redirect_uri", &login.redirect_uri)
        .append_pair("scope", "openid email")
        .append_pair("state", state)
        .append_pair("nonce", &login.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if metadata.takes_claims_parameter {
        query.append_pair("claims", CLAIMS);
    }
    if let Some(seconds) = provider.config.max_authentication_age_seconds {
        query.append_pair("max_age", &seconds.to_string());
    }
    drop(query);
    url
}

/// Against mix-up: the client was sent to one issuer and the answer is another's (RFC 9207 section 2.4).
async fn check_response_issuer(
    named: Option<&str>,
    provider: &Provider,
    now: SystemTime,
) -> Result<(), Reason> {
    match named {
        Some(issuer) if issuer == provider.config.issuer.as_str() => Ok(()),
        Some(_) => Err(Reason::ResponseIssuerMismatch),
        None if provider.metadata(now).await?.names_itself_in_responses => Err(Reason::ResponseIssuerMissing),
        None => Ok(()),
    }
}

fn check_code(code: &str) -> Result<(), Reason> {
    let is_sound =
        (1..=MAX_CODE_BYTES).contains(&code.len()) && code.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if is_sound { Ok(()) } else { Err(Reason::CodeMalformed) }
}
