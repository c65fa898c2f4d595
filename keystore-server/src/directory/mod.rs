// SPDX-License-Identifier: LGPL-2.0-or-later
//! The public directory: certificates of the tenants' addresses, for anybody who knows what to ask for.
//!
//! Three protocols, one [`look_up`]: [`wkd`], [`hkp`], [`vks`]. Nothing is listed; a question names an address, a
//! fingerprint or a key ID, whole. Everything that is not found looks the same.

pub mod hkp;
pub mod look_up;
pub mod reply;
pub mod vks;
pub mod wkd;

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
        ("POST", "/pks/add", post(hkp::add)),
        ("GET", "/vks/v1/by-fingerprint/{fingerprint}", get(vks::by_fingerprint)),
        ("GET", "/vks/v1/by-keyid/{key_id}", get(vks::by_key_id)),
        ("GET", "/vks/v1/by-email/{address}", get(vks::by_email)),
        ("POST", "/vks/v1/upload", post(vks::upload)),
        ("POST", "/vks/v1/request-verify", post(vks::upload)),
    ]
}
