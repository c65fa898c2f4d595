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

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

/// Every path of the directory.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/openpgpkey/policy", get(wkd::direct_policy))
        .route("/.well-known/openpgpkey/{domain}/policy", get(wkd::advanced_policy))
        .route("/.well-known/openpgpkey/hu/{hash}", get(wkd::direct))
        .route("/.well-known/openpgpkey/{domain}/hu/{hash}", get(wkd::advanced))
        .route("/pks/lookup", get(hkp::lookup))
        .route("/pks/add", post(hkp::add))
        .route("/vks/v1/by-fingerprint/{fingerprint}", get(vks::by_fingerprint))
        .route("/vks/v1/by-keyid/{key_id}", get(vks::by_key_id))
        .route("/vks/v1/by-email/{address}", get(vks::by_email))
        .route("/vks/v1/upload", post(vks::upload))
        .route("/vks/v1/request-verify", post(vks::upload))
}
