// SPDX-License-Identifier: LGPL-2.0-or-later
//! Opens mails one after the other with one keyring.

use std::{collections::HashMap, sync::Mutex};

use plombe_core::{
    Fingerprint, KeyHandle,
    cert::Certificate,
    mail::{self, MailOpenError, OpenOptions, OpenedMail},
    message::{Limits, OpenContext, SealedMessage, SignerCertificates, UnwrapError},
};

use crate::{app::App, contacts::Signers, keyring::Keyring, keystore::Purpose};

/// What opening needs besides the mail; used from several threads at once.
pub(super) struct Opener<'a> {
    app: &'a App<'a>,
    keyring: Mutex<Keyring<'a>>,
    owners: Vec<Fingerprint>,
    signers: KnownSigners<'a>,
}

impl<'a> Opener<'a> {
    pub(super) fn new(app: &'a App<'a>, keyring: Keyring<'a>) -> anyhow::Result<Self> {
        let owners = keyring.owners();
        let signers = KnownSigners { signers: Signers::known(app)?, found: Mutex::default() };
        Ok(Self { app, keyring: Mutex::new(keyring), owners, signers })
    }

    /// Keys of other people that were used so far.
    pub(super) fn shared_keys(&self) -> Vec<String> {
        self.keyring.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).shared_keys()
    }

    pub(super) fn context(&self) -> OpenContext<'_> {
        OpenContext {
            signers: &self.signers,
            readers: &self.owners,
            policy: &self.app.policy,
            now: self.app.now,
            limits: Limits::default(),
            hash_content: true,
        }
    }

    pub(super) fn open(&self, mail: &[u8], options: &OpenOptions) -> anyhow::Result<OpenedMail> {
        // Core knows only that no key was found; why it was not (a wrong passphrase, say) is known here.
        let mut reason = None;
        // As anybody could have written them: for the log, which says that they are claims.
        let (message_id, sender) = (mail::message_id(mail), mail::unverified_sender(mail));
        let mut session_key = |sealed: &SealedMessage<'_>| {
            let mut keyring = self.keyring.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            keyring.is_for_mail(Purpose::ReadMail, message_id.clone(), sender.clone());
            keyring.session_key(sealed).map_err(|error| {
                let unwrap = error.downcast::<UnwrapError>();
                unwrap.unwrap_or_else(|error| {
                    reason = Some(error);
                    UnwrapError::NoMatchingKey { wanted: Vec::new() }
                })
            })
        };
        match mail::open(mail, &mut session_key, &self.context(), options) {
            Err(MailOpenError::Unwrap(error)) => Err(reason.unwrap_or_else(|| error.into())),
            other => Ok(other?),
        }
    }
}

/// A thousand mails have a handful of signers: each is looked up once.
struct KnownSigners<'a> {
    signers: Signers<'a>,
    found: Mutex<HashMap<String, Vec<Certificate>>>,
}

impl SignerCertificates for KnownSigners<'_> {
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate> {
        let mut found = self.found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        found.entry(handle.to_hex()).or_insert_with(|| self.signers.find(handle)).clone()
    }
}
