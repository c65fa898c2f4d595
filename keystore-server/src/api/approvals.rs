// SPDX-License-Identifier: LGPL-2.0-or-later
//! What needs two administrators: one more of them, and a key without its owner.

use std::collections::BTreeSet;

use plombe_core::{
    keystore::{
        ApprovalId, PrincipalId, ProblemCode, SecretBytes,
        calls::{
            approvals::{
                self, ApprovalState, Approvals, Approve, BreakGlassUnwrap, ListApprovals, RequestAdmin,
                RequestBreakGlass,
            },
            custody::Unwrapped,
            grants::KeyUse,
            history::name_of,
            login::Role,
        },
    },
    log::TreeHead,
};

use super::{
    Caller, Failure, Serve,
    custody::{not_too_often, rsa_not_too_often},
};
use crate::{
    access_policy::{Action, Refusal, concerns, refusal, seconds},
    app::App,
    custody::BreakGlassAct,
    fresh,
    ledger::{Act, Effects, Scene},
    registry::{Approval, Record, Registry, Standing, Wanted},
};

/// What nobody has answered by then is forgotten.
pub(super) const PATIENCE: u64 = 7 * 24 * 3600;
const LONGEST_REASON: usize = 500;

impl Serve for ListApprovals {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Approvals, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let now = seconds(app.now());
        let mut approvals: Vec<_> = registry
            .approvals(who.principal.tenant)
            .filter(|approval| concerns(&registry, who.principal, approval))
            .map(|approval| describe(approval, &registry, now))
            .collect();
        approvals.sort_by_key(|approval| std::cmp::Reverse((approval.requested_at, approval.id)));
        Ok(Approvals { approvals })
    }
}

impl Serve for RequestAdmin {
    async fn serve(self, app: &App, caller: &Caller) -> Result<approvals::Approval, Failure> {
        let wanted = Wanted::Admin { principal: self.principal, roles: self.roles.into_iter().collect() };
        ask(app, caller, wanted, self.reason).await
    }
}

impl Serve for RequestBreakGlass {
    async fn serve(self, app: &App, caller: &Caller) -> Result<approvals::Approval, Failure> {
        let wanted = Wanted::BreakGlass { key: self.key, seconds: self.valid_for_seconds };
        ask_for(app, caller, wanted, self.uses.into_iter().collect(), self.reason).await
    }
}

pub(super) async fn ask(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
    reason: String,
) -> Result<approvals::Approval, Failure> {
    ask_for(app, caller, wanted, BTreeSet::new(), reason).await
}

async fn ask_for(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
    uses: BTreeSet<KeyUse>,
    reason: String,
) -> Result<approvals::Approval, Failure> {
    let reason = self::reason(&reason)?;
    let seniority = app.times.consent.as_secs();
    Ok(app.ledger.ask(caller.ask(AskFor { wanted, uses, reason, seniority })).await?.answer)
}

/// A reason, in words.
pub(crate) fn reason(reason: &str) -> Result<String, Failure> {
    match remark(reason)? {
        empty if empty.is_empty() => Err(unacceptable()),
        reason => Ok(reason),
    }
}

/// The same where there need be none.
pub(super) fn remark(reason: &str) -> Result<String, Failure> {
    let reason = reason.trim();
    match reason.len() > LONGEST_REASON || reason.chars().any(char::is_control) {
        true => Err(unacceptable()),
        false => Ok(reason.to_owned()),
    }
}

fn unacceptable() -> Failure {
    Failure::new(ProblemCode::Unacceptable, "say why, in 500 bytes at most")
}

impl Serve for Approve {
    async fn serve(self, app: &App, caller: &Caller) -> Result<approvals::Approval, Failure> {
        Ok(app.ledger.ask(caller.ask(Answer(self))).await?.answer)
    }
}

impl Serve for BreakGlassUnwrap {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Unwrapped, Failure> {
        let wanted = app.ledger.registry().approval(self.approval).map(|approval| approval.wanted.clone());
        // Whether the caller may know of it is decided below.
        let Some(Wanted::BreakGlass { key: id, .. }) = wanted else {
            return Err(Refusal::from(refusal::NOT_FOUND).into());
        };
        let action = Action::BreakGlass { approval: self.approval, key: id.clone() };
        rsa_not_too_often(app, caller, &action, &self.pkesk.0)?;
        not_too_often(app, caller)?;
        let context = self.context.clone();
        let act = BreakGlassAct { call: self, id, key: None };
        let granted = app.ledger.ask(caller.ask_for(act, context)).await?;
        let position = granted.permit.position();
        let session_key = app.vault.break_glass(granted.permit).await?;
        Ok(Unwrapped {
            cipher: session_key.cipher_octet(),
            session_key: SecretBytes::new(session_key.expose()),
            position,
        })
    }
}

struct AskFor {
    wanted: Wanted,
    uses: BTreeSet<KeyUse>,
    reason: String,
    seniority: u64,
}

impl Act for AskFor {
    type Answer = approvals::Approval;

    fn action(&self) -> Action {
        Action::AskConsent {
            wanted: self.wanted.clone(),
            uses: self.uses.clone(),
            reason: self.reason.clone(),
            seniority: self.seniority,
        }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<approvals::Approval>, Refusal> {
        let who = scene.who()?.principal;
        let now = seconds(scene.now);
        // A key is opened when there is need; a new administrator can wait, and be noticed.
        let not_before = match self.wanted {
            Wanted::Admin { .. } | Wanted::Rules { .. } => now.saturating_add(self.seniority),
            Wanted::BreakGlass { .. } | Wanted::Restored { .. } => now,
        };
        let approval = Approval {
            id: ApprovalId(fresh::uuid(scene.now)),
            tenant: who.tenant,
            wanted: self.wanted.clone(),
            asker: who.id,
            reason: self.reason.clone(),
            asked: now,
            agreed: None,
            seniority: self.seniority,
            not_before,
            expires: not_before.saturating_add(PATIENCE),
            state: Standing::Open,
        };
        let answer = describe(&approval, scene.registry, now);
        let concerns = whom(scene.registry, &approval);
        Ok(Effects { put: vec![Record::Approval(approval)], concerns, ..Effects::none(answer) })
    }
}

struct Answer(Approve);

impl Act for Answer {
    type Answer = approvals::Approval;

    fn action(&self) -> Action {
        Action::AnswerConsent { approval: self.0.approval, yes: self.0.consent }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<approvals::Approval>, Refusal> {
        let mut approval = scene.registry.approval(self.0.approval).ok_or(refusal::NOT_FOUND)?.clone();
        let now = seconds(scene.now);
        if self.0.consent {
            approval.agreed = Some(scene.who()?.principal.id);
            if let Wanted::BreakGlass { seconds, .. } = approval.wanted {
                approval.expires = now.saturating_add(seconds);
            }
        } else {
            approval.state = Standing::Refused;
        }
        let answer = describe(&approval, scene.registry, now);
        let concerns = whom(scene.registry, &approval);
        Ok(Effects { put: vec![Record::Approval(approval)], concerns, ..Effects::none(answer) })
    }
}

impl Act for BreakGlassAct {
    type Answer = ();
    /// The answer is not the ledger's: the same request again is another use.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::BreakGlass { approval: self.call.approval, key: self.id.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        self.key = Some(scene.registry.key(&self.id).ok_or(refusal::NOT_FOUND)?.clone());
        Ok(Effects::none(()))
    }
}

/// Every administrator, and whose key it is.
pub(super) fn whom(registry: &Registry, approval: &Approval) -> Vec<PrincipalId> {
    let is_admin = |p: &&crate::registry::Principal| p.roles.contains(&Role::Admin);
    let admins = registry.principals(approval.tenant).filter(is_admin).map(|p| p.id);
    let owner = match &approval.wanted {
        Wanted::BreakGlass { key, .. } => registry.key(key).map(|key| key.owner),
        Wanted::Admin { principal, .. } => Some(*principal),
        Wanted::Rules { .. } | Wanted::Restored { .. } => None,
    };
    admins.chain(owner).collect()
}

fn describe(approval: &Approval, registry: &Registry, now: u64) -> approvals::Approval {
    let summary = match &approval.wanted {
        Wanted::Admin { principal, roles } => format!("{} becomes {roles:?}", principal.0),
        Wanted::Rules { rules } => match serde_json::to_string(&rules.rules) {
            Ok(text) => format!("these rules and no others: {text}"),
            Err(_) => "other rules".to_owned(),
        },
        Wanted::Restored { size, root } => {
            format!("go on without the {}", name_of(&TreeHead { size: *size, root: *root }))
        }
        Wanted::BreakGlass { key, seconds } => format!("unwrap with {key} for {seconds} seconds"),
    };
    let state = match approval.state {
        Standing::Refused => ApprovalState::Refused,
        Standing::Ended => ApprovalState::Ended,
        Standing::Done => ApprovalState::Effective,
        Standing::Open if now >= approval.expires => ApprovalState::Ended,
        Standing::Open if approval.agreed.is_none() => ApprovalState::Waiting,
        Standing::Open if now < approval.not_before => ApprovalState::Delayed,
        Standing::Open => ApprovalState::Effective,
    };
    let address = |id: PrincipalId| Some((id, registry.principal(id)?.addresses.first()?.clone()));
    approvals::Approval {
        addresses: approval.agreed.into_iter().chain([approval.asker]).filter_map(address).collect(),
        id: approval.id,
        summary,
        requested_by: approval.asker,
        requested_at: approval.asked,
        reason: approval.reason.clone(),
        approved_by: approval.agreed.into_iter().collect(),
        needed: 1,
        not_before: approval.not_before,
        expires_at: approval.expires,
        state,
    }
}
