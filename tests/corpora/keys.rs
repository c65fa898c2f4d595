// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates and TSKs that come with a corpus, and opening with them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, LockedTsk, Tsk},
    crypto_policy::CryptoPolicy,
    mail::{self, MailOpenError, OpenOptions, OpenedMail},
    message::{Limits, OpenContext, SealedMessage},
};

/// Everything a reader has.
pub(crate) struct Keys {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) tsks: Vec<Tsk>,
    pub(crate) policy: CryptoPolicy,
}

/// Verdicts must not change as years go by.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

impl Keys {
    /// Every `.asc` and `.pgp` below a folder.
    pub(crate) fn of_corpus(folder: &Path) -> Self {
        let mut keys = Self { certificates: Vec::new(), tsks: Vec::new(), policy: CryptoPolicy::standard() };
        for path in key_files(folder) {
            let bytes = fs::read(&path).expect("a key file");
            keys.certificates.extend(Certificate::parse_all(&bytes).expect("a certificate"));
            for tsk in LockedTsk::parse_all(&bytes).unwrap_or_default() {
                keys.tsks.push(tsk.unlock(None).expect("corpus keys have no passphrase"));
            }
        }
        keys
    }

    /// Opens as the holder of every TSK.
    pub(crate) fn open(&self, mail: &[u8], options: &OpenOptions) -> Result<OpenedMail, MailOpenError> {
        let mut keyring =
            |sealed: &SealedMessage<'_>| sealed.unwrap_session_key(&self.tsks, &self.policy, now());
        self.with_context(|context| mail::open(mail, &mut keyring, context, options))
    }

    /// Looks without opening.
    pub(crate) fn inspect(&self, mail: &[u8]) -> Result<mail::Inspection, MailOpenError> {
        self.with_context(|context| mail::inspect(mail, context))
    }

    fn with_context<T>(&self, act: impl FnOnce(&OpenContext<'_>) -> T) -> T {
        let readers: Vec<Fingerprint> = self.tsks.iter().map(Tsk::fingerprint).collect();
        act(&OpenContext {
            signers: &self.certificates,
            readers: &readers,
            policy: &self.policy,
            now: now(),
            limits: Limits::default(),
            hash_content: true,
        })
    }
}

fn key_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(key_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "asc" || extension == "pgp") {
            found.push(path);
        }
    }
    found.sort();
    found
}
