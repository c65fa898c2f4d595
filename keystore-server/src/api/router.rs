// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which call is served where.

use axum::{
    Router,
    routing::{get, post},
};
use plombe_core::keystore::{INFO_PATH, calls, envelope::MAX_REQUEST_BYTES};
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer};

use super::{Serve, audit, info, sealed};
use crate::{app::App, directory};

/// Slower requests are half-open connections.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

struct Calls {
    router: Router<App>,
    paths: Vec<&'static str>,
}

impl Calls {
    fn and<C: Serve>(mut self) -> Self
    where
        C::Answer: Send,
    {
        self.router = self.router.route(C::PATH, post(sealed::serve::<C>));
        self.paths.push(C::PATH);
        self
    }
}

fn calls() -> Calls {
    Calls { router: Router::new(), paths: Vec::new() }
        .and::<calls::login::LoginWithCode>()
        .and::<calls::login::OidcStart>()
        .and::<calls::login::OidcFinish>()
        .and::<calls::session::RenewSession>()
        .and::<calls::session::LogOut>()
        .and::<calls::session::WhoAmI>()
        .and::<calls::devices::ListDevices>()
        .and::<calls::devices::ConfirmDevice>()
        .and::<calls::recovery::SetRecoveryCode>()
        .and::<calls::recovery::Recover>()
        .and::<calls::revoke::Revoke>()
        .and::<calls::keys::GenerateKey>()
        .and::<calls::keys::ImportKey>()
        .and::<calls::keys::ListKeys>()
        .and::<calls::custody::Unwrap>()
        .and::<calls::custody::SignDigest>()
        .and::<calls::certificates::CertifyUserIds>()
        .and::<calls::certificates::RotateSubkeys>()
        .and::<calls::certificates::SetExpiry>()
        .and::<calls::certificates::RevokeKey>()
        .and::<calls::certificates::AddUserId>()
        .and::<calls::backup::PutBackup>()
        .and::<calls::backup::FetchBackup>()
        .and::<calls::backup::ListBackups>()
        .and::<calls::grants::ListGrants>()
        .and::<calls::grants::GiveGrant>()
        .and::<calls::grants::EndGrant>()
        .and::<calls::principals::CreatePrincipal>()
        .and::<calls::principals::ListPrincipals>()
        .and::<calls::principals::SetPrincipalState>()
        .and::<calls::principals::SetRoles>()
        .and::<calls::principals::CreateCode>()
        .and::<calls::approvals::ListApprovals>()
        .and::<calls::approvals::RequestAdmin>()
        .and::<calls::approvals::Approve>()
        .and::<calls::approvals::RequestBreakGlass>()
        .and::<calls::approvals::BreakGlassUnwrap>()
        .and::<calls::audit::ListEntries>()
        .and::<calls::audit::ProveConsistency>()
}

/// Everything that this keystore serves.
pub fn router(app: App) -> Router {
    calls()
        .router
        .route(INFO_PATH, get(info::info))
        .route("/v1/health", get(info::health))
        .route("/v1/ready", get(info::ready))
        .route("/v1/log/checkpoint", get(audit::checkpoint))
        .route("/v1/log/proof/{old}/{new}", get(audit::consistency))
        .route("/v1/log/tile/{level}/{*number}", get(audit::tile))
        .merge(directory::routes())
        .layer(RequestBodyLimitLayer::new(MAX_REQUEST_BYTES))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_protocol_is_served() {
        let mut served = calls().paths;
        let mut known: Vec<_> = calls::ALL.iter().map(|(path, _)| *path).collect();
        served.sort_unstable();
        known.sort_unstable();
        assert_eq!(served, known);
    }
}
