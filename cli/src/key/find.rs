// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key find`: the certificate for an address, from here and from the network, and why that one.

use std::{fmt::Write as _, time::Duration};

use plombe_core::{
    cert::Certificate,
    recipients::{Address, Brought, Choice, Explanation, Keyserver, Outcome, Source},
};
use serde_json::{Value, json};

use super::describe;
use crate::{
    app::App,
    contacts, date,
    discovery::{Search, Step, WebClient},
    exit::{Exit, Failure},
    keystore::Account,
    output,
    store::Stored,
    terminal::Tone,
};

/// For whom, and where to look.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mail address
    address: Address,
    /// Say who was asked, what came, and why each certificate was used or not
    #[arg(long)]
    explain: bool,
    /// Look on this machine only
    #[arg(long)]
    offline: bool,
    /// Ask this key server too: vks://HOST or hkps://HOST; it learns whom you write to
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    keyserver: Vec<Keyserver>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let mut candidates = contacts::candidates(app, &args.address)?;
    let ours = candidates.iter().any(|candidate| candidate.source == Source::Own);
    let keystore = Account::new(app).directory_for(&args.address)?;
    let mut allow_private = app.config.settings.discovery.allow_private.clone();
    // This machine is logged in there, so it may be where it is.
    allow_private.extend(keystore.iter().map(|directory| directory.host.clone()));
    let web = WebClient::new(&allow_private);
    let mut search = Search::new(&web, &args.address, &app.policy, app.now);
    if !args.offline && !ours {
        keystore.iter().for_each(|directory| search.keystore(&directory.host, &directory.origin));
        ask(app, &args, &mut search)?;
    }
    let network_failed = search.failed();
    let (steps, found) = (search.steps, search.candidates);

    candidates.extend(found.iter().cloned());
    let choice = contacts::decide(app, &args.address, candidates)?;
    let stored = store(app, &choice, found.into_iter().map(|candidate| candidate.certificate).collect())?;

    if app.terminal.json {
        output::print_json(&to_json(app, &args.address, &steps, &choice)?)?;
    } else {
        if args.explain {
            output::print(&explanation(app, &args.address, &steps, &choice)?)?;
        }
        if let Outcome::Use { certificate, first_use } = &choice.outcome {
            let why = match (first_use, stored) {
                (Some(pin), _) => format!(", from {}, pinned to the address from now on", pin.source),
                (None, Stored::Updated) => ", brought up to date".to_owned(),
                (None, _) => String::new(),
            };
            let text = format!("{} for {}{why}", certificate.fingerprint(), args.address);
            app.terminal.note(Tone::Good, "found", &text);
        }
    }
    match choice.outcome {
        Outcome::Use { .. } => Ok(()),
        Outcome::Conflict(conflict) => Err(contacts::undecided(&conflict)),
        Outcome::None => Err(nothing(&args, &choice.explanations, &steps, network_failed).into()),
    }
}

fn ask(app: &App<'_>, args: &Args, search: &mut Search<'_>) -> anyhow::Result<()> {
    let settings = &app.config.settings.discovery;
    if settings.wkd {
        search.wkd();
    }
    for text in &settings.keyservers {
        let server: Keyserver = text
            .parse()
            .map_err(|error| Failure::new(Exit::Failed, format!("{text} in config.toml: {error}")))?;
        search.keyserver(&server);
    }
    args.keyserver.iter().for_each(|server| search.keyserver(server));
    Ok(())
}

/// What mails told about the address, as far as it is listened to.
fn brought(app: &App<'_>, address: &Address) -> anyhow::Result<Vec<(Certificate, Brought)>> {
    if !app.config.settings.discovery.autocrypt {
        return Ok(Vec::new());
    }
    let known = app.correspondents.of(address)?.map_or_else(Vec::new, |known| known.brought);
    Ok(known.into_iter().filter_map(|brought| Some((brought.certificate()?, brought))).collect())
}

/// Autocrypt Level 1, section 2.4: a certificate that newer mails have not brought for this long is doubtful.
const STALE: Duration = Duration::from_secs(35 * 24 * 3600);

/// Keeps what was chosen and what waits for a decision; the rest is not worth a place.
fn store(app: &App<'_>, choice: &Choice, found: Vec<Certificate>) -> anyhow::Result<Stored> {
    let mut stored = Stored::Unchanged;
    let chosen = match &choice.outcome {
        Outcome::Use { certificate, .. } => Some(certificate.fingerprint()),
        _ => None,
    };
    let offered: Vec<_> = match &choice.outcome {
        Outcome::Conflict(conflict) => conflict.offered.iter().map(|(fingerprint, _)| fingerprint).collect(),
        _ => Vec::new(),
    };
    for certificate in found {
        let fingerprint = certificate.fingerprint();
        let known = app.certificates.by_fingerprint(&fingerprint)?.is_some();
        // Also what is here already: the update may be a revocation.
        if known || Some(&fingerprint) == chosen.as_ref() || offered.contains(&&fingerprint) {
            let change = app.certificates.store(&certificate)?;
            if change != Stored::Unchanged {
                stored = change;
            }
        }
    }
    Ok(stored)
}

fn nothing(args: &Args, explanations: &[Explanation], steps: &[Step], network_failed: bool) -> Failure {
    let address = &args.address;
    if let Some(unused) = explanations.first() {
        let reason = unused.result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let message = format!("no certificate for {address} can be used: {} ({reason})", unused.fingerprint);
        return Failure::new(Exit::CertificateUnusable, message)
            .hint(format!("ask {address} for a new one; `--explain` says more"));
    }
    if network_failed {
        let reasons = steps.iter().map(|step| format!("{}: {}", step.source, step.came.text()));
        let message = format!("no certificate for {address}: {}", reasons.collect::<Vec<_>>().join("; "));
        return Failure::new(Exit::Network, message)
            .hint("try again later, or ask them to send their certificate");
    }
    let hint = match args.offline {
        true => "without --offline their domain is asked".to_owned(),
        false => format!(
            "ask {address} to send theirs and `plombe key import` it, or try `--keyserver vks://keys.openpgp.org`"
        ),
    };
    Failure::new(Exit::CertificateUnusable, format!("there is no certificate for {address}")).hint(hint)
}

fn explanation(app: &App<'_>, address: &Address, steps: &[Step], choice: &Choice) -> anyhow::Result<String> {
    let mut text = String::new();
    for step in steps {
        writeln!(text, "asked {} ({}): {}", step.source, step.url, step.came.text())?;
    }
    let last_seen = app.correspondents.of(address)?.and_then(|known| known.last_seen);
    for (certificate, brought) in brought(app, address)? {
        let wish = if brought.prefer_encrypt { ", and asked for encrypted answers" } else { "" };
        // They may write with a program now that does not have the key any more.
        let stale =
            last_seen.filter(|seen| brought.source == Source::Autocrypt && *seen > brought.seen + STALE);
        let stale = stale.map_or(String::new(), |seen| {
            format!("; their mail of {} did not bring it any more", date::day(seen))
        });
        let (day, source, fingerprint) =
            (date::day(brought.seen), &brought.source, certificate.fingerprint());
        writeln!(text, "mail of {day} ({source}) brought {fingerprint}{wish}{stale}")?;
    }
    for line in &choice.explanations {
        let sources = line.sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match &line.result {
            Ok(()) => writeln!(text, "{} from {sources}: used", line.fingerprint)?,
            Err(why) => writeln!(text, "{} from {sources}: not used, {why}", line.fingerprint)?,
        }
    }
    Ok(text)
}

fn to_json(app: &App<'_>, address: &Address, steps: &[Step], choice: &Choice) -> anyhow::Result<Value> {
    let asked = steps.iter().map(|step| {
        json!({
            "source": step.source.to_string(), "url": step.url,
            "came": step.came.code(), "text": step.came.text(),
        })
    });
    let considered = choice.explanations.iter().map(|line| {
        json!({
            "fingerprint": line.fingerprint.to_hex(),
            "sources": line.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "used": line.result.is_ok(),
            "why_not": line.result.as_ref().err().map(ToString::to_string),
        })
    });
    let (outcome, certificate) = match &choice.outcome {
        Outcome::Use { certificate, .. } => ("found", Some(describe::json(app, certificate)?)),
        Outcome::Conflict(_) => ("conflict", None),
        Outcome::None => ("none", None),
    };
    let mails: Vec<_> = brought(app, address)?
        .iter()
        .map(|(certificate, brought)| {
            json!({
                "source": brought.source.to_string(),
                "fingerprint": certificate.fingerprint().to_hex(),
                "seen": date::rfc3339(brought.seen),
                "prefer_encrypt": brought.prefer_encrypt,
            })
        })
        .collect();
    Ok(json!({
        "address": address.to_string(),
        "outcome": outcome,
        "certificate": certificate,
        "asked": asked.collect::<Vec<_>>(),
        "mails": mails,
        "considered": considered.collect::<Vec<_>>(),
    }))
}
