// SPDX-License-Identifier: LGPL-2.0-or-later
//! The public directory: certificates of the tenants' addresses, for anybody who knows what to ask for.
//!
//! Three protocols, one [`look_up`]: [`wkd`], [`hkp`], [`vks`]. What comes from outside: [`upload`], asked about by a
//! `challenge` mail, answered on the page of [`confirm`]. Nothing is listed; a question names an address, a
//! fingerprint or a key ID, whole. Everything that is not found looks the same.

mod challenge;
pub mod confirm;
pub mod hkp;
pub mod look_up;
pub mod reply;
pub mod upload;
mod uploaded;
pub mod vks;
pub mod wkd;

pub use challenge::SendChallenge;
pub(crate) use challenge::look_at;
pub use look_up::own_addresses;

use axum::routing::{MethodRouter, get, post};

use crate::app::App;

/// Everything of the directory: method, path, and who answers. Described in [`openapi`](crate::openapi).
pub fn routes() -> Vec<(&'static str, &'static str, MethodRouter<App>)> {
    vec![
        ("GET", "/.well-known/openpgpkey/policy", get(wkd::direct_policy)),
        ("GET", "/.well-known/openpgpkey/{domain}/policy", get(wkd::advanced_policy)),
        ("GET", "/.well-known/openpgpkey/hu/{hash}", get(wkd::direct)),
        ("GET", "/.well-known/openpgpkey/{domain}/hu/{hash}", get(wkd::advanced)),
        ("GET", "/pks/lookup", get(hkp::lookup)),
        ("POST", "/pks/add", post(upload::add)),
        ("GET", "/vks/v1/by-fingerprint/{fingerprint}", get(vks::by_fingerprint)),
        ("GET", "/vks/v1/by-keyid/{key_id}", get(vks::by_key_id)),
        ("GET", "/vks/v1/by-email/{address}", get(vks::by_email)),
        ("POST", "/vks/v1/upload", post(upload::upload)),
        ("GET", "/vks/confirm/{token}", get(confirm::page)),
        ("POST", "/vks/confirm/{token}", post(confirm::confirm)),
        ("POST", "/vks/v1/request-verify", post(upload::request_verify)),
    ]
}
