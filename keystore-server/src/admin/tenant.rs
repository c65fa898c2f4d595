// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore tenant`: a further organisation on this keystore, with keys, people and a log view of its own.

use std::path::PathBuf;

use anyhow::Context as _;
use plombe_core::{
    keystore::{
        PrincipalId, TenantId,
        calls::{login::Role, principals::PrincipalState},
    },
    recipients::Address,
};

use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    fresh, instance,
    ledger::{Act, Effects, Scene},
    registry::{Principal, Record, Tenant},
    tenant_keys,
};

/// What can be done with organisations at the console.
#[derive(clap::Subcommand)]
pub enum Tenants {
    /// Add an organisation and print its first administrator's enrolment code
    Add {
        /// Its name; issuers are bound to it
        name: String,
        /// Its mail domain; may be given several times
        #[arg(long, required = true)]
        domain: Vec<String>,
        /// Mail address of its first administrator; admin@DOMAIN when left out
        #[arg(long, value_name = "ADDRESS")]
        admin: Option<String>,
        /// The keystore's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// List them
    List {
        /// The keystore's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// Does it, in the same log as everything else, while servers run.
///
/// # Errors
/// When it cannot be recorded, a name or domain is another's, or an address is none.
pub async fn tenants(command: Tenants) -> anyhow::Result<()> {
    match command {
        Tenants::Add { name, domain, admin, config } => add(name, domain, admin, config).await,
        Tenants::List { config } => {
            let opened = super::open(&config, super::origin).await?;
            for tenant in opened.ledger.registry().tenants() {
                println!("{}  {}  {}", tenant.id, tenant.name, tenant.domains.join(", "));
            }
            Ok(())
        }
    }
}

async fn add(
    name: String,
    domains: Vec<String>,
    admin: Option<String>,
    config: PathBuf,
) -> anyhow::Result<()> {
    let domains = domains.iter().map(|domain| domain_of(domain)).collect::<anyhow::Result<Vec<_>>>()?;
    let admin = admin.unwrap_or_else(|| format!("admin@{}", domains[0]));
    let admin = Address::parse(&admin)?.to_string();
    let opened = super::open(&config, super::origin).await?;
    let act = Add { id: TenantId(fresh::uuid((super::clock())())), name, domains, admin };
    // Before its key is made: what is refused leaves none behind.
    act.check(&opened.ledger.registry()).map_err(|refusal| anyhow::anyhow!(refusal.message))?;
    let root = opened.keychain.root();
    opened.store.add_wrapped_key(&tenant_keys::generate(root, act.id, 1)?).await?;
    opened.keychain.reload(&*opened.store).await?;
    let id = act.id;
    let principal = opened.ledger.ask(instance::by_server(act)).await?.answer;
    let code = instance::make_code(&opened.ledger, principal, opened.config.times().code).await?;
    let text = instance::code_text(&code, &opened.keychain).context("a code has 16 bytes")?;
    println!("tenant: {id}");
    println!("enrolment code: {}", &*text);
    Ok(())
}

/// As addresses spell it.
fn domain_of(text: &str) -> anyhow::Result<String> {
    let address =
        Address::parse(&format!("admin@{text}")).with_context(|| format!("{text} is not a mail domain"))?;
    Ok(address.domain().to_owned())
}

struct Add {
    id: TenantId,
    name: String,
    domains: Vec<String>,
    admin: String,
}

impl Add {
    fn check(&self, registry: &crate::registry::Registry) -> Result<(), Refusal> {
        let clashes = |tenant: &Tenant| {
            tenant.name == self.name || tenant.domains.iter().any(|domain| self.domains.contains(domain))
        };
        if registry.tenants().any(clashes) {
            return Err(refusal::EXISTS.into());
        }
        let own =
            self.admin.rsplit_once('@').is_some_and(|(_, domain)| self.domains.iter().any(|d| d == domain));
        if own { Ok(()) } else { Err(refusal::ADDRESS_UNFIT.into()) }
    }
}

impl Act for Add {
    type Answer = PrincipalId;

    fn action(&self) -> Action {
        Action::AddTenant { name: self.name.clone(), domains: self.domains.clone() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<PrincipalId>, Refusal> {
        self.check(scene.registry)?;
        let now = seconds(scene.now);
        let tenant =
            Tenant { id: self.id, name: self.name.clone(), domains: self.domains.clone(), created: now };
        let principal = Principal {
            id: PrincipalId(fresh::uuid(scene.now)),
            tenant: self.id,
            name: "Administrator".to_owned(),
            addresses: vec![self.admin.clone()],
            roles: [Role::User, Role::Admin].into(),
            state: PrincipalState::Active,
            recovery: None,
            admin_since: Some(now),
            subject: None,
            created: now,
        };
        let id = principal.id;
        let put = vec![Record::Tenant(tenant), Record::Principal(principal)];
        Ok(Effects { put, concerns: vec![id], ..Effects::none(id) })
    }
}
