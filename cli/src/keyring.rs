// SPDX-License-Identifier: LGPL-2.0-or-later
//! The secret keys of one run: found, unlocked once, and asked for session keys and signatures.

use std::path::PathBuf;

use plombe_core::{
    Fingerprint,
    cert::{Certificate, LockedTsk, Tsk},
    message::{SealedMessage, UnwrapError},
    secret::Passphrase,
    session_key::SessionKey,
};

use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    passphrase::{self, Passphrases},
    who::{self, Who},
};

/// TSKs as they lie in the store, and those of them that were needed so far, unlocked.
pub(crate) struct Keyring<'a> {
    app: &'a App<'a>,
    locked: Vec<LockedTsk>,
    unlocked: Vec<Tsk>,
    passphrases: Passphrases,
    passwords: Vec<Passphrase>,
}

impl<'a> Keyring<'a> {
    pub(crate) fn open(app: &'a App<'a>, args: &PassphraseArgs) -> anyhow::Result<Self> {
        let mut locked = Vec::new();
        for tsk in app.tsks.all()? {
            // The certificate store may know more: a revocation, a later expiry.
            locked.push(match app.certificates.by_fingerprint(&tsk.fingerprint())? {
                Some(certificate) => tsk.merge(certificate)?,
                None => tsk,
            });
        }
        let passphrases = Passphrases::from_args(args)?;
        Ok(Self { app, locked, unlocked: Vec::new(), passphrases, passwords: Vec::new() })
    }

    /// Takes passwords for messages that are sealed to one.
    pub(crate) fn add_passwords(&mut self, files: &[PathBuf]) -> anyhow::Result<()> {
        for file in files {
            self.passwords.push(passphrase::read(file)?);
        }
        Ok(())
    }

    /// Fingerprints of every certificate whose secret key is here: the person who reads.
    pub(crate) fn owners(&self) -> Vec<Fingerprint> {
        self.locked.iter().map(LockedTsk::fingerprint).collect()
    }

    /// The session key of `sealed`, from the TSKs that it names, then from any if it hides a recipient, then from
    /// passwords. A passphrase is asked for only when its TSK can help.
    pub(crate) fn session_key(&mut self, sealed: &SealedMessage<'_>) -> anyhow::Result<SessionKey> {
        let recipients = sealed.recipients();
        let hidden = recipients.iter().any(Option::is_none);
        let named = |tsk: &LockedTsk| {
            let certificate = tsk.certificate();
            recipients.iter().flatten().any(|handle| certificate.matches(handle))
        };
        let (first, others): (Vec<_>, Vec<_>) = self.locked.clone().into_iter().partition(named);
        let others = if hidden { others } else { Vec::new() };

        let mut failed_unlock = None;
        for tsk in first.into_iter().chain(others) {
            match self.unlock(tsk) {
                Ok(tsk) => match sealed.unwrap_session_key(&[tsk], &self.app.policy, self.app.now) {
                    Err(UnwrapError::NoMatchingKey { .. }) => {}
                    other => return Ok(other?),
                },
                // Another key may open it; if none does, this is the reason that helps.
                Err(error) => failed_unlock = failed_unlock.or(Some(error)),
            }
        }
        if sealed.has_password() {
            return self.session_key_from_password(sealed);
        }
        Err(failed_unlock.unwrap_or_else(|| no_key(&recipients)))
    }

    fn session_key_from_password(&mut self, sealed: &SealedMessage<'_>) -> anyhow::Result<SessionKey> {
        if self.passwords.is_empty() {
            let typed = passphrase::prompt("Password of this message: ").map_err(|_| {
                Failure::new(Exit::WrongPassphrase, "this message is sealed with a password")
                    .hint("give it with --password-file FILE")
            })?;
            self.passwords.push(typed);
        }
        Ok(sealed.unwrap_with_passwords(&self.passwords)?)
    }

    /// The TSK that signs for `who`: one that can sign now, the newest if there are several.
    pub(crate) fn signer(&mut self, who: &Who) -> anyhow::Result<Tsk> {
        let app = self.app;
        let means = |certificate: &Certificate| match who {
            Who::Address(address) => certificate.has_address(address, &app.policy, app.now),
            Who::Key(handle) => certificate.matches(handle),
        };
        let found: Vec<LockedTsk> =
            self.locked.iter().filter(|tsk| means(&tsk.certificate())).cloned().collect();
        let best = found
            .iter()
            .filter(|tsk| tsk.certificate().can_sign(&app.policy, app.now).is_ok())
            .max_by_key(|tsk| tsk.certificate().created());
        match best.or(found.first()) {
            Some(tsk) => {
                let certificate = tsk.certificate();
                if let Err(reason) = certificate.can_sign(&app.policy, app.now) {
                    let message =
                        format!("the key of {} cannot sign: {reason}", who::name(app, &certificate));
                    return Err(Failure::new(Exit::CertificateUnusable, message)
                        .hint(hint_for(reason))
                        .into());
                }
                self.unlock(tsk.clone())
            }
            // An expired or revoked certificate has no valid address: look again to give the true reason.
            None => Err(self.why_no_signer(who)?),
        }
    }

    /// The signer when nobody is named: the only TSK that can sign now.
    pub(crate) fn only_signer(&mut self) -> anyhow::Result<Tsk> {
        let app = self.app;
        let can_sign = |tsk: &&LockedTsk| tsk.certificate().can_sign(&app.policy, app.now).is_ok();
        let able: Vec<LockedTsk> = self.locked.iter().filter(can_sign).cloned().collect();
        match able.as_slice() {
            [only] => self.unlock(only.clone()),
            [] => Err(Failure::new(Exit::CertificateUnusable, "there is no secret key here that can sign")
                .hint("`plombe key generate you@example.org` makes one")
                .into()),
            _ => Err(Failure::usage("there are several secret keys here")
                .hint("name one with --as WHO")
                .into()),
        }
    }

    fn why_no_signer(&self, who: &Who) -> anyhow::Result<anyhow::Error> {
        let tsk = who.tsk(self.app)?;
        let certificate = self
            .locked
            .iter()
            .find(|own| own.fingerprint() == tsk.fingerprint())
            .unwrap_or(&tsk)
            .certificate();
        let name = who::name(self.app, &certificate);
        Ok(match certificate.can_sign(&self.app.policy, self.app.now) {
            Err(reason) => {
                let message = format!("the key of {name} cannot sign: {reason}");
                Failure::new(Exit::CertificateUnusable, message).hint(hint_for(reason)).into()
            }
            Ok(()) => Failure::new(
                Exit::CertificateUnusable,
                format!(
                    "certificate {} does not carry the address {who} any more",
                    certificate.fingerprint()
                ),
            )
            .into(),
        })
    }

    fn unlock(&mut self, tsk: LockedTsk) -> anyhow::Result<Tsk> {
        let fingerprint = tsk.fingerprint();
        if let Some(known) = self.unlocked.iter().find(|tsk| tsk.fingerprint() == fingerprint) {
            return Ok(known.clone());
        }
        let name = who::name(self.app, &tsk.certificate());
        let (unlocked, _) = self.passphrases.unlock(tsk, &name)?;
        self.unlocked.push(unlocked.clone());
        Ok(unlocked)
    }
}

/// What a person can do about a certificate of theirs that cannot be used.
pub(crate) fn hint_for(reason: plombe_core::cert::Unusable) -> &'static str {
    use plombe_core::cert::Unusable as U;
    match reason {
        U::Expired => "`plombe key expire WHO 3y` extends it, if it is yours",
        U::Revoked => "a revoked certificate stays revoked: `plombe key generate` makes a new one",
        U::NotYetValid => "check the clock of this machine: `date`",
        U::NoSecret => "use the copy of the key that has its secret part",
        _ => "`plombe key rotate WHO` gives it new subkeys, if it is yours",
    }
}

fn no_key(recipients: &[Option<plombe_core::KeyHandle>]) -> anyhow::Error {
    UnwrapError::NoMatchingKey { wanted: recipients.iter().flatten().cloned().collect() }.into()
}
