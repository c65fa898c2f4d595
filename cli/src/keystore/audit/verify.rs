// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe audit verify`: nothing that was seen is gone, and nothing of one's keys is missing.

use plombe_core::{keystore::calls::audit::Scope, log::ChainFollower};
use serde_json::json;

use super::{super::Account, entries};
use crate::{app::App, output, terminal::Tone};

pub(crate) fn run(app: &App<'_>) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    session.verify_log()?;
    let own = entries::all(&mut session, &Scope::Mine)?.len();
    let mut about_keys = 0;
    let me = session.identity().principal;
    for key in account.refresh_keys(&mut session)?.iter().filter(|key| key.owner == me) {
        let mut chain = ChainFollower::default();
        for proven in entries::all(&mut session, &Scope::Key(key.fingerprint.clone()))? {
            match proven.entry.as_ref().and_then(|entry| entry.chain.as_ref()) {
                Some(link) => chain.next(proven.position, link).map_err(entries::not_proven)?,
                None => chain.next_erased(proven.position),
            }
            about_keys += 1;
        }
    }
    session.verify_log()?;
    account.keep_session(&session)?;
    if app.terminal.json {
        return output::print_json(&json!({"verified": {"entries": own, "about_keys": about_keys}}));
    }
    app.terminal.note(Tone::Good, "verified", "the log has only grown since this machine last saw it");
    let text = format!(
        "{own} entries of yours are in it; {about_keys} about your keys follow each other without a hole"
    );
    app.terminal.note(Tone::Good, "verified", &text);
    Ok(())
}
