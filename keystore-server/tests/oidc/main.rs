// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log-in by OpenID: with a certified provider, and against one that forges; as functions, and through the running keystore.

mod attacks;
mod back_channel;
mod configuration;
mod flow_refusals;
mod forgeries;
mod forging_provider;
mod keystore;
#[path = "../served/mail.rs"]
mod mail;
mod provider_answers;
mod real_provider;
mod served;
mod story;
mod token;

use std::time::{Duration, SystemTime};

use plombe_keystore::identity::oidc::{IssuerConfig, Issuers, LoginFlow, StateKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Redirect URI of a client on the user's machine.
const REDIRECT: &str = "http://127.0.0.1:4711/callback";
/// Thumbprints of two device keys; to the log-in they are words.
const LAPTOP: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const MALLORYS_DEVICE: &str = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";

/// The time at which stories without a real provider happen.
fn story_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Configuration of an issuer for tenant `name` and domain `name.org`, with `changes` to it.
fn config(name: &str, issuer: &str, changes: Value) -> IssuerConfig {
    let mut config = json!({
        "name": name,
        "issuer": issuer,
        "client_id": "plombe",
        "tenant": name,
        "domains": [format!("{name}.org")],
    });
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(config).unwrap()
}

fn login_flow(configs: Vec<IssuerConfig>) -> LoginFlow {
    login_flow_under(7, configs)
}

/// A keystore whose states are sealed under a key of this byte.
fn login_flow_under(key: u8, configs: Vec<IssuerConfig>) -> LoginFlow {
    // The second test of this process finds it installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    LoginFlow::new(Issuers::new(configs).unwrap(), StateKey::new(Zeroizing::new([key; 32])))
}
