// SPDX-License-Identifier: LGPL-2.0-or-later
//! Named operations with a key in custody: asked for here, done there, where the packets are built.

use plombe_core::{
    cert::Certificate,
    keystore::{
        KeyFingerprint,
        calls::{Call, certificates::ChangedCertificate, keys::KeyInfo},
    },
};

use super::Account;
use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    who::Who,
};

/// A key in custody that is this person's own, and so theirs to change.
pub(crate) struct OwnInCustody {
    account: Account,
    /// By which name calls mean it.
    pub(crate) key: KeyFingerprint,
    /// With all that is known here.
    pub(crate) certificate: Certificate,
}

impl OwnInCustody {
    /// The one that `who` means; `None` when a TSK of this machine is meant, or nothing at all.
    pub(crate) fn find(
        app: &App<'_>,
        who: &Who,
        passphrase: &PassphraseArgs,
    ) -> anyhow::Result<Option<Self>> {
        if !who.tsks(app)?.is_empty() {
            return Ok(None);
        }
        let account = Account::new(app);
        let mut meant = Vec::new();
        for info in account.keys()? {
            let certificate = Certificate::parse(&info.certificate.0)?;
            if who.means(&certificate) {
                meant.push((info, certificate));
            }
        }
        let is_own = |(info, _): &(KeyInfo, Certificate)| info.grant.is_none();
        if !meant.is_empty() && !meant.iter().any(is_own) {
            let message = format!("the key of {who} is not yours: its owner lets you use it, and no more");
            return Err(Failure::new(Exit::KeystoreRefused, message).hint("ask them to do this").into());
        }
        meant.retain(is_own);
        let Some((info, certificate)) = meant.pop() else { return Ok(None) };
        if !meant.is_empty() {
            meant.push((info, certificate));
            return Err(who.ambiguous(meant.iter().map(|(info, _)| info.fingerprint.to_string())));
        }
        if passphrase.is_given() {
            return Err(no_passphrase(who).into());
        }
        let certificate = match app.certificates.by_fingerprint(&certificate.fingerprint())? {
            Some(known) => certificate.merge(known)?,
            None => certificate,
        };
        Ok(Some(Self { account, key: info.fingerprint, certificate }))
    }

    /// Has it changed there, and stores what others may know of it.
    pub(crate) fn change<C>(&self, app: &App<'_>, call: &C) -> anyhow::Result<Certificate>
    where
        C: Call<Answer = ChangedCertificate>,
    {
        let changed = self.account.call_and_refresh(call)?;
        let changed = Certificate::parse(&changed.certificate.0)?.merge(self.certificate.clone())?;
        app.certificates.store(&changed)?;
        Ok(changed)
    }

    /// Has it vouch for somebody else's certificate; gives that.
    pub(crate) fn vouch<C>(&self, call: &C) -> anyhow::Result<Certificate>
    where
        C: Call<Answer = ChangedCertificate>,
    {
        Ok(Certificate::parse(&self.account.call_and_refresh(call)?.certificate.0)?)
    }
}

/// What is said to somebody who gives one, or wants another.
pub(crate) fn no_passphrase(who: &Who) -> Failure {
    Failure::usage(format!("the key of {who} is in the keystore and has no passphrase"))
        .hint("this machine's log-in takes its place")
}
