// SPDX-License-Identifier: LGPL-2.0-or-later
//! The organisation's own rules: shown, and changed.

use plombe_core::keystore::{
    ProblemCode,
    access_rules::AccessRules,
    calls::{
        approvals,
        login::Role,
        rules::{RequestRules, RulesInForce, SetRules, ShowRules},
    },
};

use super::{Caller, Failure, Serve, approvals::ask};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    ledger::{Act, Effects, Scene},
    registry::{Approval, Record, Rules, Standing, Wanted},
};

impl Serve for ShowRules {
    async fn serve(self, app: &App, caller: &Caller) -> Result<RulesInForce, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        // Who knows what is forbidden when knows when to try.
        if who.principal.roles.is_disjoint(&[Role::Admin, Role::Auditor].into()) {
            return Err(Refusal::from(refusal::ADMINS_ONLY).into());
        }
        let rules = registry.rules(who.principal.tenant);
        Ok(rules.map_or_else(
            || RulesInForce { version: 0, rules: AccessRules::default() },
            |own| RulesInForce { version: own.version, rules: own.rules.clone() },
        ))
    }
}

impl Serve for SetRules {
    async fn serve(self, app: &App, caller: &Caller) -> Result<RulesInForce, Failure> {
        check(app, caller, &self.rules)?;
        Ok(app.ledger.ask(caller.ask(Set(self))).await?.answer)
    }
}

impl Serve for RequestRules {
    async fn serve(self, app: &App, caller: &Caller) -> Result<approvals::Approval, Failure> {
        check(app, caller, &self.rules)?;
        ask(app, caller, Wanted::Rules { rules: self.rules }, self.reason).await
    }
}

/// Rules that name what is not there do something else than who wrote them thinks.
fn check(app: &App, caller: &Caller, rules: &AccessRules) -> Result<(), Failure> {
    rules.check().map_err(|wrong| Failure::new(ProblemCode::Unacceptable, wrong.to_string()))?;
    let registry = app.ledger.registry();
    let tenant = caller.identified(app, &registry)?.principal.tenant;
    for rule in &rules.rules {
        let is_here = |id| registry.principal(id).is_some_and(|principal| principal.tenant == tenant);
        let unknown = rule.people.iter().chain(&rule.except).find(|id| !is_here(**id));
        if let Some(unknown) = unknown {
            let message = format!("{}: there is nobody here with the id {unknown}", rule.id);
            return Err(Failure::new(ProblemCode::Unacceptable, message));
        }
        let is_key = |key| registry.key(key).is_some_and(|key| key.tenant == tenant);
        if let Some(unknown) = rule.keys.iter().find(|key| !is_key(key)) {
            let message = format!("{}: the key {unknown} is not here", rule.id);
            return Err(Failure::new(ProblemCode::Unacceptable, message));
        }
    }
    Ok(())
}

struct Set(SetRules);

impl Act for Set {
    type Answer = RulesInForce;

    fn action(&self) -> Action {
        Action::SetRules { replaces: self.0.replaces, rules: self.0.rules.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<RulesInForce>, Refusal> {
        let who = scene.who()?.principal;
        let own = Rules {
            tenant: who.tenant,
            version: self.0.replaces + 1,
            rules: self.0.rules.clone(),
            by: who.id,
            since: seconds(scene.now),
        };
        let answer = RulesInForce { version: own.version, rules: own.rules.clone() };
        let wanted = Wanted::Rules { rules: own.rules.clone() };
        let mut put = vec![Record::Rules(own)];
        // A consent is for once.
        let used = |a: &&Approval| a.wanted == wanted && a.asker == who.id && a.state == Standing::Open;
        let used = scene.registry.approvals(who.tenant).filter(used);
        put.extend(used.map(|a| Record::Approval(Approval { state: Standing::Done, ..a.clone() })));
        let is_admin = |p: &&crate::registry::Principal| p.roles.contains(&Role::Admin);
        let concerns = scene.registry.principals(who.tenant).filter(is_admin).map(|p| p.id).collect();
        Ok(Effects { put, concerns, ..Effects::none(answer) })
    }
}
