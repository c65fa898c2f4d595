// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key trust`: a person decides which certificate belongs to an address.

use plombe_core::{
    Fingerprint,
    recipients::{Address, Candidate, Source},
};
use serde_json::json;

use crate::{
    app::App,
    contacts,
    exit::{Exit, Failure},
    output,
    terminal::Tone,
};

/// The decision.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mail address
    address: Address,
    /// Fingerprint of the certificate, compared with what its owner says by another way
    fingerprint: Fingerprint,
    /// It is not theirs: never use it for this address
    #[arg(long)]
    reject: bool,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let (address, fingerprint) = (&args.address, &args.fingerprint);
    if !matches!(fingerprint, Fingerprint::V4(_) | Fingerprint::V6(_)) {
        return Err(Failure::usage("a fingerprint has 40 or 64 hexadecimal digits").into());
    }
    if args.reject {
        app.pins.update(|pins| pins.reject(address, fingerprint, app.now))?;
    } else {
        let source = source_of(app, address, fingerprint)?;
        app.pins.update(|pins| pins.trust(address, fingerprint, source, app.now))?;
    }
    let decision = if args.reject { "rejected" } else { "trusted" };
    if app.terminal.json {
        let fingerprint = fingerprint.to_hex();
        return output::print_json(
            &json!({"address": address.to_string(), "fingerprint": fingerprint, "decision": decision}),
        );
    }
    app.terminal.note(Tone::Good, decision, &format!("{fingerprint} for {address}"));
    Ok(())
}

/// Where the certificate came from. It has to be here, and to say itself that it belongs to the address. What a mail
/// brought is stored now that somebody means it.
fn source_of(app: &App<'_>, address: &Address, fingerprint: &Fingerprint) -> anyhow::Result<Source> {
    let pins = app.pins.read()?;
    let offered = pins.offers().find(|offer| offer.address == *address && offer.fingerprint == *fingerprint);
    let offered = offered.map(|offer| offer.source.clone());
    let (certificate, source) = match app.certificates.by_fingerprint(fingerprint)? {
        Some(stored) => (stored, Source::Store),
        None => {
            let mut brought = contacts::brought(app, address)?.into_iter();
            let wanted = |candidate: &Candidate| candidate.certificate.fingerprint() == *fingerprint;
            let found = brought.find(wanted).ok_or_else(|| missing(address, fingerprint))?;
            (found.certificate, found.source)
        }
    };
    if !certificate.has_address(address, &app.policy, app.now) {
        let message = format!("certificate {fingerprint} has no valid user ID with {address}");
        return Err(Failure::new(Exit::CertificateUnusable, message)
            .hint("ask its owner for one that has")
            .into());
    }
    if source.is_mail() {
        app.certificates.store(&certificate)?;
    }
    Ok(offered.unwrap_or(source))
}

fn missing(address: &Address, fingerprint: &Fingerprint) -> Failure {
    Failure::new(Exit::CertificateUnusable, format!("there is no certificate {fingerprint} here"))
        .hint(format!("`plombe key find {address}` looks for it, `plombe key import FILE` brings one in"))
}
