// SPDX-License-Identifier: LGPL-2.0-or-later
//! Lost history: what it is, and going on without it.

use axum::{Json, extract::State, http::StatusCode};
use plombe_core::{
    keystore::{
        ApprovalId, PrincipalId, ProblemCode, TenantId,
        calls::{
            history::{
                self, AcknowledgeLoss, Acknowledged, LossAcknowledged, Losses, LostHistory, Person,
                PublicLoss, Waiting,
            },
            login::Role,
            principals::PrincipalState,
        },
    },
    log::TreeHead,
};

use super::{
    Caller, Failure, Serve,
    approvals::{PATIENCE, reason},
    audit::{Asked, disclosed},
};
use crate::{
    access_policy::{Action, Refusal, first_acknowledgement, refusal, seconds},
    app::App,
    fresh,
    ledger::{Act, Effects, Scene},
    proofs_of_history,
    registry::{Acknowledgement, Approval, Loss, Record, RecordId, Registry, Standing, Tenant, Wanted},
};

impl Serve for LostHistory {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Losses, Failure> {
        let now = seconds(app.now());
        let (tenant, mut losses, entries) = {
            let registry = app.ledger.registry();
            let tenant = caller.identified(app, &registry)?.principal.tenant;
            let losses: Vec<_> =
                registry.losses().map(|loss| describe(&registry, tenant, loss, now)).collect();
            let entries: Vec<_> =
                registry.losses().map(|loss| loss.acknowledgement(tenant).cloned()).collect();
            (tenant, losses, entries)
        };
        let checkpoint =
            app.ledger.checkpoint().ok_or_else(|| Failure::new(ProblemCode::NotFound, "the log is empty"))?;
        let size = checkpoint.head().size;
        for (loss, acknowledged) in losses.iter_mut().zip(entries) {
            let Some(Acknowledgement { by, at, position, .. }) = acknowledged else { continue };
            let entry = disclosed(app, position, tenant, size).await?;
            let by = {
                let registry = app.ledger.registry();
                by.into_iter().map(|who| person(&registry, who)).collect()
            };
            loss.acknowledged = Some(Acknowledged { by, at, entry });
        }
        Ok(Losses { losses, checkpoint: checkpoint.note().to_owned() })
    }
}

fn describe(registry: &Registry, tenant: TenantId, loss: &Loss, now: u64) -> history::Loss {
    let waiting = first_acknowledgement(registry, tenant, &loss.wanted(), now);
    history::Loss {
        checkpoint: loss.note.clone(),
        from: loss.from,
        shown_at: loss.shown,
        waiting: waiting.map(|approval| Waiting {
            approval: approval.id,
            by: person(registry, approval.asker),
            at: approval.asked,
            reason: approval.reason.clone(),
            expires_at: approval.expires,
        }),
        acknowledged: None,
    }
}

fn person(registry: &Registry, principal: PrincipalId) -> Person {
    let found = registry.principal(principal);
    let name = found.map(|who| match who.addresses.first() {
        Some(address) => address.clone(),
        None => who.name.clone(),
    });
    Person { principal, name: name.unwrap_or_default() }
}

/// `GET /v1/log/lost`: what is lost, and whether the people here go on without it. For witnesses.
pub(super) async fn public(_: Asked, State(app): State<App>) -> Json<Vec<PublicLoss>> {
    let registry = app.ledger.registry();
    // Whoever has nobody left to acknowledge anything is not waited for.
    let has_admin = |tenant: TenantId| {
        let mut people = registry.principals(tenant);
        people.any(|p| p.roles.contains(&Role::Admin) && p.state != PrincipalState::Ended)
    };
    let tenants: Vec<&Tenant> = registry.tenants().filter(|tenant| has_admin(tenant.id)).collect();
    let losses = registry.losses().map(|loss| {
        let concerned = tenants.iter().filter(|tenant| tenant.created <= loss.shown);
        let all: Option<Vec<_>> = concerned.map(|tenant| loss.acknowledgement(tenant.id)).collect();
        let last = all.and_then(|all| all.into_iter().max_by_key(|known| known.position));
        PublicLoss {
            checkpoint: loss.note.clone(),
            from: loss.from,
            shown_at: loss.shown,
            acknowledged_at: last.map(|last| last.at),
            position: last.map(|last| last.position),
        }
    });
    Json(losses.collect())
}

/// `POST /v1/log/checkpoint`: a witness shows what it has kept. A note that this keystore has not signed changes nothing.
pub(super) async fn show(_: Asked, State(app): State<App>, note: String) -> StatusCode {
    proofs_of_history::check_seen(&app, &note).await;
    StatusCode::NO_CONTENT
}

impl Serve for AcknowledgeLoss {
    async fn serve(self, app: &App, caller: &Caller) -> Result<LossAcknowledged, Failure> {
        let act = Acknowledge {
            lost: TreeHead { size: self.size, root: self.root },
            shown_at: self.shown_at,
            reason: reason(&self.reason)?,
            seniority: app.times.consent.as_secs(),
        };
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

struct Acknowledge {
    lost: TreeHead,
    shown_at: u64,
    reason: String,
    seniority: u64,
}

impl Act for Acknowledge {
    type Answer = LossAcknowledged;

    fn action(&self) -> Action {
        Action::AcknowledgeLoss {
            lost: self.lost,
            shown_at: self.shown_at,
            reason: self.reason.clone(),
            seniority: self.seniority,
        }
    }

    /// The first yes waits for a second one, which takes effect at once.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<LossAcknowledged>, Refusal> {
        let (registry, who, now) = (scene.registry, scene.who()?.principal, seconds(scene.now));
        let wanted = Wanted::Restored { size: self.lost.size, root: self.lost.root };
        let concerns: Vec<_> = registry
            .principals(who.tenant)
            .filter(|other| other.roles.contains(&Role::Admin))
            .map(|admin| admin.id)
            .collect();
        let first = first_acknowledgement(registry, who.tenant, &wanted, now);
        let effective = first.is_some();
        let put = match first {
            None => vec![Record::Approval(Approval {
                id: ApprovalId(fresh::uuid(scene.now)),
                tenant: who.tenant,
                wanted,
                asker: who.id,
                reason: self.reason.clone(),
                asked: now,
                agreed: None,
                seniority: self.seniority,
                not_before: now,
                expires: now.saturating_add(PATIENCE),
                state: Standing::Open,
            })],
            Some(first) => {
                let id = RecordId::of(&[&self.lost.size.to_be_bytes(), &self.lost.root.0]);
                let loss = registry.loss(id).ok_or(refusal::NOT_FOUND)?;
                let loss = loss.with(Acknowledgement {
                    tenant: who.tenant,
                    by: vec![first.asker, who.id],
                    at: now,
                    position: scene.position,
                });
                let done = Approval { agreed: Some(who.id), state: Standing::Done, ..first.clone() };
                vec![Record::Approval(done), Record::Loss(loss)]
            }
        };
        let answer = LossAcknowledged { effective, position: scene.position };
        Ok(Effects { put, concerns, ..Effects::none(answer) })
    }
}
