// SPDX-License-Identifier: LGPL-2.0-or-later
//! Changing a certificate of one's own: unlock, change, lock again under the same passphrase, store both parts.

use std::time::{Duration, SystemTime};

use plombe_core::{
    cert::{Certificate, Tsk},
    secret::Passphrase,
};

use crate::{
    app::App,
    args::PassphraseArgs,
    passphrase::Passphrases,
    who::{self, Who},
};

/// A TSK that is being changed, with everything that is known about its certificate.
pub(super) struct Change {
    pub(super) tsk: Tsk,
    /// When the change is made: in a second of its own.
    pub(super) now: SystemTime,
    passphrase: Option<Passphrase>,
}

/// For the next second to begin. A clock that was put back is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Change {
    pub(super) fn begin(app: &App<'_>, who: &Who, args: &PassphraseArgs) -> anyhow::Result<Self> {
        let mut tsk = who.tsk(app)?;
        if let Some(certificate) = app.certificates.by_fingerprint(&tsk.fingerprint())? {
            tsk = tsk.merge(certificate)?;
        }
        let name = who::name(app, &tsk.certificate());
        let (tsk, passphrase) = Passphrases::from_args(args)?.unlock(tsk, &name)?;
        Ok(Self { now: next_second(&tsk.certificate(), app.now), tsk, passphrase })
    }

    /// Stores the changed TSK and what others may know of it.
    pub(super) fn finish(self, app: &App<'_>) -> anyhow::Result<Certificate> {
        let certificate = self.tsk.certificate();
        app.tsks.store(&self.tsk.lock(self.passphrase.as_ref())?)?;
        app.certificates.store(&certificate)?;
        Ok(certificate)
    }
}

/// Of two statements of one second readers may follow either, so a later one would be dated into the future, and not count yet.
fn next_second(certificate: &Certificate, now: SystemTime) -> SystemTime {
    let over = certificate.newest_statement() + Duration::from_secs(1);
    match over.duration_since(now) {
        Ok(left) if left <= LONGEST_WAIT => {
            std::thread::sleep(left);
            over
        }
        _ => now,
    }
}
