// SPDX-License-Identifier: LGPL-2.0-or-later
//! People, and the codes that enrol them. For admins.

use std::{collections::BTreeSet, time::Duration};

use plombe_core::{
    keystore::{
        CodeId, EnrolmentCode, PrincipalId, ProblemCode, SecretBytes,
        calls::{
            login::Role,
            principals::{
                self, CreateCode, CreatePrincipal, ListPrincipals, NewCode, PrincipalChange, PrincipalState,
                Principals, SetPrincipalState, SetRoles,
            },
        },
    },
    recipients::Address,
};
use zeroize::Zeroizing;

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::App,
    fresh,
    ledger::{Act, Effects, Scene},
    registry::{Approval, Code, Principal, Record, Standing, Wanted},
};

/// Principals per page.
const PAGE: usize = 200;
/// A code that lies around is a code that is found.
const LONGEST_CODE: Duration = Duration::from_secs(7 * 24 * 3600);
const LONGEST_NAME: usize = 200;

impl Serve for CreatePrincipal {
    async fn serve(self, app: &App, caller: &Caller) -> Result<PrincipalChange, Failure> {
        let act =
            Create { name: name(&self.name)?, addresses: addresses(&self.addresses)?, roles: self.roles };
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

impl Serve for ListPrincipals {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Principals, Failure> {
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        // A grant needs the name of who gets it, so colleagues find each other by address; the list is the admins'.
        if !who.principal.roles.contains(&Role::Admin) {
            let address = self.address.ok_or(refusal::ADMINS_ONLY).map_err(Refusal::from)?;
            let found = registry.principal_of_address(&address).filter(|p| p.tenant == who.principal.tenant);
            return Ok(Principals { principals: found.map(describe).into_iter().collect(), more: false });
        }
        let wanted = |p: &&Principal| {
            self.after.is_none_or(|after| p.id > after)
                && self.address.as_ref().is_none_or(|address| p.addresses.contains(address))
        };
        let mut page = registry.principals(who.principal.tenant).filter(wanted);
        let principals: Vec<_> = page.by_ref().take(PAGE).map(describe).collect();
        Ok(Principals { principals, more: page.next().is_some() })
    }
}

impl Serve for SetPrincipalState {
    async fn serve(self, app: &App, caller: &Caller) -> Result<PrincipalChange, Failure> {
        if self.state == PrincipalState::Ended {
            return Err(Failure::new(ProblemCode::Unacceptable, "to end somebody is to revoke them"));
        }
        Ok(app.ledger.ask(caller.ask(SetState(self))).await?.answer)
    }
}

impl Serve for SetRoles {
    async fn serve(self, app: &App, caller: &Caller) -> Result<PrincipalChange, Failure> {
        Ok(app.ledger.ask(caller.ask(Roles(self))).await?.answer)
    }
}

impl Serve for CreateCode {
    async fn serve(self, app: &App, caller: &Caller) -> Result<NewCode, Failure> {
        let ttl = self.valid_for_seconds.map_or(app.times.code, Duration::from_secs).min(LONGEST_CODE);
        let act = MakeCode { principal: self.principal, ttl, secret: fresh::random() };
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

struct Create {
    name: String,
    addresses: Vec<String>,
    roles: Vec<Role>,
}

impl Act for Create {
    type Answer = PrincipalChange;

    fn action(&self) -> Action {
        Action::CreatePrincipal {
            addresses: self.addresses.clone(),
            roles: self.roles.iter().copied().collect(),
        }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<PrincipalChange>, Refusal> {
        let principal = Principal {
            id: PrincipalId(fresh::uuid(scene.now)),
            tenant: scene.who()?.principal.tenant,
            name: self.name.clone(),
            addresses: self.addresses.clone(),
            roles: self.roles.iter().copied().collect(),
            state: PrincipalState::Active,
            recovery: None,
            admin_since: self.roles.contains(&Role::Admin).then(|| seconds(scene.now)),
            subject: None,
            created: seconds(scene.now),
        };
        let mut effects = changed(principal);
        effects.ended.extend(scene.registry.mail_proven_for(&self.addresses));
        Ok(effects)
    }
}

struct SetState(SetPrincipalState);

impl Act for SetState {
    type Answer = PrincipalChange;

    fn action(&self) -> Action {
        Action::SetPrincipalState { principal: self.0.principal, state: self.0.state }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<PrincipalChange>, Refusal> {
        let principal = scene.registry.principal(self.0.principal).ok_or(refusal::NOT_FOUND)?;
        Ok(changed(Principal { state: self.0.state, ..principal.clone() }))
    }
}

struct Roles(SetRoles);

impl Act for Roles {
    type Answer = PrincipalChange;

    fn action(&self) -> Action {
        Action::SetRoles { principal: self.0.principal, roles: self.0.roles.iter().copied().collect() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<PrincipalChange>, Refusal> {
        let principal = scene.registry.principal(self.0.principal).ok_or(refusal::NOT_FOUND)?;
        let roles: BTreeSet<Role> = self.0.roles.iter().copied().collect();
        let since = principal.admin_since.or(Some(seconds(scene.now)));
        let admin_since = since.filter(|_| roles.contains(&Role::Admin));
        let who = scene.who()?.principal;
        let wanted = Wanted::Admin { principal: principal.id, roles: roles.clone() };
        let mut effects = changed(Principal { roles, admin_since, ..principal.clone() });
        // A consent is for once.
        let used = |a: &&Approval| a.wanted == wanted && a.asker == who.id && a.state == Standing::Open;
        let used = scene.registry.approvals(who.tenant).filter(used);
        effects.put.extend(used.map(|a| Record::Approval(Approval { state: Standing::Done, ..a.clone() })));
        Ok(effects)
    }
}

/// An enrolment code comes into being. Also the first one of all, which the keystore makes itself.
pub(crate) struct MakeCode {
    pub(crate) principal: PrincipalId,
    pub(crate) ttl: Duration,
    pub(crate) secret: Zeroizing<[u8; 16]>,
}

impl Act for MakeCode {
    type Answer = NewCode;

    fn action(&self) -> Action {
        Action::CreateCode { principal: self.principal }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<NewCode>, Refusal> {
        let principal = scene.registry.principal(self.principal).ok_or(refusal::NOT_FOUND)?;
        let code = Code {
            id: CodeId(fresh::uuid(scene.now)),
            hash: EnrolmentCode::hash(self.secret.as_slice()),
            tenant: principal.tenant,
            principal: principal.id,
            expires: seconds(scene.now + self.ttl),
        };
        let secret = SecretBytes::new(self.secret.as_slice());
        let answer = NewCode { id: code.id, secret, expires_at: code.expires };
        let concerns = vec![principal.id];
        Ok(Effects { put: vec![Record::Code(code)], concerns, ..Effects::none(answer) })
    }
}

fn changed(principal: Principal) -> Effects<PrincipalChange> {
    let answer = PrincipalChange { principal: describe(&principal) };
    let concerns = vec![principal.id];
    Effects { put: vec![Record::Principal(principal)], concerns, ..Effects::none(answer) }
}

fn describe(principal: &Principal) -> principals::Principal {
    principals::Principal {
        id: principal.id,
        name: principal.name.clone(),
        addresses: principal.addresses.clone(),
        roles: principal.roles.iter().copied().collect(),
        state: principal.state,
        created_at: principal.created,
    }
}

fn name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Failure::new(
            ProblemCode::Unacceptable,
            "a name has at most 200 bytes and no control characters",
        ));
    }
    Ok(name.to_owned())
}

/// One spelling for each address.
fn addresses(addresses: &[String]) -> Result<Vec<String>, Failure> {
    let parse = |address: &String| {
        let parsed = Address::parse(address).map(|address| address.to_string());
        parsed.map_err(|_| Failure::new(ProblemCode::Unacceptable, "this is not a mail address"))
    };
    addresses.iter().map(parse).collect()
}
