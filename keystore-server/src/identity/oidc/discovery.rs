// SPDX-License-Identifier: LGPL-2.0-or-later
//! What an issuer says about itself (OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::{IssuerConfig, Reason, fetch, strict_json};

/// The part of a discovery document that a log-in needs, checked.
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    /// Responses carry `iss` (RFC 9207), so one without it is not this issuer's.
    pub(super) names_itself_in_responses: bool,
    /// Claims can be asked for one by one; providers that follow the letter put `email` into the ID token only then.
    pub(super) takes_claims_parameter: bool,
    /// Takes the client secret in the `Authorization` header; this is what holds when nothing is said.
    pub(super) takes_basic_authentication: bool,
}

impl Metadata {
    pub(super) fn parse(document: &[u8], config: &IssuerConfig) -> Result<Self, Reason> {
        let members = strict_json::object(document, Reason::ProviderAnswerMalformed)?;
        // Section 4.3: without this, whoever serves the document (or a part of that host) speaks for any issuer.
        if members.get("issuer").and_then(Value::as_str) != Some(config.issuer.as_str()) {
            return Err(Reason::DiscoveryIssuerMismatch);
        }
        let is_set = |name: &str| members.get(name) == Some(&Value::Bool(true));
        let methods = members.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        Ok(Self {
            authorization_endpoint: endpoint(&members, "authorization_endpoint", config)?,
            token_endpoint: endpoint(&members, "token_endpoint", config)?,
            jwks_uri: endpoint(&members, "jwks_uri", config)?,
            names_itself_in_responses: is_set("authorization_response_iss_parameter_supported"),
            takes_claims_parameter: is_set("claims_parameter_supported"),
            takes_basic_authentication: methods
                .is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
        })
    }
}

fn endpoint(members: &Map<String, Value>, name: &str, config: &IssuerConfig) -> Result<Url, Reason> {
    let text = members.get(name).and_then(Value::as_str).ok_or(Reason::ProviderAnswerMalformed)?;
    let url = Url::parse(text).map_err(|_| Reason::ProviderAnswerMalformed)?;
    if fetch::is_allowed(&url, config) { Ok(url) } else { Err(Reason::EndpointNotAllowed) }
}
