// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore serve`: run until told to stop.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use plombe_core::crypto_policy::CryptoPolicy;

use super::clock;
use crate::{
    access_policy::seconds,
    api::router::router,
    app::{App, Parts, Passkeys},
    config::{Config, TlsConfig},
    connections::{Connections, bounded},
    custody::Vault,
    identity::{
        Nonces,
        oidc::{Issuers, LoginFlow, StateKey},
        passkey::{RelyingParty, Tickets},
    },
    known_checkpoints::KnownCheckpoints,
    limits::Limits,
    mail::Challenges,
    metrics::Metrics,
    refusals::Refusals,
};

/// Requests under way get so long to end.
const GRACE: Duration = Duration::from_secs(10);
/// How often counted refusals go on record and old limits are forgotten.
const TIDY: Duration = Duration::from_secs(60);

/// Runs the keystore of this configuration.
///
/// # Errors
/// When it does not come up; each says what to do.
pub async fn serve(config_file: &Path) -> anyhow::Result<()> {
    let listen = Config::load(config_file)?.listen;
    // Bound first: with port 0 its address is part of what the keystore is called.
    let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let opened =
        super::open(config_file, |config| super::origin(&Config { listen: address, ..config.clone() }))
            .await?;
    let findings = opened.store.durability_findings().await?;
    anyhow::ensure!(findings.is_empty(), "the database is not fit to record: {}", findings.join("; "));

    let nonce_key = opened.keychain.derived(b"plombe keystore proof nonces v1");
    let state_key = opened.keychain.derived(b"plombe keystore log-in states v1");
    let oidc = match opened.config.issuers.is_empty() {
        true => None,
        false => Some(LoginFlow::new(Issuers::new(opened.config.issuers.clone())?, StateKey::new(state_key))),
    };
    let ticket_key = opened.keychain.derived(b"plombe keystore passkey tickets v1");
    let passkeys = Passkeys {
        relying_party: RelyingParty::of(&opened.keychain.identity().origin),
        tickets: Tickets::new(&ticket_key),
        admins_need_them: opened.config.step_up.require_for_admins,
    };
    if !passkeys.admins_need_them {
        tracing::warn!(
            "administrators without a passkey are not asked for one; when each has one, set [step_up] require_for_admins = true"
        );
    }
    let app = App::new(Parts {
        vault: Vault::new(Arc::clone(&opened.store), Arc::clone(&opened.keychain)),
        ledger: opened.ledger,
        known_checkpoints: KnownCheckpoints::default(),
        store: opened.store,
        oidc,
        challenges: opened.config.mail.clone().map(Challenges::new).transpose()?,
        passkeys,
        nonces: Nonces::new(&nonce_key),
        limits: Limits::new(&opened.config.limits),
        refusals: Refusals::default(),
        connections: Connections::new(&opened.config.limits, opened.config.proxies()),
        metrics: Metrics::default(),
        times: opened.config.times(),
        policy: CryptoPolicy::standard(),
        clock: clock(),
        keychain: opened.keychain,
    });
    if let Some(finding) = app.connections.descriptors_finding() {
        tracing::warn!(%finding, "fewer connections than configured");
    }
    let metrics =
        opened.config.metrics.as_ref().map(|metrics| super::metrics::bind(metrics.listen)).transpose()?;
    run(app, listener, opened.config.tls.as_ref(), metrics).await
}

/// Serves until told to stop.
///
/// # Errors
/// When it cannot, or when what records has failed: nothing was acknowledged then that is not on record, and only a new process
/// knows for certain what is.
pub async fn run(
    app: App,
    listener: TcpListener,
    tls: Option<&TlsConfig>,
    metrics: Option<TcpListener>,
) -> anyhow::Result<()> {
    tokio::spawn(tidy(app.clone()));
    let handle = axum_server::Handle::new();
    tokio::spawn(stop_on_signal(handle.clone()));
    tokio::spawn(stop_without_writer(app.clone(), handle.clone()));
    if let Some(listener) = metrics {
        tokio::spawn(super::metrics::serve(listener, app.clone(), handle.clone()));
    }
    let (connections, patience) = (app.connections.clone(), app.limits.patience());
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    println!("listening on {}", app.keychain().identity().origin.as_str());
    match tls {
        Some(tls) => {
            let tls = RustlsConfig::from_pem_file(&tls.certificate_file, &tls.key_file)
                .await
                .context("cannot use the TLS certificate or key")?;
            let server = axum_server::from_tcp_rustls(listener, tls)?
                .map(|tls| tls.handshake_timeout(patience).acceptor(connections));
            bounded(server, patience).handle(handle).serve(service).await?;
        }
        None => {
            let server = axum_server::from_tcp(listener)?.acceptor(connections);
            bounded(server, patience).handle(handle).serve(service).await?;
        }
    }
    app.record_refusals().await;
    anyhow::ensure!(app.ledger.is_running(), "what records has failed; start the server again");
    Ok(())
}

/// Who asks meanwhile is told that nothing is recorded.
async fn stop_without_writer(app: App, handle: axum_server::Handle<SocketAddr>) {
    app.ledger.ended().await;
    tracing::error!("what records has failed; the server ends");
    handle.graceful_shutdown(Some(GRACE));
}

async fn tidy(app: App) {
    let mut every = tokio::time::interval(TIDY);
    loop {
        every.tick().await;
        app.record_refusals().await;
        app.limits.tidy();
        app.challenges.iter().for_each(Challenges::tidy);
        // By a clock that is ahead, proofs would be forgotten that count again when it is right.
        let Ok(now) = app.ledger.time() else { continue };
        if let Err(error) = app.store.forget_expired(seconds(now)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot tidy up");
        }
    }
}

/// SIGTERM and SIGINT end it: no new requests, and those under way have their time.
async fn stop_on_signal(handle: axum_server::Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    handle.graceful_shutdown(Some(GRACE));
}
