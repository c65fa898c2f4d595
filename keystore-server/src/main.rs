// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore`: set up, run and look after a keystore.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use plombe_keystore::{admin, harden, server_log};

/// Keys outside the mail provider: every use decided and on record.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
enum Command {
    /// Make a keystore: configuration, database, root key, log, and the first administrator's code
    Init(Box<admin::Init>),
    /// Run it
    Serve {
        /// Its configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Say what is wrong with a keystore, and what to do about it
    Doctor(admin::Doctor),
    /// Let people in from this machine
    #[command(subcommand)]
    User(admin::People),
    /// Further organisations on this keystore
    #[command(subcommand)]
    Tenant(admin::Tenants),
    /// Write everything into one sealed file, while servers run
    Backup(admin::Backup),
    /// Put a backup into an empty database
    Restore(admin::Restore),
    /// Let an organisation with one administrator go on without lost history, once that one has said so
    AcknowledgeLostHistoryInPlaceOfASecondAdministrator(admin::AcknowledgeLoss),
    /// Change to another root key: the configuration's [next_root_key]
    RotateRoot(admin::RotateRoot),
    /// Seal everything anew under new keys, while servers run
    RotateTenant(admin::RotateTenant),
}

fn main() -> ExitCode {
    let findings = harden::process();
    let command = Command::parse();
    if let Err(error) = server_log::begin() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    if matches!(command, Command::Serve { .. }) {
        for finding in &findings {
            tracing::warn!(%finding, "less protected than it could be");
        }
    }
    // Says nothing unless somebody did it before, which nobody did.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        let done = match command {
            Command::Doctor(args) => return admin::doctor(args, findings).await,
            Command::Init(args) => admin::init(*args).await,
            Command::Serve { config } => admin::serve(&config).await,
            Command::User(command) => admin::people(command).await,
            Command::Tenant(command) => admin::tenants(command).await,
            Command::Backup(args) => admin::backup(args).await,
            Command::Restore(args) => admin::restore(args).await,
            Command::AcknowledgeLostHistoryInPlaceOfASecondAdministrator(args) => {
                admin::acknowledge_loss(args).await
            }
            Command::RotateRoot(args) => admin::rotate_root(args).await,
            Command::RotateTenant(args) => admin::rotate_tenant(args).await,
        };
        done.map(|()| ExitCode::SUCCESS)
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
