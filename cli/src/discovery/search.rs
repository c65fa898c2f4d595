// SPDX-License-Identifier: LGPL-2.0-or-later
//! Asks everybody who may know a certificate for an address, and notes who was asked and what came.

use std::time::SystemTime;

use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    recipients::{
        Address, Candidate, Keyserver, Source, WkdMethod,
        answer::{self, AnswerError},
        wkd,
    },
};

use super::web::{WebClient, WebError};

/// One round of questions about one address.
pub(crate) struct Search<'a> {
    pub(crate) web: &'a WebClient,
    pub(crate) address: &'a Address,
    pub(crate) policy: &'a CryptoPolicy,
    pub(crate) now: SystemTime,
    /// Every question, in order.
    pub(crate) steps: Vec<Step>,
    /// Every certificate that came, cut down to the address.
    pub(crate) candidates: Vec<Candidate>,
}

/// One question.
pub(crate) struct Step {
    /// Who was asked.
    pub(crate) source: Source,
    /// With these words.
    pub(crate) url: String,
    /// The answer.
    pub(crate) came: Came,
}

/// What an answer was.
pub(crate) enum Came {
    /// Certificates with the address in a valid user ID.
    Certificates(usize),
    /// They have none.
    Nothing,
    /// Something that is of no use.
    Useless(AnswerError),
    /// No answer.
    Failed(WebError),
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        web: &'a WebClient,
        address: &'a Address,
        policy: &'a CryptoPolicy,
        now: SystemTime,
    ) -> Self {
        Self { web, address, policy, now, steps: Vec::new(), candidates: Vec::new() }
    }

    /// Asks the address's domain. The direct method is asked only when the advanced method's host does not exist: a
    /// domain that has it means it.
    pub(crate) fn wkd(&mut self) {
        let advanced = Source::Wkd(WkdMethod::Advanced);
        self.ask(advanced, wkd::advanced_url(self.address), answer::MAX_WKD_BYTES);
        let no_such_host = |step: &Step| matches!(&step.came, Came::Failed(error) if error.is_no_such_host());
        if self.steps.last().is_some_and(no_such_host) {
            let direct = Source::Wkd(WkdMethod::Direct);
            self.ask(direct, wkd::direct_url(self.address), answer::MAX_WKD_BYTES);
        }
    }

    /// Asks a keystore's directory.
    pub(crate) fn keystore(&mut self, server: &str, origin: &str) {
        let source = Source::Keystore { server: server.to_owned() };
        self.ask(source, wkd::url_at(origin, self.address), answer::MAX_WKD_BYTES);
    }

    /// Asks a key server.
    pub(crate) fn keyserver(&mut self, server: &Keyserver) {
        self.ask(server.source(), server.by_address_url(self.address), answer::MAX_KEYSERVER_BYTES);
    }

    /// Did nothing come although somebody might have had it?
    pub(crate) fn failed(&self) -> bool {
        self.candidates.is_empty()
            && self.steps.iter().any(|step| matches!(&step.came, Came::Failed(e) if !e.is_no_such_host()))
    }

    fn ask(&mut self, source: Source, url: String, max_bytes: usize) {
        let came = match self.web.get(&url, max_bytes) {
            Ok(Some(bytes)) => match answer::certificates(&bytes, self.address, self.policy, self.now) {
                Ok(certificates) => self.take(certificates, &source),
                Err(useless) => Came::Useless(useless),
            },
            Ok(None) => Came::Nothing,
            Err(error) => Came::Failed(error),
        };
        self.steps.push(Step { source, url, came });
    }

    fn take(&mut self, certificates: Vec<Certificate>, source: &Source) -> Came {
        let count = certificates.len();
        let candidates = certificates.into_iter();
        self.candidates
            .extend(candidates.map(|certificate| Candidate { certificate, source: source.clone() }));
        Came::Certificates(count)
    }
}

impl Came {
    /// One line for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Certificates(1) => "one certificate".to_owned(),
            Self::Certificates(count) => format!("{count} certificates"),
            Self::Nothing => "nothing there".to_owned(),
            Self::Useless(error) => format!("not used: {error}"),
            Self::Failed(error) => error.to_string(),
        }
    }

    /// Stable, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Certificates(_) => "certificates",
            Self::Nothing => "nothing",
            Self::Useless(_) => "useless",
            Self::Failed(error) if error.is_no_such_host() => "no-such-host",
            Self::Failed(_) => "failed",
        }
    }
}
