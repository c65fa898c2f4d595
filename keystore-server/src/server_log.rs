// SPDX-License-Identifier: LGPL-2.0-or-later
//! The server's own log: one JSON object per line, on standard error.
//!
//! It holds what happened and what failed, with the request's id; never a body, a header, a token, an address or a name. `PLOMBE_LOG`
//! says how much of it. What libraries tell below `info` can be whole requests, so it is left out, and who asks for it by name is refused.

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, Targets, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// The variable that says how much is told: `warn`, `debug`, `plombe_keystore::ledger=trace`, …
pub const VARIABLE: &str = "PLOMBE_LOG";

/// Begins to write it.
///
/// # Errors
/// When the variable says nothing that is understood, or asks for what nobody gets.
pub fn begin() -> Result<(), String> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(text) => wanted(&text).map_err(|why| format!("{VARIABLE}={text}: {why}"))?,
        Err(_) => EnvFilter::new("info"),
    };
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(wanted.and(filter_fn(is_fit)))).init();
    Ok(())
}

/// Which parts are told of, and how much.
fn wanted(text: &str) -> Result<EnvFilter, String> {
    let targets: Targets = text.parse().map_err(|error| format!("{error}"))?;
    let refused = targets.iter().find(|(target, level)| !is_ours(target) && *level > LevelFilter::INFO);
    match refused {
        Some((target, level)) => Err(format!(
            "at {level}, {target} tells what people sent: bodies, headers, tokens. Below info there are this program's own parts \
             only, like plombe_keystore::api={level}"
        )),
        None => EnvFilter::try_new(text).map_err(|error| error.to_string()),
    }
}

fn is_ours(target: &str) -> bool {
    target.starts_with("plombe_")
}

/// Ours, or nothing that holds what somebody sent.
fn is_fit(about: &Metadata<'_>) -> bool {
    is_ours(about.target()) || *about.level() <= Level::INFO
}
