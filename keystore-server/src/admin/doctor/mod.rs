// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe-keystore doctor`: what is wrong with this keystore, and what to do about it. Repairs nothing.

mod database;
mod issuers;
mod mail;
mod places;
mod system;
mod tls;

use std::{fmt::Display, path::PathBuf, process::ExitCode};

use serde::Serialize;

use super::clock;
use crate::{config::Config, harden::HardenFinding};

/// What `doctor` is told.
#[derive(clap::Args)]
pub struct Doctor {
    /// The keystore's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder that backups are put in; looks how old the newest is
    #[arg(long, value_name = "DIR")]
    backups: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// Looked at, and fine.
    Good,
    /// It works, and is less safe or less certain than it could be.
    Warning,
    /// It does not work, does not start, or somebody can read what nobody should.
    Error,
}

/// What was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// Stable name of the check.
    check: &'static str,
    level: Level,
    /// What is so.
    message: String,
    /// What to do about it; nothing when all is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn good(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, level: Level::Good, message: message.into(), remedy: None }
    }

    fn warning(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, message: message.into(), remedy: Some(remedy.into()) }
    }

    fn error(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Error, ..Self::warning(check, message, remedy) }
    }
}

/// With the errors below it, since those say which file and why.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Looks at everything and says what it found. 1 when something is an error; warnings are none.
///
/// # Errors
/// When the answer cannot be written.
pub async fn doctor(args: Doctor, hardening: Vec<HardenFinding>) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match Config::read(&args.config) {
        Err(error) => findings.push(Finding::error(
            "configuration",
            words(&error),
            "docs/keystore/configuration.md has every setting",
        )),
        Ok(config) => {
            let refused = config.findings();
            if refused.is_empty() {
                findings.push(Finding::good("configuration", "every setting is understood and sound"));
            }
            findings.extend(refused.into_iter().map(|why| {
                Finding::error("configuration", why, "the server does not start before this is mended")
            }));
            findings.extend(places::check(&args.config, &config));
            findings.extend(tls::check(&config));
            findings.extend(tls::metrics(&config));
            findings.extend(database::check(&config, clock()).await);
            findings.extend(issuers::check(&config, clock()()).await);
            findings.extend(mail::check(&config).await);
        }
    }
    findings.extend(system::check(hardening));
    findings.extend(places::backups(args.backups.as_deref(), clock()()));
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good);
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "findings": findings, "worst": worst }))?
        );
    } else {
        findings.iter().for_each(show);
    }
    Ok(if worst == Level::Error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(finding: &Finding) {
    let level: &dyn Display = match finding.level {
        Level::Good => &"good   ",
        Level::Warning => &"warning",
        Level::Error => &"ERROR  ",
    };
    println!("{level} {}: {}", finding.check, finding.message);
    if let Some(remedy) = &finding.remedy {
        println!("        -> {remedy}");
    }
}
