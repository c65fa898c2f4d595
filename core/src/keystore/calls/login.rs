// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log in: prove a name, get a session that is bound to this device's key.

use serde::{Deserialize, Serialize};

use super::{Access, Call};
use crate::keystore::{DeviceId, PrincipalId, SecretBytes, SessionId, SessionToken, TenantId};

/// Logs in with an enrolment code. The proof's key becomes the device's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginWithCode {
    /// The code's secret part (16 bytes).
    pub secret: SecretBytes,
    /// What the device is called, for people.
    pub device_name: String,
}

/// Begins a log-in at an identity provider (authorization code, PKCE; the keystore is the relying party).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OidcStart {
    /// Which provider, by its name in [`Info`](crate::keystore::Info).
    pub issuer: String,
    /// Where the browser comes back to: `http://127.0.0.1:<port>/` or an extension's own page.
    pub redirect_uri: String,
}

/// Where to send the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OidcStarted {
    /// The provider's page.
    pub url: String,
    /// What the redirect must carry, and what is handed back in [`OidcFinish`].
    pub state: String,
}

/// Ends a log-in with what the redirect brought. Same device key as [`OidcStart`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OidcFinish {
    /// `code` of the redirect.
    pub code: String,
    /// `state` of the redirect.
    pub state: String,
    /// `iss` of the redirect (RFC 9207), when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// What the device is called, for people.
    pub device_name: String,
}

/// A log-in that worked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoggedIn {
    /// The session.
    pub session: SessionGrant,
    /// Who this is now.
    pub identity: Identity,
}

/// A session, and how long it lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionGrant {
    /// Goes into the `Authorization` header.
    pub token: SessionToken,
    /// Its name, for revoking it.
    pub id: SessionId,
    /// To be renewed before then.
    pub expires_at: u64,
    /// No renewal beyond this: log in again.
    pub ends_at: u64,
}

/// Who a session speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Who.
    pub principal: PrincipalId,
    /// Name, for people.
    pub name: String,
    /// Mail addresses that the keystore knows to be this principal's.
    pub addresses: Vec<String>,
    /// What the principal is allowed in general.
    pub roles: Vec<Role>,
    /// This device.
    pub device: DeviceId,
    /// Pending devices use no keys.
    pub device_state: DeviceState,
    /// Is there a recovery code? The first device sets one.
    pub has_recovery_code: bool,
}

/// What a principal is allowed in general. Admins administer; they decrypt nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Has keys and uses them.
    User,
    /// Uses keys that others granted.
    Delegate,
    /// A program that uses keys which name it in a grant.
    Gateway,
    /// Reads the log.
    Auditor,
    /// Administers principals, issuers and rules.
    Admin,
}

/// How far a device is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    /// Logged in, but nobody who could know has said that it is the principal's.
    Pending,
    /// Confirmed, or the principal's first.
    Confirmed,
    /// Cut off.
    Revoked,
}

impl Call for LoginWithCode {
    const PATH: &'static str = "/v1/login/code";
    const ACCESS: Access = Access::LogIn;
    const REPEATABLE: bool = false;
    type Answer = LoggedIn;
}

impl Call for OidcStart {
    const PATH: &'static str = "/v1/login/oidc/start";
    const ACCESS: Access = Access::LogIn;
    type Answer = OidcStarted;
}

impl Call for OidcFinish {
    const PATH: &'static str = "/v1/login/oidc/finish";
    const ACCESS: Access = Access::LogIn;
    const REPEATABLE: bool = false;
    type Answer = LoggedIn;
}
