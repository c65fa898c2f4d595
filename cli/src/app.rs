// SPDX-License-Identifier: LGPL-2.0-or-later
//! What every command gets: settings, stores, crypto policy, the time, and a way to speak.

use std::time::SystemTime;

use plombe_core::crypto_policy::CryptoPolicy;

use crate::{
    config::Config,
    store::{Certificates, Correspondents, PinStore, Tsks},
    terminal::Terminal,
};

/// One run of the program. `now` is read once, so that everything in a run is judged at the same moment.
pub(crate) struct App<'a> {
    pub(crate) config: Config,
    pub(crate) certificates: Certificates,
    pub(crate) tsks: Tsks,
    pub(crate) pins: PinStore,
    pub(crate) correspondents: Correspondents,
    pub(crate) policy: CryptoPolicy,
    pub(crate) now: SystemTime,
    pub(crate) terminal: &'a Terminal,
}

impl<'a> App<'a> {
    /// Reads settings and nothing else: stores are read when a command asks them.
    pub(crate) fn new(terminal: &'a Terminal) -> anyhow::Result<Self> {
        let config = Config::load()?;
        Ok(Self {
            certificates: Certificates::new(&config.paths),
            tsks: Tsks::new(&config.paths),
            pins: PinStore::new(&config.paths),
            correspondents: Correspondents::new(&config.paths),
            config,
            policy: CryptoPolicy::standard(),
            now: SystemTime::now(),
            terminal,
        })
    }

    /// The same a moment later: what was changed in this run is judged as it stands now, not as it stood before.
    pub(crate) fn afterwards(&self) -> anyhow::Result<Self> {
        Self::new(self.terminal)
    }
}
