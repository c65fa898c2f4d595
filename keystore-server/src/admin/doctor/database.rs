// SPDX-License-Identifier: LGPL-2.0-or-later
//! Database, root key, log, clock: what a start needs, without starting.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use plombe_core::log::SignedCheckpoint;

use super::{Finding, words};
use crate::{
    config::Config,
    instance,
    ledger::{Clock, Ledger},
    proofs_of_history::root_at,
    root_key,
    store::{self, Store},
};

/// Before this program was written.
const TOO_EARLY: u64 = 1_760_000_000;

pub(super) async fn check(config: &Config, clock: Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    let now = clock();
    if now < UNIX_EPOCH + Duration::from_secs(TOO_EARLY) {
        findings.push(Finding::error(
            "clock",
            "the machine's clock is years behind",
            "set it, and have it kept by NTP",
        ));
    }
    let store = match config.location() {
        Err(error) => {
            findings.push(Finding::error("database", words(&error), "see database and database_file"));
            None
        }
        Ok(location) => match store::open(&location, false).await {
            Ok(store) => Some(store),
            Err(error) => {
                findings.push(Finding::error(
                    "database",
                    format!("it cannot be opened: {}", words(&error)),
                    "is it there, is it running, may this user use it? `plombe-keystore init` makes a new one",
                ));
                None
            }
        },
    };
    let root = match root_key::open(&config.root_key) {
        Ok(root) => Some(root),
        Err(error) => {
            let remedy = "docs/keystore/keys.md; without the root key nothing in the database can be read";
            findings.push(Finding::error("root-key", words(&error), remedy));
            None
        }
    };
    let Some(store) = store else { return findings };
    findings.push(durability(&*store).await);
    let Some(root) = root else { return findings };
    // Only what clients are told depends on the address.
    let origin = "http://127.0.0.1:1".parse().expect("a loopback address");
    match instance::start(Arc::clone(&store), Arc::from(root), origin, Arc::clone(&clock)).await {
        Ok((_, ledger)) => {
            findings.push(Finding::good("root-key", "it opens what is in the database"));
            findings.push(Finding::good("records", "they are what this keystore wrote"));
            findings.push(log(&*store, &ledger).await);
            findings.push(match ledger.time() {
                Ok(_) => Finding::good("clock", "it agrees with the log"),
                Err(_) => {
                    Finding::error("clock", "it does not agree with the log", "set the machine's clock right")
                }
            });
        }
        Err(error) => findings.push(Finding::error(
            "records",
            words(&error),
            "docs/keystore/admin-guide.md, When something is wrong",
        )),
    }
    findings
}

async fn durability(store: &dyn Store) -> Finding {
    let remedy = "set fsync, full_page_writes and synchronous_commit on; the server does not start without";
    match store.durability_findings().await {
        Ok(findings) if findings.is_empty() => {
            Finding::good("database", "it answers, and keeps what it acknowledges")
        }
        Ok(findings) => Finding::error("database", findings.join("; "), remedy),
        Err(error) => Finding::error("database", words(&error), "is it running, may this user use it?"),
    }
}

/// Its newest checkpoint, and the tree under it.
async fn log(store: &dyn Store, ledger: &Ledger) -> Finding {
    let evidence = "keep the database as evidence and restore a backup: docs/keystore/admin-guide.md, Backup";
    let Some(checkpoint) = ledger.checkpoint() else {
        return Finding::error("log", "it is empty", evidence);
    };
    let head = *SignedCheckpoint::head(&checkpoint);
    match root_at(store, head.size).await {
        Ok(root) if root == head.root => {
            Finding::good("log", format!("the tree of its {} entries is the one that was signed", head.size))
        }
        Ok(_) => Finding::error("log", "its tree is not the one that was signed", evidence),
        Err(error) => Finding::error("log", words(&error), evidence),
    }
}
