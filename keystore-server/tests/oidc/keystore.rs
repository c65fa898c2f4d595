// SPDX-License-Identifier: LGPL-2.0-or-later
//! The running keystore with issuers in its configuration, and what its log shows.

use std::{path::Path, time::SystemTime};

use plombe_client::{ClientError, DeviceKey, Keystore, Options, Session};
use plombe_core::{
    keystore::{
        EnrolmentCode,
        calls::{
            audit::{ListEntries, Scope},
            keys::KeyInfo,
            login::Role,
            principals::{CreateCode, CreatePrincipal},
        },
    },
    log::{Disclosure, entry::Entry},
};
use plombe_tests::keystore;

/// For example.org.
pub(crate) struct TestKeystore(keystore::Keystore);

impl TestKeystore {
    /// With more in its configuration.
    pub(crate) fn with(more: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_plombe-keystore"));
        let mut keystore = keystore::Keystore::start(program, "example.org", &[]);
        keystore.kill();
        keystore.configure(&format!("[limits]\nlog_ins_per_minute = 1000\n{more}"));
        keystore.start_again();
        Self(keystore)
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// Ends it, adds to its configuration, and starts it again.
    pub(crate) fn restart_with(&mut self, more: &str) {
        self.0.stop();
        self.0.configure(more);
        self.0.start_again();
    }

    /// Adds somebody at the console; gives their code.
    pub(crate) fn add(&self, address: &str) -> String {
        self.0.add_user(address)
    }

    pub(crate) fn client(&self) -> Keystore {
        Keystore::connect(self.url(), None, Options::new(SystemTime::now)).unwrap()
    }

    pub(crate) fn log_in(&self, code: &str) -> Session {
        self.log_in_at(self.url(), code).unwrap()
    }

    /// The same keystore under another of its names.
    pub(crate) fn log_in_at(&self, url: &str, code: &str) -> Result<Session, ClientError> {
        let client = Keystore::connect(url, None, Options::new(SystemTime::now))?;
        client.log_in_with_code(DeviceKey::generate(), &code.parse().unwrap(), "test device")
    }

    pub(crate) fn generate(&self, session: &mut Session, address: &str) -> KeyInfo {
        crate::mail::generate(session, address)
    }

    /// Does one's own log show this?
    pub(crate) fn shows_own(&self, session: &mut Session, action: &str, rule: &str) -> bool {
        let entries = entries(session, Scope::Mine);
        entries.iter().any(|entry| entry.action == action && entry.decision.rule == rule)
    }

    /// What the keystore has counted of refusals to nobody in particular, without what belongs to the way that log-ins go. It is
    /// written once a minute and at the end, so this ends the server and starts it again.
    pub(crate) fn counted_refusals(&mut self) -> Vec<String> {
        self.0.stop();
        self.0.start_again();
        let mut admin = self.log_in(self.0.admin_code());
        let auditor = CreatePrincipal {
            name: String::new(),
            addresses: vec!["auditor@example.org".into()],
            roles: vec![Role::Auditor],
        };
        let principal = admin.call(&auditor).unwrap().principal.id;
        let code = admin.call(&CreateCode { principal, valid_for_seconds: None }).unwrap();
        let code = EnrolmentCode::new(code.secret.expose().try_into().unwrap(), self.client().identity());
        let mut auditor = self.log_in(&code.to_text());
        let refusals =
            entries(&mut auditor, Scope::All).into_iter().filter(|entry| entry.action == "refused-anonymous");
        let notes = refusals.filter_map(|entry| entry.about.note);
        let mut notes: Vec<_> = notes.filter(|note| !note.starts_with("proof-nonce")).collect();
        notes.sort();
        notes
    }
}

/// Entries that the session may read.
pub(crate) fn entries(session: &mut Session, scope: Scope) -> Vec<Entry> {
    let page = session.call(&ListEntries { scope, after: None, limit: 500 }).unwrap();
    let whole = page.entries.iter().filter_map(|entry| match Disclosure::from_bytes(&entry.disclosure.0) {
        Some(Disclosure::Whole { body, .. }) => Some(serde_json::from_slice(&body).unwrap()),
        _ => None,
    });
    whole.collect()
}
