// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe approvals`: what one administrator must not do alone, and what others say to it.

use std::time::{Duration, UNIX_EPOCH};

use plombe_core::keystore::{
    ApprovalId,
    calls::approvals::{Approval, ApprovalState, Approve, ListApprovals, RequestAdmin},
};
use serde_json::json;

use super::{
    Account,
    person::{Person, RoleName, roles},
};
use crate::{
    app::App,
    date, output,
    terminal::{Tone, printable_line},
};

/// What to do with them.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List what waits for consent, and what was decided lately
    List,
    /// Agree to what another administrator asked for
    Agree {
        /// Its id from the list
        approval: ApprovalId,
    },
    /// Say no, also after a yes; whose key it is may do that too
    Refuse {
        /// Its id from the list
        approval: ApprovalId,
    },
    /// Ask for one more administrator than two; afterwards `plombe people roles` makes them one
    RequestAdmin {
        /// Who: address or id
        who: Person,
        /// All of their roles from then on, admin among them
        #[arg(long, value_enum, value_delimiter = ',', default_value = "user,admin")]
        roles: Vec<RoleName>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    let account = Account::new(app);
    let (approval, consent) = match command {
        Command::List => return list(app, &account.call(&ListApprovals {})?.approvals),
        Command::Agree { approval } => (approval, true),
        Command::Refuse { approval } => (approval, false),
        Command::RequestAdmin { who, roles: names, reason } => {
            let mut session = account.session()?;
            let principal = who.id(&mut session)?;
            let asked = session.call(&RequestAdmin { principal, roles: roles(&names), reason });
            account.keep_session(&session)?;
            return tell(app, "asked", &asked?);
        }
    };
    let decided = account.call(&Approve { approval, consent })?;
    tell(app, if consent { "agreed" } else { "refused" }, &decided)
}

fn list(app: &App<'_>, approvals: &[Approval]) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"approvals": approvals}));
    }
    Ok(output::print(&approvals.iter().map(|one| line(one) + "\n").collect::<String>())?)
}

/// What came of it.
pub(super) fn tell(app: &App<'_>, word: &str, approval: &Approval) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"approval": approval}));
    }
    app.terminal.note(Tone::Good, word, &line(approval));
    Ok(())
}

fn line(approval: &Approval) -> String {
    let time = |seconds| date::rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
    let state = match approval.state {
        ApprovalState::Waiting => "waits for consent".to_owned(),
        ApprovalState::Delayed => format!("agreed, does nothing before {}", time(approval.not_before)),
        ApprovalState::Effective => format!("effective until {}", time(approval.expires_at)),
        ApprovalState::Refused => "refused".to_owned(),
        ApprovalState::Ended => "over".to_owned(),
    };
    let (summary, reason) = (printable_line(&approval.summary), printable_line(&approval.reason));
    let asker = approval.requested_by;
    let asker =
        approval.addresses.get(&asker).map_or_else(|| asker.to_string(), |known| printable_line(known));
    format!("{}  {state}  {summary}: {reason} (asked by {asker})", approval.id)
}
