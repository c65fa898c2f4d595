// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log-in by an OpenID provider, with the keystore as relying party of a native client.
//!
//! 1. [`LoginFlow::start`] makes the address that the user's browser opens, and a *state*: everything that the end of
//!    the log-in needs, sealed, so that any server behind the load balancer can end what another began.
//! 2. The provider sends the browser to the client's own redirect URI (loopback, or the extension's). The client hands
//!    `code`, `state` and `iss` to the keystore.
//! 3. [`LoginFlow::finish`] exchanges the code with the PKCE verifier from the state and checks the ID token.
//! 4. The caller writes the [`FlowId`] down and learns by that whether the state was used before;
//!    [`CheckedLogin::into_identity`] gives the identity only for a first use.
//!
//! Every issuer has its own HTTP client, key set and tenant. Nothing in a token, its header or a client's request names
//! a place to fetch anything from: only the hosts of [`IssuerConfig`] are ever asked.
//!
//! A log-in proves a name, not a device. Who owns an issuer can log in as anybody in its domains, and gets a *pending*
//! device by that, not the use of anybody's keys.
//!
//! Deliberately absent: implicit and hybrid flow, symmetric signatures, encrypted ID tokens, dynamic registration,
//! log-out by front channel, claims from the userinfo endpoint.

mod claims;
mod config;
mod discovery;
mod fetch;
mod flow;
mod id_token;
mod issuers;
mod key_set;
mod logout;
mod provider;
mod redirect;
mod refusal;
mod state;
mod strict_json;

pub use config::{ClientSecret, IssuerConfig, IssuerConfigError, IssuerUrl, SigningAlgorithm};
pub use flow::{Callback, CheckedLogin, LoginFlow, Started, VerifiedIdentity};
pub use issuers::Issuers;
pub use logout::LogOut;
pub use refusal::{LoginRefused, Reason};
pub use state::{FlowId, StateKey};
