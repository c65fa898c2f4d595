// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate belongs to somebody's address, as far as this machine knows: store, own keys and pins.

use plombe_core::{
    KeyHandle,
    cert::Certificate,
    message::SignerCertificates,
    recipients::{Address, Candidate, Choice, Conflict, Explanation, Outcome, Pin, Pins, Source, choose},
};

use crate::{
    app::App,
    exit::{Exit, Failure},
    keystore::Account,
    terminal::Tone,
};

/// Everything here that names `address`: what is ours, what lies in the store, what mails brought along.
pub(crate) fn candidates(app: &App<'_>, address: &Address) -> anyhow::Result<Vec<Candidate>> {
    let text = address.to_string();
    let own = app.tsks.by_address(&text)?.into_iter().map(|tsk| (tsk.certificate(), Source::Own));
    let kept: Vec<Certificate> = Account::new(app)
        .certificates()?
        .into_iter()
        .filter(|certificate| certificate.unverified_addresses().contains(&text.to_ascii_lowercase()))
        .collect();
    let own = own.chain(kept.into_iter().map(|certificate| (certificate, Source::Own)));
    let stored = app.certificates.by_address(&text)?.into_iter().map(|known| (known, Source::Store));
    let known = own.chain(stored).map(|(certificate, source)| Candidate { certificate, source });
    Ok(known.chain(brought(app, address)?).collect())
}

/// What mails brought along, unless the settings say that it is not wanted.
pub(crate) fn brought(app: &App<'_>, address: &Address) -> anyhow::Result<Vec<Candidate>> {
    match app.config.settings.discovery.autocrypt {
        true => Ok(app.correspondents.of(address)?.map_or_else(Vec::new, |known| known.candidates())),
        false => Ok(Vec::new()),
    }
}

/// Decides with what is pinned, and pins a first use. A certificate from a mail that is used goes into the store: from
/// then on its signatures count, and other programs see it.
pub(crate) fn decide(
    app: &App<'_>,
    address: &Address,
    mut candidates: Vec<Candidate>,
) -> anyhow::Result<Choice> {
    let pins = app.pins.read()?;
    // A user ID may have been taken off the pinned certificate; then it is found by its fingerprint only.
    if let Some(pin) = pins.of(address) {
        let pinned = app.certificates.by_fingerprint(&pin.fingerprint)?;
        candidates.extend(pinned.map(|certificate| Candidate { certificate, source: Source::Store }));
    }
    let choice = choose(address, candidates, &pins, &app.policy, app.now);
    if let Outcome::Use { certificate, .. } = &choice.outcome {
        let used = choice.explanations.iter().find(|line| line.result.is_ok());
        let ours = |line: &Explanation| line.sources.contains(&Source::Own);
        if used.is_some_and(|line| line.sources.iter().any(Source::is_mail) && !ours(line)) {
            app.certificates.store(certificate)?;
        }
    }
    match &choice.outcome {
        Outcome::Use { first_use: Some(pin), .. } => app.pins.update(|pins| pins.record(pin.clone()))?,
        Outcome::Conflict(conflict) => app.pins.update(|pins| pins.remember(conflict, app.now))?,
        _ => {}
    }
    Ok(choice)
}

/// Says that a certificate was pinned: whom mail goes to is nothing to decide in silence.
pub(crate) fn tell_first_use(app: &App<'_>, pin: &Pin) {
    let from = match &pin.source {
        Source::Autocrypt => "a mail from there, which anybody could have written",
        Source::AutocryptGossip => "what somebody else wrote about them",
        Source::Store => "the certificates on this machine",
        _ => &pin.source.to_string(),
    };
    let tone = if pin.source.is_mail() { Tone::Doubtful } else { Tone::Plain };
    let text = format!("{} is pinned to {} from now on, taken from {from}", pin.fingerprint, pin.address);
    app.terminal.note(tone, "first use", &text);
}

/// Certificates whose signatures count: those of the store, as far as they are believed.
pub(crate) struct Signers<'a> {
    app: &'a App<'a>,
    pins: Pins,
}

impl<'a> Signers<'a> {
    pub(crate) fn known(app: &'a App<'a>) -> anyhow::Result<Self> {
        Ok(Self { app, pins: app.pins.read()? })
    }
}

impl SignerCertificates for Signers<'_> {
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate> {
        let believed = |one: Certificate| {
            // Who has several keys of their own need not decide between them.
            let own = self.app.tsks.path(&one.fingerprint()).exists();
            if own { Some(one) } else { self.pins.believed(one, &self.app.policy, self.app.now) }
        };
        self.app.certificates.find(handle).into_iter().filter_map(believed).collect()
    }
}

/// The failure that a conflict is for commands that cannot go on without a decision.
pub(crate) fn undecided(conflict: &Conflict) -> anyhow::Error {
    Failure::new(Exit::Conflict, conflict.to_string())
        .hint(format!(
            "ask them by another way which one is right, then `plombe key trust {} FINGERPRINT`",
            conflict.address
        ))
        .into()
}
