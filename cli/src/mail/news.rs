// SPDX-License-Identifier: LGPL-2.0-or-later
//! What opened mails say about keys, collected and kept as candidates (Autocrypt).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::SystemTime,
};

use plombe_core::{
    mail::OpenedMail,
    recipients::{Address, Learned, Source},
};

use crate::{app::App, contacts, terminal::Tone};

/// Collects while mails are opened, from several threads; [`News::keep`] writes at the end. A thousand mails of a
/// handful of people are a handful of entries.
pub(super) struct News<'a> {
    app: &'a App<'a>,
    heard: Mutex<BTreeMap<String, Heard>>,
}

/// About one address.
struct Heard {
    address: Address,
    last_seen: Option<SystemTime>,
    /// Keydata → newest date, and whether that mail asked for encrypted answers.
    brought: HashMap<(Source, Vec<u8>), (SystemTime, bool)>,
}

impl<'a> News<'a> {
    pub(super) fn new(app: &'a App<'a>) -> Self {
        Self { app, heard: Mutex::default() }
    }

    /// Listens to one opened mail.
    pub(super) fn of(&self, opened: &OpenedMail) {
        if !self.app.config.settings.discovery.autocrypt {
            return;
        }
        let Some(news) = opened.key_news() else { return };
        let mut heard = self.heard.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(author) = about(&mut heard, &news.author) {
            author.last_seen = author.last_seen.max(Some(news.effective_date));
        }
        for candidate in &news.candidates {
            let Some(about) = about(&mut heard, &candidate.address) else { continue };
            let what = (candidate.source.clone(), candidate.keydata.clone());
            let newest = about.brought.entry(what).or_insert((news.effective_date, candidate.prefer_encrypt));
            if news.effective_date >= newest.0 {
                *newest = (news.effective_date, candidate.prefer_encrypt);
            }
        }
    }

    /// Keeps what was heard, and tells what is new. That it cannot be kept is no reason for opening to fail.
    pub(super) fn keep(self) {
        let app = self.app;
        let heard = self.heard.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        for about in heard.into_values() {
            if let Err(error) = about.keep(app) {
                app.terminal.warn(&format!("{error:#}; certificates in mails are not remembered"));
                return;
            }
        }
    }
}

fn about<'h>(heard: &'h mut BTreeMap<String, Heard>, address: &str) -> Option<&'h mut Heard> {
    let address = Address::parse(address).ok()?;
    let name = address.to_string().to_ascii_lowercase();
    Some(heard.entry(name).or_insert_with(|| Heard { address, last_seen: None, brought: HashMap::new() }))
}

impl Heard {
    fn keep(self, app: &App<'_>) -> anyhow::Result<()> {
        let Self { address, last_seen, brought } = self;
        if brought.is_empty() && app.correspondents.of(&address)?.is_none() {
            return Ok(());
        }
        let mut brought: Vec<_> = brought.into_iter().collect();
        brought.sort_by_key(|(_, (date, _))| *date);
        let learned = app.correspondents.update(&address, |known| {
            last_seen.into_iter().for_each(|date| known.saw(date));
            let learn =
                |((source, keydata), (date, prefer_encrypt)): ((Source, Vec<u8>), (SystemTime, bool))| {
                    // What is no certificate for this address is no candidate, and nobody's concern.
                    let learned =
                        known.learn(&keydata, &source, prefer_encrypt, date, &app.policy, app.now).ok()?;
                    Some((source, learned))
                };
            brought.into_iter().filter_map(learn).collect::<Vec<_>>()
        })?;
        if learned.iter().any(|(_, learned)| *learned != Learned::Older) {
            bring_up_to_date(app, &address)?;
        }
        for (source, learned) in learned {
            if let Learned::New(fingerprint) = learned {
                // Who is known already needs no word about it.
                if app.certificates.by_fingerprint(&fingerprint)?.is_none() {
                    let text = format!(
                        "a mail brought {fingerprint} for {address} ({source}); nobody vouches for it"
                    );
                    app.terminal.note(Tone::Plain, "candidate", &text);
                }
            }
        }
        Ok(())
    }
}

/// A certificate that is in the store already learns what is new about it, as from any other source: all of it is signed by
/// its own primary key, so it does not matter who sent it.
fn bring_up_to_date(app: &App<'_>, address: &Address) -> anyhow::Result<()> {
    for candidate in contacts::brought(app, address)? {
        if app.certificates.by_fingerprint(&candidate.certificate.fingerprint())?.is_some() {
            app.certificates.store(&candidate.certificate)?;
        }
    }
    Ok(())
}
