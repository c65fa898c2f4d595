// SPDX-License-Identifier: LGPL-2.0-or-later
//! The server's own log: one JSON object per line, on standard error.
//!
//! It holds what happened and what failed, with the request's id; never a body, a header, a token, an address or a name. `PLOMBE_LOG`
//! says how much of it. What libraries tell below `info` can be whole requests, so it is left out whatever is asked for.

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// The variable that says how much is told: `warn`, `debug`, `plombe_keystore::ledger=trace`, …
pub const VARIABLE: &str = "PLOMBE_LOG";

/// Begins to write it.
///
/// # Errors
/// When the variable says nothing that is understood.
pub fn begin() -> Result<(), String> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| format!("{VARIABLE}={text}: {error}"))?,
        Err(_) => EnvFilter::new("info"),
    };
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(wanted.and(filter_fn(is_fit)))).init();
    Ok(())
}

/// Ours, or nothing that holds what somebody sent.
fn is_fit(about: &Metadata<'_>) -> bool {
    about.target().starts_with("plombe_") || *about.level() <= Level::INFO
}
