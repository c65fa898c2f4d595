// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe people`: who has an account at the keystore, for administrators.

use std::time::{Duration, UNIX_EPOCH};

use plombe_client::Session;
use plombe_core::{
    keystore::{
        EnrolmentCode, PrincipalId,
        calls::{
            principals::{
                CreateCode, CreatePrincipal, ListPrincipals, Principal, PrincipalState, SetPrincipalState,
                SetRoles,
            },
            revoke::Target,
        },
    },
    recipients::Address,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Account,
    person::{Person, RoleName, role_words, roles},
    revoke,
};
use crate::{
    app::App,
    date,
    exit::Failure,
    output,
    terminal::{Tone, printable_line},
};

/// What to do with people.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List them
    List {
        /// Only who has this address
        address: Option<Address>,
    },
    /// Let somebody in; shows their enrolment code
    Add {
        /// Their mail addresses, in the organisation's domains
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<Address>,
        /// Their name
        #[arg(long, default_value = "")]
        name: String,
        /// What they may be
        #[arg(long, value_enum, value_delimiter = ',', default_value = "user")]
        roles: Vec<RoleName>,
    },
    /// Make a further enrolment code, for another device of theirs
    Code {
        /// Address or id
        who: Person,
        /// How long it is good: 2h, 1d (a week at most)
        #[arg(long, value_name = "SPAN", value_parser = date::span)]
        valid_for: Option<Duration>,
    },
    /// Nothing of theirs is served until they are resumed
    Suspend {
        /// Address or id
        who: Person,
    },
    /// Let somebody go on who was suspended
    Resume {
        /// Address or id
        who: Person,
    },
    /// End somebody's account for good, with all their devices, sessions and shares; their keys stay, used by nobody
    End {
        /// Address or id
        who: Person,
        /// Why, for the log
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Do not ask whether this is meant
        #[arg(short, long)]
        yes: bool,
    },
    /// Say what somebody may be, from now on
    Roles {
        /// Address or id
        who: Person,
        /// All of their roles
        #[arg(required = true, value_enum, value_delimiter = ',')]
        roles: Vec<RoleName>,
    },
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let done = act(app, &mut session, command);
    account.keep_session(&session)?;
    done
}

fn act(app: &App<'_>, session: &mut Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { address } => list(app, session, address.as_ref()),
        Command::Add { addresses, name, roles: names } => {
            let addresses = addresses.iter().map(ToString::to_string).collect();
            let added = session.call(&CreatePrincipal { name, addresses, roles: roles(&names) })?.principal;
            let code = code(session, added.id, None)?;
            tell(app, "added", &added, Some(&code))
        }
        Command::Code { who, valid_for } => {
            let id = who.id(session)?;
            let code = code(session, id, valid_for)?;
            if app.terminal.json {
                return output::print_json(&json!({"code": code.as_str(), "principal": id}));
            }
            show_code(app, &code)
        }
        Command::Suspend { who } => set_state(app, session, &who, PrincipalState::Suspended, "suspended"),
        Command::Resume { who } => set_state(app, session, &who, PrincipalState::Active, "resumed"),
        Command::End { who, reason, yes } => {
            let principal = who.id(session)?;
            revoke::confirm(yes, &format!("the account of {who}"))?;
            revoke::end(app, session, Target::Principal(principal), reason)
        }
        Command::Roles { who, roles: names } => {
            let principal = who.id(session)?;
            let changed = session.call(&SetRoles { principal, roles: roles(&names) })?.principal;
            tell(app, "changed", &changed, None)
        }
    }
}

fn list(app: &App<'_>, session: &mut Session, address: Option<&Address>) -> anyhow::Result<()> {
    let mut people: Vec<Principal> = Vec::new();
    loop {
        let after = people.last().map(|last| last.id);
        let page = session.call(&ListPrincipals { after, address: address.map(ToString::to_string) })?;
        // A list that does not go on would never end.
        let goes_on = page.principals.first().is_some_and(|first| after.is_none_or(|after| first.id > after));
        people.extend(page.principals);
        if !page.more || !goes_on {
            break;
        }
    }
    if app.terminal.json {
        return output::print_json(&json!({"people": people}));
    }
    Ok(output::print(&people.iter().map(|one| line(one) + "\n").collect::<String>())?)
}

fn line(one: &Principal) -> String {
    let state = match one.state {
        PrincipalState::Active => "active",
        PrincipalState::Suspended => "suspended",
        PrincipalState::Ended => "ended",
    };
    let since = date::day(UNIX_EPOCH + Duration::from_secs(one.created_at));
    let (addresses, name) = (printable_line(&one.addresses.join(", ")), printable_line(&one.name));
    format!("{}  {state}  {addresses}  {name}  ({}; since {since})", one.id, role_words(&one.roles))
}

fn set_state(
    app: &App<'_>,
    session: &mut Session,
    who: &Person,
    state: PrincipalState,
    word: &str,
) -> anyhow::Result<()> {
    let principal = who.id(session)?;
    let changed = session.call(&SetPrincipalState { principal, state })?.principal;
    tell(app, word, &changed, None)
}

/// The secret comes from the keystore; the code also names the keystore, so that it is not typed in elsewhere.
fn code(
    session: &mut Session,
    principal: PrincipalId,
    valid_for: Option<Duration>,
) -> anyhow::Result<Zeroizing<String>> {
    let valid_for_seconds = valid_for.map(|span| span.as_secs());
    let made = session.call(&CreateCode { principal, valid_for_seconds })?;
    let secret = made.secret.expose().try_into().map_err(|_| Failure::usage("the keystore made no code"))?;
    Ok(EnrolmentCode::new(secret, session.keystore().identity()).to_text())
}

fn tell(app: &App<'_>, word: &str, who: &Principal, code: Option<&Zeroizing<String>>) -> anyhow::Result<()> {
    if app.terminal.json {
        let code = code.map_or(Value::Null, |code| code.as_str().into());
        return output::print_json(&json!({"person": who, "code": code}));
    }
    app.terminal.note(Tone::Good, word, &line(who));
    code.map_or(Ok(()), |code| show_code(app, code))
}

fn show_code(app: &App<'_>, code: &Zeroizing<String>) -> anyhow::Result<()> {
    let text = "this code to its owner by a way that you trust; it lets one device in, once";
    app.terminal.note(Tone::Plain, "give", text);
    Ok(output::print(&format!("enrolment code: {}\n", &**code))?)
}
