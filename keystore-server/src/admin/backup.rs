// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore backup`, `restore`: the keystore in one file, and back.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;

use super::clock;
use crate::{access_policy::seconds, backup, config::Config, root_key, store};

/// What `backup` is told.
#[derive(clap::Args)]
pub struct Backup {
    /// The keystore's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The new file
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

/// What `restore` is told.
#[derive(clap::Args)]
pub struct Restore {
    /// The keystore's configuration; its database is empty, or not there yet
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
}

/// Makes a backup, while servers run.
///
/// # Errors
/// When the database cannot be read or the file not be written; then there is no file.
pub async fn backup(args: Backup) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let store = store::open(&config.location()?, false).await.context("cannot open the database")?;
    let root = root_key::open(&config.root_key)?;
    let made = seconds(clock()());
    let header = backup::make(&*store, &*root, made, &args.out)
        .await
        .with_context(|| format!("no backup in {}", args.out.display()))?;
    println!("backup: {}", args.out.display());
    println!("it opens with this root key only: {}", header.root);
    print!("checkpoint:\n{}", header.checkpoint);
    Ok(())
}

/// Puts a backup into an empty database.
///
/// # Errors
/// When it is not whole, not this root key's, or the database not empty; then nothing is in the database.
pub async fn restore(args: Restore) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let root = Arc::from(root_key::open(&config.root_key)?);
    let store = store::open(&config.location()?, true).await.context("cannot open the database")?;
    let restored = backup::restore(&*store, root, &args.backup)
        .await
        .with_context(|| format!("{} is not restored", args.backup.display()))?;
    println!("restored: {} rows, a log of {} entries", restored.rows, restored.entries);
    print!("checkpoint:\n{}", restored.header.checkpoint);
    println!();
    println!("Whatever was revoked after that is not revoked here. Now:");
    println!(
        "1. start the servers, and let a witness look (plombe audit witness): what it has kept stops them all"
    );
    println!("   if something newer than this backup was signed;");
    println!("2. administrators revoke again what had been revoked;");
    println!("3. two administrators acknowledge what is lost (plombe audit acknowledge-lost-history):");
    println!("   docs/keystore/admin-guide.md, Backup.");
    Ok(())
}
