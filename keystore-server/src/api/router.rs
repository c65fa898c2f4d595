// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which call is served where.

use axum::{
    Router,
    handler::Handler,
    http::header,
    response::IntoResponse as _,
    routing::{MethodRouter, get, post},
};
use plombe_core::keystore::{INFO_PATH, calls, calls::passkeys::PAGE_PATH, envelope::MAX_REQUEST_BYTES};
use schemars::JsonSchema;
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer};

use super::{Serve, audit, edge, history, info, page, provider_log_out, sealed};
use crate::{
    app::App,
    directory,
    openapi::{self, Described},
};

/// What is served, and how it is described.
struct Routes {
    router: Router<App>,
    calls: Vec<Described>,
    public: Vec<(&'static str, &'static str)>,
}

impl Routes {
    fn and<C: Serve + JsonSchema>(mut self) -> Self
    where
        C::Answer: Send + JsonSchema,
    {
        self.router = self.router.route(C::PATH, post(sealed::serve::<C>));
        self.calls.push(Described::new::<C>());
        self
    }

    fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.public("GET", path, get(handler))
    }

    fn public(mut self, method: &'static str, path: &'static str, served: MethodRouter<App>) -> Self {
        self.router = self.router.route(path, served);
        self.public.push((method, path));
        self
    }
}

fn routes() -> Routes {
    let routes = Routes { router: Router::new(), calls: Vec::new(), public: Vec::new() }
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
        .and::<calls::passkeys::StartPasskey>()
        .and::<calls::passkeys::AddPasskey>()
        .and::<calls::passkeys::ListPasskeys>()
        .and::<calls::passkeys::RemovePasskey>()
        .and::<calls::passkeys::StartStepUp>()
        .and::<calls::passkeys::FinishStepUp>()
        .and::<calls::passkeys::ConfirmByPasskey>()
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
        .and::<calls::raw::AllowRaw>()
        .and::<calls::raw::ForbidRaw>()
        .and::<calls::raw::SharePoint>()
        .and::<calls::directory::PublishCertificate>()
        .and::<calls::directory::WithdrawCertificate>()
        .and::<calls::directory::ListPublished>()
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
        .and::<calls::rules::ShowRules>()
        .and::<calls::rules::SetRules>()
        .and::<calls::rules::RequestRules>()
        .and::<calls::history::LostHistory>()
        .and::<calls::history::AcknowledgeLoss>()
        .get(INFO_PATH, info::info)
        .get("/v1/health", info::health)
        .get("/v1/ready", info::ready)
        .get("/v1/log/checkpoint", audit::checkpoint)
        .public("POST", calls::history::SHOW_PATH, post(history::show))
        .get("/v1/log/proof/{old}/{new}", audit::consistency)
        .get(calls::history::PUBLIC_LOSSES_PATH, history::public)
        .get("/v1/log/tile/{level}/{*number}", audit::tile)
        .public("POST", provider_log_out::PATH, post(provider_log_out::log_out))
        .get(PAGE_PATH, page::html)
        .get(page::SCRIPT_PATH, page::script)
        .get(page::STYLE_PATH, page::style);
    let routes = directory::routes()
        .into_iter()
        .fold(routes, |all, (method, path, one)| all.public(method, path, one));
    let document: axum::body::Bytes = openapi::document(&routes.calls).to_string().into();
    routes.get(openapi::PATH, move || async move {
        ([(header::CONTENT_TYPE, "application/json")], document).into_response()
    })
}

/// The description of everything that is served.
pub fn openapi() -> serde_json::Value {
    openapi::document(&routes().calls)
}

/// Everything that this keystore serves.
pub fn router(app: App) -> Router {
    routes()
        .router
        .layer(RequestBodyLimitLayer::new(MAX_REQUEST_BYTES))
        // Slower requests are half-open connections.
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::REQUEST_TIMEOUT, app.limits.patience()))
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn_with_state(app.clone(), edge::edge))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_protocol_is_served() {
        let mut served: Vec<_> = routes().calls.iter().map(|call| call.path).collect();
        let mut known: Vec<_> = calls::ALL.iter().map(|(path, _)| *path).collect();
        served.sort_unstable();
        known.sort_unstable();
        assert_eq!(served, known);
    }

    #[test]
    fn everything_else_that_is_served_is_described() {
        let mut served = routes().public;
        let mut described: Vec<_> = openapi::public_routes().collect();
        served.sort_unstable();
        described.sort_unstable();
        assert_eq!(served, described);
    }
}
