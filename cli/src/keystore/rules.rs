// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe rules`: what an organisation forbids its people at its keystore, beyond what is built in.

mod dry_run;
mod file;

use std::path::PathBuf;

use plombe_client::ClientError;
use plombe_core::keystore::{
    ProblemCode,
    access_rules::AccessRules,
    calls::rules::{RequestRules, SetRules, ShowRules},
};
use serde_json::json;

use super::Account;
use crate::{
    app::App,
    output,
    terminal::{Tone, printable},
};

/// What to do with them.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show the rules that are in force
    Show,
    /// Check a file of rules, and say whether one administrator alone can put them in force
    Check {
        /// The rules, TOML
        file: PathBuf,
    },
    /// Say which past decisions would have been others with these rules (auditors)
    DryRun {
        /// The rules, TOML
        file: PathBuf,
    },
    /// Put rules in force, or ask another administrator for their consent where they are looser
    Apply {
        /// The rules, TOML
        file: PathBuf,
        /// Why: asks for consent when these rules need it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let in_force = session.call(&ShowRules {})?;
    match command {
        Command::Show => {
            account.keep_session(&session)?;
            if app.terminal.json {
                return output::print_json(&json!({"rules": in_force}));
            }
            app.terminal.note(Tone::Plain, "version", &in_force.version.to_string());
            output::print(&printable(&file::text(&in_force.rules)?))?;
        }
        Command::Check { file } => {
            let rules = file::read(&file, &mut session)?;
            account.keep_session(&session)?;
            let alone = rules.is_stricter_than(&in_force.rules);
            if app.terminal.json {
                return output::print_json(
                    &json!({"checked": {"rules": rules.rules.len(), "needs_consent": !alone}}),
                );
            }
            let text = match alone {
                true => "every rule that is in force stays: one administrator can put these in force",
                false => {
                    "a rule that is in force goes or changes: another administrator has to agree, and there is a delay"
                }
            };
            app.terminal.note(Tone::Good, "sound", text);
        }
        Command::DryRun { file } => {
            let rules = file::read(&file, &mut session)?;
            let differences = dry_run::differences(&mut session, &in_force.rules, &rules)?;
            account.keep_session(&session)?;
            dry_run::tell(app, &differences)?;
        }
        Command::Apply { file, reason } => {
            let rules = file::read(&file, &mut session)?;
            let result = session.call(&SetRules { replaces: in_force.version, rules: rules.clone() });
            let result = match (result, reason) {
                (Err(ClientError::Refused(problem)), Some(reason))
                    if problem.code == ProblemCode::ApprovalNeeded =>
                {
                    let asked = session.call(&RequestRules { rules, reason });
                    account.keep_session(&session)?;
                    let asked = asked?;
                    if app.terminal.json {
                        return output::print_json(&json!({"asked": asked}));
                    }
                    let text = format!(
                        "approval {}: another administrator agrees with `plombe approvals agree`; then apply them again",
                        asked.id
                    );
                    app.terminal.note(Tone::Doubtful, "asked", &text);
                    return Ok(());
                }
                (result, _) => result,
            };
            account.keep_session(&session)?;
            let now = result?;
            if app.terminal.json {
                return output::print_json(&json!({"rules": now}));
            }
            let text = format!("version {}, {} rules", now.version, count(&now.rules));
            app.terminal.note(Tone::Good, "in force", &text);
        }
    }
    Ok(())
}

fn count(rules: &AccessRules) -> usize {
    rules.rules.len()
}
