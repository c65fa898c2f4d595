// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe break-glass`: two administrators open somebody's mail without them, for a reason, and the owner sees it first.

use std::time::Duration;

use plombe_core::keystore::{
    ApprovalId, KeyFingerprint,
    calls::{approvals::RequestBreakGlass, grants::KeyUse},
};

use super::{Account, approvals};
use crate::{app::App, date, decrypt, keyring::Keyring, mail, who::Who};

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Ask another administrator to agree that somebody's key is used without them
    Request {
        /// Fingerprint of the certificate; an address, when its certificate is here
        key: Who,
        /// Why; the owner reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// How long it may be used from the consent on, a day at most
        #[arg(long = "for", value_name = "SPAN", default_value = "1h", value_parser = date::span)]
        span: Duration,
    },
    /// Decrypt a file with a key that two administrators opened; the owner's log has the entry before you have the content
    Open {
        /// Id of the approval
        approval: ApprovalId,
        #[command(flatten)]
        decrypt: decrypt::Args,
    },
    /// The same with a mail
    OpenMail {
        /// Id of the approval
        approval: ApprovalId,
        #[command(flatten)]
        open: mail::OpenArgs,
    },
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Request { key, reason, span } => {
            let call = RequestBreakGlass {
                key: fingerprint(app, &key)?,
                uses: vec![KeyUse::Unwrap],
                reason,
                valid_for_seconds: span.as_secs(),
            };
            approvals::tell(app, "asked", &Account::new(app).call(&call)?)
        }
        Command::Open { approval, decrypt } => {
            decrypt::run_with(app, decrypt, Keyring::under_break_glass(app, approval)?)
        }
        Command::OpenMail { approval, open } => {
            mail::open_with(app, open, Keyring::under_break_glass(app, approval)?)
        }
    }
}

/// A whole fingerprint needs no certificate here.
fn fingerprint(app: &App<'_>, key: &Who) -> anyhow::Result<KeyFingerprint> {
    if let Who::Key(handle) = key
        && let Ok(fingerprint) = handle.to_hex().parse()
    {
        return Ok(fingerprint);
    }
    Ok(key.certificate(app)?.fingerprint().try_into()?)
}
