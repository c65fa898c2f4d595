// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe doctor`: what is wrong on this machine, and how to mend it.

mod keys;
mod keystore;
mod machine;
mod pins;
mod stores;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::json;

use crate::{
    app::App,
    exit::{Exit, Failure},
    output,
    terminal::{Terminal, Tone},
};

/// Nothing to choose.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Works now, and will not for long or not for everybody.
    Warning,
    /// Does not work, or is not safe.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// What was looked at; stable, for programs.
    check: &'static str,
    level: Level,
    text: String,
    /// A sentence or a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, text: text.into(), remedy: None }
    }

    fn new(check: &'static str, level: Level, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// Settings that cannot be read are a finding, too, so this starts without an [`App`].
pub(crate) fn run(terminal: &Terminal, _args: Args) -> anyhow::Result<()> {
    let mut findings = machine::check();
    match App::new(terminal) {
        Ok(app) => {
            findings.push(Finding::ok("config", format!("settings: {}", app.config.paths.config.display())));
            findings.extend(stores::check(&app));
            findings.extend(keys::check(&app));
            findings.extend(pins::check(&app));
            findings.extend(keystore::check(&app));
        }
        Err(error) => findings.push(Finding::new(
            "config",
            Level::Error,
            crate::exit::sentence(&error),
            "mend or remove the setting; docs/user-guide.md lists all of them",
        )),
    }
    let worst = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    match terminal.json {
        true => output::print_json(&json!({"healthy": worst < Level::Error, "findings": findings}))?,
        false => findings.iter().for_each(|finding| tell(terminal, finding)),
    }
    match worst {
        Level::Error => Err(Failure::new(Exit::Failed, "something is wrong here")
            .hint("the lines marked `wrong` say what, and the line below each how to mend it")
            .into()),
        _ => Ok(()),
    }
}

fn tell(terminal: &Terminal, finding: &Finding) {
    let (tone, label) = match finding.level {
        Level::Ok => (Tone::Good, "   ok"),
        Level::Note => (Tone::Plain, " note"),
        Level::Warning => (Tone::Doubtful, " soon"),
        Level::Error => (Tone::Bad, "wrong"),
    };
    terminal.note(tone, label, &finding.text);
    if let Some(remedy) = &finding.remedy {
        terminal.note(Tone::Plain, " mend", remedy);
    }
}

/// A check that could not be made.
fn unreadable(check: &'static str, error: &anyhow::Error) -> Finding {
    let remedy = "check who owns it and whether you may read it";
    Finding::new(check, Level::Error, crate::exit::sentence(error), remedy)
}

/// Reads who may do what with a file or folder.
fn mode(path: &std::path::Path) -> anyhow::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(found.permissions().mode() & 0o777)
}
