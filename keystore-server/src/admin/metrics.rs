// SPDX-License-Identifier: LGPL-2.0-or-later
//! `GET /metrics`, on a listener of its own.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use crate::{app::App, connections::bounded, metrics::Gauges};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Takes the address, so that a wrong one is said at start.
pub(super) fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind(listen).with_context(|| format!("metrics.listen: cannot listen on {listen}"))?;
    listener.set_nonblocking(true)?;
    tracing::info!(address = %listener.local_addr()?, "metrics");
    Ok(listener)
}

/// Serves it until the server stops.
pub(super) async fn serve(listener: TcpListener, app: App, handle: axum_server::Handle<SocketAddr>) {
    let patience = app.limits.patience();
    let router = Router::new().route("/metrics", get(async move || text(&app)));
    let served = match axum_server::from_tcp(listener) {
        Ok(server) => bounded(server, patience).handle(handle).serve(router.into_make_service()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::warn!(error = &error as &dyn std::error::Error, "metrics are not served");
    }
}

fn text(app: &App) -> Result<impl IntoResponse + use<>, StatusCode> {
    let gauges = Gauges {
        log_size: app.ledger.checkpoint().map_or(0, |checkpoint| checkpoint.head().size),
        halted: app.ledger.halted().is_some(),
        connections: app.connections.open(),
    };
    let text = app.metrics.to_text(&gauges).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text))
}
