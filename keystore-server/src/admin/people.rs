// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore user`: let people in from the console, before or without an administrator's device.

use std::path::PathBuf;

use anyhow::Context as _;
use plombe_core::{
    keystore::{
        PrincipalId,
        calls::{login::Role, principals::PrincipalState},
    },
    recipients::Address,
};

use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    fresh, instance,
    ledger::{Act, Effects, Scene},
    registry::{Principal, Record},
};

/// What can be done with people at the console.
#[derive(clap::Subcommand)]
pub enum People {
    /// Add somebody and print their enrolment code
    Add {
        /// Their mail address
        address: String,
        /// Their name
        #[arg(long, default_value = "")]
        name: String,
        /// The keystore's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print a new enrolment code for somebody
    Code {
        /// Their mail address
        address: String,
        /// The keystore's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// Does it, in the same log as everything else.
///
/// # Errors
/// When it cannot be recorded, or the address is not one.
pub async fn people(command: People) -> anyhow::Result<()> {
    let (People::Add { address, config, .. } | People::Code { address, config }) = &command;
    let address = Address::parse(address)?.to_string();
    let opened = super::open(config, super::origin).await?;
    let principal = match command {
        People::Add { name, .. } => {
            let act = Add { address: address.clone(), name };
            opened.ledger.ask(instance::by_server(act)).await?.answer
        }
        People::Code { .. } => {
            let registry = opened.ledger.registry();
            let known = registry.principal_of_address(&address);
            known
                .with_context(|| {
                    format!("nobody here has {address}; `plombe-keystore user add` lets them in")
                })?
                .id
        }
    };
    let code = instance::make_code(&opened.ledger, principal, opened.config.times().code).await?;
    let text = instance::code_text(&code, &opened.keychain).context("a code has 16 bytes")?;
    println!("enrolment code: {}", &*text);
    Ok(())
}

struct Add {
    address: String,
    name: String,
}

impl Act for Add {
    type Answer = PrincipalId;

    fn action(&self) -> Action {
        Action::CreatePrincipal { addresses: vec![self.address.clone()], roles: [Role::User].into() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<PrincipalId>, Refusal> {
        let tenant = scene.registry.tenant_of_address(&self.address).ok_or(refusal::ADDRESS_UNFIT)?;
        if scene.registry.principal_of_address(&self.address).is_some() {
            return Err(refusal::EXISTS.into());
        }
        let principal = Principal {
            id: PrincipalId(fresh::uuid(scene.now)),
            tenant: tenant.id,
            name: self.name.clone(),
            addresses: vec![self.address.clone()],
            roles: [Role::User].into(),
            state: PrincipalState::Active,
            recovery: None,
            admin_since: None,
            subject: None,
            created: seconds(scene.now),
        };
        let id = principal.id;
        let ended = scene.registry.mail_proven_for(&principal.addresses);
        Ok(Effects {
            put: vec![Record::Principal(principal)],
            ended,
            concerns: vec![id],
            ..Effects::none(id)
        })
    }
}
