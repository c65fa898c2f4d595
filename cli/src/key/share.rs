// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key share`, `shares`, `unshare`: somebody else uses a key in the keystore, for a time and for named uses.

use std::time::{Duration, UNIX_EPOCH};

use clap::ValueEnum;
use plombe_core::{
    keystore::{
        GrantId, PrincipalId,
        calls::grants::{EndGrant, GiveGrant, Grant, KeyUse, ListGrants},
    },
    recipients::Address,
};
use serde_json::json;

use crate::{
    app::App,
    args::PassphraseArgs,
    date::{self, Expiry},
    exit::{Exit, Failure},
    keystore::{self, Account, OwnInCustody},
    output,
    terminal::{Tone, printable_line},
    who::Who,
};

/// Which key, with whom, for what, until when.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Your key in the keystore: address or fingerprint
    who: Who,
    /// Address of a colleague who has an account at the keystore
    #[arg(long, value_name = "ADDRESS")]
    with: Address,
    /// What they may do with it: unwrap (read what is sent to it), sign (write in its name)
    #[arg(long, value_name = "USES", value_enum, value_delimiter = ',', required = true)]
    to: Vec<Use>,
    /// When that ends by itself, within a year: 30d, a date
    #[arg(long, value_name = "WHEN")]
    until: Expiry,
}

/// What can be shared of a key. Changing it never can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Use {
    Unwrap,
    Sign,
}

/// Which share ends.
#[derive(clap::Args)]
#[group(required = true)]
pub(crate) struct UnshareArgs {
    /// Its id from `plombe key shares`
    share: Option<GrantId>,
    /// All shares of this key of yours
    #[arg(long, value_name = "WHO", conflicts_with = "share")]
    key: Option<Who>,
    /// With --key: only those of this colleague
    #[arg(long, value_name = "ADDRESS", requires = "key")]
    with: Option<Address>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let own = OwnInCustody::find(app, &args.who, &PassphraseArgs::default())?
        .ok_or_else(|| not_there(&args.who))?;
    let until = args.until.at(app.now).ok_or_else(|| {
        Failure::usage("a share ends some day").hint("--until 90d, say; it can be given again")
    })?;
    if until <= app.now {
        return Err(Failure::usage("this lies in the past").into());
    }
    let account = Account::new(app);
    let to = colleague(&account, &args.with)?;
    let mut uses: Vec<KeyUse> = args.to.iter().map(|one| (*one).into()).collect();
    uses.sort();
    uses.dedup();
    let call = GiveGrant { key: own.key, to, uses, expires_at: date::seconds(until) };
    let grant = account.call(&call)?;
    if app.terminal.json {
        return output::print_json(&json!({"shared": grant}));
    }
    let text = format!("the key of {} with {} until {}", args.who, args.with, date::day(until));
    app.terminal.note(Tone::Good, "shared", &text);
    let text =
        format!("`plombe key unshare {}` ends it before; `plombe audit show` shows each use", grant.id);
    app.terminal.note(Tone::Plain, "next", &text);
    Ok(())
}

pub(crate) fn list(app: &App<'_>) -> anyhow::Result<()> {
    let account = Account::new(app);
    let mut session = account.session()?;
    let grants = session.call(&ListGrants {})?.grants;
    // What others share with this person is to be used from here.
    account.refresh_keys(&mut session)?;
    account.keep_session(&session)?;
    if app.terminal.json {
        return output::print_json(&json!({"shares": grants}));
    }
    let me = session.identity().principal;
    let line = |grant: &Grant| {
        let name =
            |address: &Option<String>| printable_line(address.as_deref().unwrap_or("somebody who left"));
        let who = match grant.owner == me {
            true => format!("with {}", name(&grant.to_address)),
            false => format!("from {}", name(&grant.owner_address)),
        };
        let ends = UNIX_EPOCH + Duration::from_secs(grant.expires_at);
        let end = if ends <= app.now { "ended" } else { "until" };
        format!("{}  {}  {who}, to {}, {end} {}\n", grant.id, grant.key, words(&grant.uses), date::day(ends))
    };
    Ok(output::print(&grants.iter().map(line).collect::<String>())?)
}

pub(crate) fn unshare(app: &App<'_>, args: UnshareArgs) -> anyhow::Result<()> {
    let account = Account::new(app);
    let shares = match (&args.share, &args.key) {
        (Some(share), _) => vec![*share],
        (None, Some(who)) => {
            let own =
                OwnInCustody::find(app, who, &PassphraseArgs::default())?.ok_or_else(|| not_there(who))?;
            let with = args.with.as_ref().map(|with| colleague(&account, with)).transpose()?;
            let grants = account.call(&ListGrants {})?.grants;
            let meant = grants
                .into_iter()
                .filter(|grant| grant.key == own.key && with.is_none_or(|with| with == grant.to));
            meant.map(|grant| grant.id).collect()
        }
        (None, None) => Vec::new(),
    };
    if shares.is_empty() {
        return Err(Failure::new(Exit::Failed, "there is no such share")
            .hint("`plombe key shares` lists them")
            .into());
    }
    let mut ended = Vec::new();
    for grant in shares {
        ended.push(account.call(&EndGrant { grant })?);
    }
    if app.terminal.json {
        return output::print_json(&json!({"ended": ended}));
    }
    for one in &ended {
        for grant in &one.grants {
            let text = format!("{grant}; nothing of it is served after entry {} of the log", one.position);
            app.terminal.note(Tone::Good, "ended", &text);
        }
    }
    Ok(())
}

fn colleague(account: &Account, address: &Address) -> anyhow::Result<PrincipalId> {
    let mut session = account.session()?;
    let found = keystore::of_address(&mut session, address);
    account.keep_session(&session)?;
    Ok(found?.id)
}

fn not_there(who: &Who) -> Failure {
    Failure::new(Exit::CertificateUnusable, format!("there is no key of yours for {who} in the keystore"))
        .hint("only such keys can be shared; `plombe key import --custody keystore` puts one there")
}

fn words(uses: &[KeyUse]) -> String {
    let word = |one: &KeyUse| match one {
        KeyUse::Unwrap => "unwrap",
        KeyUse::Sign => "sign",
        KeyUse::Certify => "certify",
        KeyUse::Raw => "raw",
    };
    uses.iter().map(word).collect::<Vec<_>>().join(" and ")
}

impl From<Use> for KeyUse {
    fn from(one: Use) -> Self {
        match one {
            Use::Unwrap => Self::Unwrap,
            Use::Sign => Self::Sign,
        }
    }
}
