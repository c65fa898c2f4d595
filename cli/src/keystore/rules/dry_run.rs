// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which past decisions would have been others.

use std::collections::BTreeSet;

use plombe_client::Session;
use plombe_core::{
    keystore::{
        access_rules::{AccessRules, Demand, Request},
        calls::audit::Scope,
    },
    log::entry::{Actor, Entry},
};
use serde::Serialize;
use serde_json::json;

use super::super::audit;
use crate::{
    app::App,
    output,
    terminal::{Tone, printable_line},
};

/// What was looked at, and what would have been different.
#[derive(Serialize)]
pub(super) struct Differences {
    examined: usize,
    different: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    position: u64,
    time: u64,
    action: String,
    principal: String,
    was: String,
    would_be: String,
}

/// Looks through all of the organisation's entries. What the built-in rules refused stays refused, whatever these rules say.
pub(super) fn differences(
    session: &mut Session,
    in_force: &AccessRules,
    rules: &AccessRules,
) -> anyhow::Result<Differences> {
    let mut found = Differences { examined: 0, different: Vec::new() };
    for (position, entry) in audit::proven(session, &Scope::All)? {
        let Some(entry) = entry else { continue };
        let Actor::Device { principal, roles, .. } = &entry.actor else { continue };
        let by_rule = entry.decision.rule.strip_prefix("rule:");
        if !entry.decision.permitted && by_rule.is_none() {
            continue;
        }
        found.examined += 1;
        let roles: BTreeSet<_> = roles.iter().copied().collect();
        let request = Request {
            action: &entry.action,
            principal: *principal,
            roles: &roles,
            key: entry.about.key.as_ref(),
            now: entry.time,
        };
        let would_be = verdict(rules, &request);
        // What was permitted under a demand had its passkey, so it is the demand that counts.
        let was = match by_rule {
            Some(rule) => format!("refused by {rule}"),
            None => {
                verdict(in_force, &request).filter(|was| was.starts_with("demands")).unwrap_or_else(permitted)
            }
        };
        let would_be = would_be.unwrap_or_else(permitted);
        if was != would_be {
            found.different.push(difference(position, &entry, principal.to_string(), was, would_be));
        }
    }
    Ok(found)
}

fn permitted() -> String {
    "permitted".to_owned()
}

fn verdict(rules: &AccessRules, request: &Request<'_>) -> Option<String> {
    rules.applying(request).map(|rule| match rule.demand {
        Demand::Forbid => format!("refused by {}", rule.id),
        Demand::Passkey => format!("demands a passkey by {}", rule.id),
    })
}

fn difference(position: u64, entry: &Entry, principal: String, was: String, would_be: String) -> Difference {
    Difference { position, time: entry.time, action: entry.action.clone(), principal, was, would_be }
}

pub(super) fn tell(app: &App<'_>, differences: &Differences) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"dry_run": differences}));
    }
    let mut text = String::new();
    for one in &differences.different {
        let line = format!(
            "{}  {}  by {}: was {}, would be {}",
            audit::time(one.time),
            one.action,
            one.principal,
            one.was,
            one.would_be
        );
        text.push_str(&format!("{:>6}  {}\n", one.position, printable_line(&line)));
    }
    output::print(&text)?;
    let count =
        format!("{} of {} decisions would be different", differences.different.len(), differences.examined);
    app.terminal.note(Tone::Good, "dry run", &count);
    Ok(())
}
