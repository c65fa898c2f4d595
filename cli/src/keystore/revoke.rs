// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe revoke`: an account, a device or a session ends for good, and everything derived from it.

use plombe_client::Session;
use plombe_core::keystore::{
    DeviceId, SessionId,
    calls::revoke::{Ended, Revoke, Target},
};
use serde_json::json;

use super::{Account, person::Person};
use crate::{app::App, confirm, output, terminal::Tone};

/// What ends.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "", global = true)]
    reason: String,
    /// Do not ask whether this is meant
    #[arg(short, long, global = true)]
    yes: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// Somebody's account, with all their devices, sessions and shares (administrators)
    Principal {
        /// Address or id
        who: Person,
    },
    /// One device, with its sessions: one's own, or as an administrator anybody's
    Device {
        /// Its id, from `plombe devices`
        device: DeviceId,
    },
    /// One log-in
    Session {
        /// Its id, from `plombe audit show --json`
        session: SessionId,
    },
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let target = match &args.what {
        What::Principal { who } => Target::Principal(who.id(&mut session)?),
        What::Device { device } => Target::Device(*device),
        What::Session { session } => Target::Session(*session),
    };
    if let What::Principal { who } = &args.what {
        confirm(args.yes, &format!("the account of {who}"))?;
    }
    let done = end(app, &mut session, target, args.reason);
    account.keep_session(&session)?;
    done
}

/// Ends it, and says what all has ended.
pub(super) fn end(
    app: &App<'_>,
    session: &mut Session,
    target: Target,
    reason: String,
) -> anyhow::Result<()> {
    let ended = session.call(&Revoke { target, reason })?;
    if app.terminal.json {
        return output::print_json(&json!({"ended": ended}));
    }
    for line in lines(&ended) {
        app.terminal.note(Tone::Good, "ended", &line);
    }
    let text = format!("nothing of it is served after entry {} of the log", ended.position);
    app.terminal.note(Tone::Good, "revoked", &text);
    Ok(())
}

fn lines(ended: &Ended) -> Vec<String> {
    let devices = ended.devices.iter().map(|id| format!("device {id}"));
    let sessions = ended.sessions.iter().map(|id| format!("session {id}"));
    let grants = ended.grants.iter().map(|id| format!("share {id}"));
    let approvals = ended.approvals.iter().map(|id| format!("approval {id}"));
    let codes = ended.codes.iter().map(|id| format!("enrolment code {id}"));
    devices.chain(sessions).chain(grants).chain(approvals).chain(codes).collect()
}

/// Somebody's account does not come back.
pub(super) fn confirm(yes: bool, what: &str) -> anyhow::Result<()> {
    match yes {
        true => Ok(()),
        false => confirm::ends_for_ever(
            what,
            "say --yes if you mean it; `plombe people suspend` can be taken back",
        ),
    }
}
