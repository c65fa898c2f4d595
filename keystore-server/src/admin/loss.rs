// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore acknowledge-lost-history-in-place-of-a-second-administrator`: out of lost history, for an organisation that has one
//! administrator. They say yes on their own machine; whoever runs the keystore says the second yes here. Both are in the log.

use std::path::PathBuf;

use anyhow::Context as _;
use plombe_core::{
    keystore::{
        PrincipalId, TenantId,
        calls::{login::Role, principals::PrincipalState},
    },
    log::TreeHead,
};

use crate::{
    access_policy::{Action, Actor, Refusal, first_acknowledgement, refusal, seconds},
    api, instance,
    ledger::{Act, Effects, Scene},
    registry::{Acknowledgement, Approval, Loss, Record, Registry, Standing},
};

/// What it is told.
#[derive(clap::Args)]
pub struct AcknowledgeLoss {
    /// The organisation, by name; needed when there are several
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// What happened, for the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The keystore's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Says the second yes, where there is nobody else to say it.
///
/// # Errors
/// When the organisation has several administrators, its one has not said yes, nothing is lost, or it cannot be recorded.
pub async fn acknowledge_loss(args: AcknowledgeLoss) -> anyhow::Result<()> {
    let reason = api::reason(&args.reason).map_err(|_| anyhow::anyhow!("say why, in 500 bytes at most"))?;
    let opened = super::open(&args.config, super::origin).await?;
    let act = {
        let registry = opened.ledger.registry();
        let mut named =
            registry.tenants().filter(|tenant| args.tenant.as_ref().is_none_or(|name| *name == tenant.name));
        let tenant = named.next().context("there is no organisation of that name")?.id;
        anyhow::ensure!(named.next().is_none(), "there are several organisations: say which, with --tenant");
        let loss = registry.stops(tenant).context("nothing is lost that was not acknowledged")?;
        // The one that the administrator has named, where several wait.
        let said = |loss: &&Loss| first_acknowledgement(&registry, tenant, &loss.wanted(), now()).is_some();
        let loss = registry.losses().find(said).unwrap_or(loss);
        let lost = TreeHead { size: loss.size, root: loss.root };
        Second { tenant, lost, shown_at: loss.shown, reason }
    };
    let position = opened.ledger.ask(instance::by_server(act)).await?.answer;
    println!("acknowledged: position {position} of the log says so, and names the administrator");
    println!("the keystore serves again; revoke now what had been revoked since the backup");
    Ok(())
}

fn now() -> u64 {
    seconds(super::clock()())
}

/// The second yes.
struct Second {
    tenant: TenantId,
    lost: TreeHead,
    shown_at: u64,
    reason: String,
}

impl Act for Second {
    type Answer = u64;

    fn action(&self) -> Action {
        Action::AcknowledgeLoss {
            lost: self.lost,
            shown_at: self.shown_at,
            reason: format!("in place of a second administrator: {}", self.reason),
            seniority: 0,
        }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<u64>, Refusal> {
        if !matches!(scene.actor, Actor::Server) {
            return Err(refusal::NOT_FOR_DEVICES.into());
        }
        let registry = scene.registry;
        let only = only_admin(registry, self.tenant)?;
        let is_it = |loss: &&Loss| loss.head() == self.lost && loss.shown == self.shown_at;
        let loss = registry.losses().find(is_it).ok_or(refusal::NOT_FOUND)?;
        if loss.acknowledgement(self.tenant).is_some() {
            return Err(refusal::ALREADY_ENDED.into());
        }
        let first = first_acknowledgement(registry, self.tenant, &loss.wanted(), seconds(scene.now));
        let first = first.filter(|first| first.asker == only).ok_or(refusal::CONSENT_MISSING)?;
        let done = Approval { state: Standing::Done, ..first.clone() };
        let (at, position) = (seconds(scene.now), scene.position);
        let loss = loss.with(Acknowledgement { tenant: self.tenant, by: vec![only], at, position });
        let put = vec![Record::Approval(done), Record::Loss(loss)];
        Ok(Effects { put, concerns: vec![only], ..Effects::none(scene.position) })
    }
}

/// Whoever is suspended counts: they may come back.
fn only_admin(registry: &Registry, tenant: TenantId) -> Result<PrincipalId, Refusal> {
    let mut admins = registry
        .principals(tenant)
        .filter(|who| who.roles.contains(&Role::Admin) && who.state != PrincipalState::Ended);
    match (admins.next(), admins.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(refusal::CONSENT_MISSING.into()),
        (Some(_), Some(_)) => Err(refusal::SEVERAL_ADMINS.into()),
    }
}
