// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit show`: one line for each entry.

use std::time::{Duration, UNIX_EPOCH};

use plombe_client::Session;
use plombe_core::{
    keystore::{KeyFingerprint, calls::audit::Scope},
    log::entry::{Actor, Entry},
};
use serde_json::json;

use super::{super::Account, entries, names::Names};
use crate::{
    app::App,
    date, output,
    terminal::{Tone, printable_line},
};

/// Which entries.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those about this key, by the fingerprint of its certificate; a missing one shows
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<KeyFingerprint>,
    /// All of the organisation's, for auditors
    #[arg(long, conflicts_with = "key")]
    all: bool,
}

pub(crate) fn run(app: &App<'_>, args: &Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    session.verify_log()?;
    let scope = match &args.key {
        Some(key) => Scope::Key(key.clone()),
        None if args.all => Scope::All,
        None => Scope::Mine,
    };
    let proven = entries::all(&mut session, &scope)?;
    let has_others = proven.iter().filter_map(|one| one.entry.as_ref()).any(|entry| {
        matches!(&entry.actor, Actor::Device { principal, .. } if *principal != session.identity().principal)
    });
    let names = if has_others && !app.terminal.json { Names::ask(&mut session) } else { Names::default() };
    account.keep_session(&session)?;
    if app.terminal.json {
        let entries: Vec<_> =
            proven.iter().map(|proven| json!({"position": proven.position, "entry": proven.entry})).collect();
        return output::print_json(&json!({"entries": entries}));
    }
    let mut text = String::new();
    for one in &proven {
        let line = one
            .entry
            .as_ref()
            .map_or_else(|| "erased, or not yours".to_owned(), |entry| line(&session, &names, entry));
        text.push_str(&format!("{:>6}  {}\n", one.position, printable_line(&line)));
    }
    output::print(&text)?;
    let count =
        format!("{} entries, each proven to be in the log that the keystore has signed", proven.len());
    app.terminal.note(Tone::Good, "verified", &count);
    Ok(())
}

fn line(session: &Session, names: &Names, entry: &Entry) -> String {
    let time = date::rfc3339(UNIX_EPOCH + Duration::from_secs(entry.time));
    let who = match &entry.actor {
        Actor::Keystore => "the keystore".to_owned(),
        Actor::Newcomer { .. } => "a new device".to_owned(),
        Actor::Device { device, .. } if *device == session.identity().device => "this device".to_owned(),
        Actor::Device { principal, device, .. } if *principal == session.identity().principal => {
            format!("your device {device}")
        }
        Actor::Device { principal, .. } => names.shown(*principal),
        Actor::Unknown { .. } => "an ended session".to_owned(),
    };
    let decision = match entry.decision.permitted {
        true => String::new(),
        false => format!("  REFUSED ({})", entry.decision.rule),
    };
    let about = &entry.about;
    let mut what = String::new();
    for part in [about.key.as_ref().map(ToString::to_string), about.note.clone()].into_iter().flatten() {
        what.push_str("  ");
        what.push_str(&part);
    }
    let context = entry.claimed.as_ref().map(|claimed| &claimed.context);
    let message = context.and_then(|context| context.message_id.as_ref());
    let sender = context.and_then(|context| context.sender.as_ref());
    let mut claimed = message.map(|id| format!("  for {id}")).unwrap_or_default();
    if let Some(sender) = sender {
        claimed.push_str(&format!(" from {sender}"));
    }
    format!("{time}  {}{decision}  by {who}{what}{claimed}", entry.action)
}
