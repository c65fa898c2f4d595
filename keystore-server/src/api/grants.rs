// SPDX-License-Identifier: LGPL-2.0-or-later
//! An owner lets somebody else use a key, for a time and for named uses.

use plombe_core::keystore::{
    GrantId,
    calls::{
        grants::{self, EndGrant, GiveGrant, Grants, ListGrants},
        revoke::Ended,
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    fresh,
    ledger::{Act, Effects, Scene},
    registry::{Grant, Record, Registry},
};

impl Serve for ListGrants {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Grants, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let given = registry.keys_of(who.principal.id).flat_map(|key| registry.grants_on(&key.id));
        let mut grants: Vec<_> = registry
            .grants_to(who.principal.id)
            .chain(given)
            .map(|grant| describe(grant, &registry))
            .collect();
        grants.sort_by_key(|grant| std::cmp::Reverse((grant.given_at, grant.id)));
        Ok(Grants { grants })
    }
}

impl Serve for GiveGrant {
    async fn serve(self, app: &App, caller: &Caller) -> Result<grants::Grant, Failure> {
        Ok(app.ledger.ask(caller.ask(Give(self))).await?.answer)
    }
}

impl Serve for EndGrant {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Ended, Failure> {
        Ok(app.ledger.ask(caller.ask(End(self.grant))).await?.answer)
    }
}

struct Give(GiveGrant);

impl Act for Give {
    type Answer = grants::Grant;

    fn action(&self) -> Action {
        let GiveGrant { key, to, uses, expires_at } = &self.0;
        let uses = uses.iter().copied().collect();
        Action::GiveGrant { key: key.clone(), to: *to, uses, expires: *expires_at }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<grants::Grant>, Refusal> {
        let who = scene.who()?;
        let grant = Grant {
            id: GrantId(fresh::uuid(scene.now)),
            tenant: who.principal.tenant,
            key: self.0.key.clone(),
            owner: who.principal.id,
            to: self.0.to,
            uses: self.0.uses.iter().copied().collect(),
            given: seconds(scene.now),
            expires: self.0.expires_at,
        };
        let answer = describe(&grant, scene.registry);
        let concerns = vec![grant.to];
        Ok(Effects { put: vec![Record::Grant(grant)], concerns, ..Effects::none(answer) })
    }
}

struct End(GrantId);

impl Act for End {
    type Answer = Ended;

    fn action(&self) -> Action {
        Action::EndGrant { grant: self.0 }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<Ended>, Refusal> {
        let grant = scene.registry.grant(self.0).ok_or(refusal::NOT_FOUND)?;
        let answer = Ended { grants: vec![self.0], position: scene.position, ..Ended::default() };
        Ok(Effects {
            ended: vec![Record::Grant(grant.clone()).key()],
            concerns: vec![grant.owner, grant.to],
            ..Effects::none(answer)
        })
    }
}

fn describe(grant: &Grant, registry: &Registry) -> grants::Grant {
    let address = |id| registry.principal(id).and_then(|principal| principal.addresses.first().cloned());
    grants::Grant {
        id: grant.id,
        key: grant.key.clone(),
        owner: grant.owner,
        to: grant.to,
        uses: grant.uses.iter().copied().collect(),
        given_at: grant.given,
        expires_at: grant.expires,
        owner_address: address(grant.owner),
        to_address: address(grant.to),
    }
}
