// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a keystore says about itself to anybody (`GET /v1/info`, not sealed).

use serde::{Deserialize, Serialize};

use super::KeystoreIdentity;

/// Path of [`Info`].
pub const INFO_PATH: &str = "/v1/info";
/// Version of the API that this code speaks.
pub const API_VERSION: u32 = 1;

/// A keystore's business card. Clients pin `identity` and believe the rest no further than it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Info {
    /// Its keys.
    pub identity: KeystoreIdentity,
    /// How one logs in.
    pub login: LoginMethods,
    /// Version of the server's software.
    pub server_version: String,
    /// See [`API_VERSION`].
    pub api_version: u32,
}

/// How one logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginMethods {
    /// With an enrolment code?
    pub code: bool,
    /// With one of these identity providers.
    #[serde(default)]
    pub oidc: Vec<OidcLogin>,
}

/// An identity provider, for people to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OidcLogin {
    /// Name to show, and what [`super::calls::login::OidcStart`] names.
    pub name: String,
    /// Issuer URL.
    pub issuer: String,
}
