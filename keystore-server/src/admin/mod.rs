// SPDX-License-Identifier: LGPL-2.0-or-later
//! Commands of whoever runs the keystore, on its machine and with its root key.

mod backup;
mod doctor;
mod init;
mod loss;
mod metrics;
mod people;
mod rotate;
mod serve;
mod tenant;

use std::{path::Path, sync::Arc, time::SystemTime};

use anyhow::Context as _;
use plombe_core::keystore::Origin;

pub use backup::{Backup, Restore, backup, restore};
pub use doctor::{Doctor, doctor};
pub use init::{Init, init};
pub use loss::{AcknowledgeLoss, acknowledge_loss};
pub use people::{People, people};
pub use rotate::{RotateRoot, RotateTenant, rotate_root, rotate_tenant};
pub use serve::{run, serve};
pub use tenant::{Tenants, tenants};

use crate::{
    config::Config,
    instance,
    keychain::SharedKeychain,
    ledger::{Clock, Ledger},
    root_key,
    store::{self, Store},
};

/// The system's clock.
fn clock() -> Clock {
    Arc::new(SystemTime::now)
}

/// A keystore whose keys and records are at hand.
struct Opened {
    config: Config,
    store: Arc<dyn Store>,
    keychain: SharedKeychain,
    ledger: Ledger,
}

/// Reads the configuration, the root key and the database.
async fn open(
    config: &Path,
    origin: impl FnOnce(&Config) -> anyhow::Result<Origin>,
) -> anyhow::Result<Opened> {
    let config = Config::load(config)?;
    let root = Arc::from(root_key::open(&config.root_key)?);
    let store = store::open(&config.location()?, false).await.context("cannot open the database")?;
    let origin = origin(&config)?;
    let (keychain, ledger) = instance::start(Arc::clone(&store), root, origin, clock()).await?;
    Ok(Opened { config, store, keychain, ledger })
}

/// As configured, or the loopback address that it listens on. Nothing that happens at the console depends on it.
fn origin(config: &Config) -> anyhow::Result<Origin> {
    let text = match (&config.origin, config.listen.port()) {
        (Some(origin), _) => origin.clone(),
        (None, 0) => format!("http://{}", config.listen.ip()),
        (None, _) => format!("http://{}", config.listen),
    };
    text.parse().with_context(|| format!("cannot use {text} as this keystore's address"))
}
