// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore rotate-root`, `rotate-tenant`: new keys for old, while servers run.

use std::path::PathBuf;

use anyhow::Context as _;
use plombe_core::keystore::TenantId;

use crate::{config::Config, registry::INSTANCE, root_key, rotation, store};

/// What `rotate-root` is told.
#[derive(clap::Args)]
pub struct RotateRoot {
    /// The keystore's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Every server has the new root key as root_key: drop what the old one wraps
    #[arg(long)]
    finish: bool,
    /// Put a new key file under a passphrase, which is asked for now and at each start
    #[arg(long, conflicts_with = "finish")]
    passphrase: bool,
}

/// What `rotate-tenant` is told.
#[derive(clap::Args)]
pub struct RotateTenant {
    /// The keystore's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Which tenant; all of them, and the keystore's own key, when left out
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
}

/// Changes to another root key, in two steps.
///
/// # Errors
/// Each says what to do; the keystore works with the root key that it worked with before.
pub async fn rotate_root(args: RotateRoot) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let store = store::open(&config.location()?, false).await.context("cannot open the database")?;
    let root = root_key::open(&config.root_key)?;
    if args.finish {
        anyhow::ensure!(
            config.next_root_key.is_none(),
            "[next_root_key] is still there: make it the [root_key], or take it out to stay with the old root key"
        );
        let dropped = rotation::root::finish(&*store, &*root).await?;
        println!(
            "{dropped} wrappings by other root keys are gone; destroy those root keys when no backup needs them"
        );
        return Ok(());
    }
    let next = config.next_root_key.as_ref().context(
        "say where the new root key is to be: a table [next_root_key] in the configuration, like [root_key]",
    )?;
    let next = root_key::open_or_create(next, args.passphrase)?;
    let wrapped = rotation::root::wrap_all(&*store, &*root, &*next).await?;
    println!("{wrapped} keys are wrapped by both root keys");
    println!("now make [next_root_key] the [root_key] of each server and restart it;");
    println!("when all are done: plombe-keystore rotate-root --finish --config {}", args.config.display());
    Ok(())
}

/// Gives tenants new keys.
///
/// # Errors
/// What was begun goes on when the command is given again.
pub async fn rotate_tenant(args: RotateTenant) -> anyhow::Result<()> {
    let opened = super::open(&args.config, super::origin).await?;
    let tenants = match args.tenant {
        Some(tenant) => vec![tenant],
        None => {
            let registry = opened.ledger.registry();
            let tenants: Vec<_> = registry.tenants().map(|tenant| tenant.id).collect();
            drop(registry);
            [vec![INSTANCE], tenants].concat()
        }
    };
    for tenant in tenants {
        let done = rotation::tenant::rotate(&*opened.store, &opened.keychain, &opened.ledger, tenant).await?;
        let name =
            if tenant == INSTANCE { "the keystore itself".to_owned() } else { format!("tenant {tenant}") };
        println!("{name}: key {} in use, {} rows sealed anew, older keys gone", done.generation, done.rows);
    }
    Ok(())
}
