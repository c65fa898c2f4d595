// SPDX-License-Identifier: LGPL-2.0-or-later
//! The secret keys of one run: found, unlocked once, and asked for session keys and signatures.

use std::path::PathBuf;

use plombe_core::{
    Fingerprint, KeyHandle,
    cert::{Certificate, LockedTsk, Tsk, Unusable},
    keystore::ApprovalId,
    message::{RemoteKey, SealedMessage, Signer, UnwrapError},
    secret::Passphrase,
    session_key::SessionKey,
};

use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    keystore::{Context, Custody, Held, Purpose},
    passphrase::{self, Passphrases},
    terminal::Tone,
    who::{self, Who},
};

/// Every TSK of the store, unlocked as far as it was needed.
pub(crate) struct Keyring<'a> {
    app: &'a App<'a>,
    own: Vec<Own>,
    custody: Custody,
    passphrases: Passphrases,
    passwords: Vec<Passphrase>,
    /// Whose shared keys were mentioned.
    told: Vec<Fingerprint>,
}

/// Who signs: a TSK of this machine, or a key in custody.
pub(crate) enum OwnSigner {
    Local(Tsk),
    Custody(RemoteKey<'static>),
}

impl OwnSigner {
    pub(crate) fn certificate(&self) -> Certificate {
        match self {
            Self::Local(tsk) => tsk.certificate(),
            Self::Custody(key) => key.certificate.clone(),
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.certificate().fingerprint()
    }
}

impl<'a> From<&'a OwnSigner> for Signer<'a> {
    fn from(signer: &'a OwnSigner) -> Self {
        match signer {
            OwnSigner::Local(tsk) => tsk.into(),
            OwnSigner::Custody(key) => key.into(),
        }
    }
}

struct Own {
    locked: LockedTsk,
    certificate: Certificate,
    unlocked: Option<Tsk>,
}

impl<'a> Keyring<'a> {
    pub(crate) fn open(app: &'a App<'a>, args: &PassphraseArgs) -> anyhow::Result<Self> {
        let mut own = Vec::new();
        for tsk in app.tsks.all()? {
            // The certificate store may know more: a revocation, a later expiry.
            let locked = match app.certificates.by_fingerprint(&tsk.fingerprint())? {
                Some(certificate) => tsk.merge(certificate)?,
                None => tsk,
            };
            own.push(Own { certificate: locked.certificate(), locked, unlocked: None });
        }
        let custody = Custody::open(app)?;
        let passphrases = Passphrases::from_args(args)?;
        Ok(Self { app, own, custody, passphrases, passwords: Vec::new(), told: Vec::new() })
    }

    /// Only the key that two administrators opened by this approval.
    pub(crate) fn under_break_glass(app: &'a App<'a>, approval: ApprovalId) -> anyhow::Result<Self> {
        let (custody, passphrases) =
            (Custody::under_break_glass(app, approval), Passphrases::from_args(&PassphraseArgs::default())?);
        Ok(Self { app, own: Vec::new(), custody, passphrases, passwords: Vec::new(), told: Vec::new() })
    }

    /// Takes passwords for messages that are sealed to one.
    pub(crate) fn add_passwords(&mut self, files: &[PathBuf]) -> anyhow::Result<()> {
        for file in files {
            self.passwords.push(passphrase::read(file)?);
        }
        Ok(())
    }

    /// From now on nobody is asked: what is locked and cannot be unlocked by what was given stays locked.
    pub(crate) fn ask_nobody(&mut self) {
        self.passphrases.ask_nobody();
    }

    /// Fingerprints of every certificate whose secret key is here: the person who reads.
    pub(crate) fn owners(&self) -> Vec<Fingerprint> {
        let in_custody = self.custody.keys().iter().map(|held| held.fingerprint());
        self.own.iter().map(|own| own.certificate.fingerprint()).chain(in_custody).collect()
    }

    /// Keys of other people that were used so far, in hex.
    pub(crate) fn shared_keys(&self) -> Vec<String> {
        self.told.iter().map(Fingerprint::to_hex).collect()
    }

    /// What the next uses of keys are for. The keystore puts it on record.
    pub(crate) fn is_for(&self, purpose: Purpose) {
        self.custody.is_for(Context { purpose, ..Context::default() });
    }

    /// The same for a mail, as its outer header names it.
    pub(crate) fn is_for_mail(&self, purpose: Purpose, message_id: Option<String>, sender: Option<String>) {
        self.custody.is_for(Context { message_id, sender, purpose });
    }

    /// The session key of `sealed`: from the TSKs that it names, then from keys in custody that it names, then from any if it hides a
    /// recipient, then from passwords. Keys of this machine go first, so nothing is asked over the network that need not be. A passphrase is asked for only when its TSK can help.
    pub(crate) fn session_key(&mut self, sealed: &SealedMessage<'_>) -> anyhow::Result<SessionKey> {
        let recipients = sealed.recipients();
        let hidden = recipients.iter().any(Option::is_none);
        let named = |own: &Own| recipients.iter().flatten().any(|handle| own.certificate.matches(handle));
        let (first, others): (Vec<usize>, Vec<usize>) =
            (0..self.own.len()).partition(|&i| named(&self.own[i]));

        let (policy, now) = (&self.app.policy, self.app.now);
        let mut failed_unlock = None;
        for number in first {
            match self.unlock(number) {
                Ok(tsk) => match sealed.unwrap_session_key(std::slice::from_ref(tsk), policy, now) {
                    Err(UnwrapError::NoMatchingKey { .. }) => {}
                    other => return Ok(other?),
                },
                // Another key may open it; if none does, this is the reason that helps.
                Err(error) => failed_unlock = failed_unlock.or(Some(error)),
            }
        }
        if let Some(session_key) = self.session_key_from_custody(sealed, false)? {
            return Ok(session_key);
        }
        if hidden {
            // All at once: a wrong RSA key yields a session key too, only not the right one.
            let mut tsks = Vec::new();
            for number in others {
                match self.unlock(number) {
                    Ok(tsk) => tsks.push(tsk.clone()),
                    Err(error) => failed_unlock = failed_unlock.or(Some(error)),
                }
            }
            match sealed.unwrap_session_key(&tsks, policy, now) {
                Err(UnwrapError::NoMatchingKey { .. }) => {}
                other => return Ok(other?),
            }
            if let Some(session_key) = self.session_key_from_custody(sealed, true)? {
                return Ok(session_key);
            }
        }
        if sealed.has_password() {
            return self.session_key_from_password(sealed);
        }
        match self.custody.ask_again(self.app) {
            Ok(true) => {
                for hidden in [false, true] {
                    if let Some(session_key) = self.session_key_from_custody(sealed, hidden)? {
                        return Ok(session_key);
                    }
                }
            }
            Ok(false) => {}
            Err(error) => failed_unlock = failed_unlock.or(Some(error)),
        }
        Err(failed_unlock.unwrap_or_else(|| no_key(&recipients)))
    }

    fn session_key_from_custody(
        &mut self,
        sealed: &SealedMessage<'_>,
        hidden: bool,
    ) -> anyhow::Result<Option<SessionKey>> {
        let Some((session_key, held)) = self.custody.session_key(sealed, hidden)? else { return Ok(None) };
        match held {
            Some(held) => tell_shared(self.app, held, "opened", &mut self.told),
            None => {
                let text = "opened with somebody else's key; its owner's log has the entry";
                self.app.terminal.note(Tone::Doubtful, "break-glass", text);
            }
        }
        Ok(Some(session_key))
    }

    fn session_key_from_password(&mut self, sealed: &SealedMessage<'_>) -> anyhow::Result<SessionKey> {
        if self.passwords.is_empty() {
            let typed = self.passphrases.prompt("Password of this message: ").map_err(|_| {
                Failure::new(Exit::WrongPassphrase, "this message is sealed with a password")
                    .hint("give it with --password-file FILE")
            })?;
            self.passwords.push(typed);
        }
        Ok(sealed.unwrap_with_passwords(&self.passwords)?)
    }

    /// Who signs for `who`: a TSK that can sign now, the newest if there are several; otherwise a key in custody. `None` when there is
    /// no secret key for them at all.
    pub(crate) fn signer(&mut self, who: &Who) -> anyhow::Result<Option<OwnSigner>> {
        let meant: Vec<usize> =
            (0..self.own.len()).filter(|&i| who.means(&self.own[i].certificate)).collect();
        let able = meant.iter().copied().filter(|&number| self.can_sign(who, number).is_ok());
        let best = able.max_by_key(|&number| self.own[number].certificate.created());
        if let Some(number) = best {
            return self.unlock(number).cloned().map(|tsk| Some(OwnSigner::Local(tsk)));
        }
        if let Some(signer) = self.signer_in_custody(who) {
            return Ok(Some(signer));
        }
        if let Some(&number) = meant.first() {
            return Err(self.can_sign(who, number).expect_err("it was sorted out above").into());
        }
        Ok(if self.custody.ask_again(self.app)? { self.signer_in_custody(who) } else { None })
    }

    /// One's own before one that somebody shares, the newest of them.
    fn signer_in_custody(&mut self, who: &Who) -> Option<OwnSigner> {
        let held = self.custody.keys().iter().filter(|held| held.signs() && who.means(&held.certificate));
        let able = held.filter(|held| held.certificate.can_sign(&self.app.policy, self.app.now).is_ok());
        let best = able.max_by_key(|held| (!held.is_shared(), held.certificate.created()))?;
        tell_shared(self.app, best, "signing", &mut self.told);
        Some(OwnSigner::Custody(self.custody.signer(best)))
    }

    /// As [`Keyring::signer`]; having none is a failure.
    pub(crate) fn required_signer(&mut self, who: &Who) -> anyhow::Result<OwnSigner> {
        self.signer(who)?.ok_or_else(|| who.no_secret())
    }

    /// The signer when nobody is named: the only key that can sign now.
    pub(crate) fn only_signer(&mut self) -> anyhow::Result<OwnSigner> {
        let nothing = |ring: &Self| ring.own.is_empty() && ring.custody.keys().is_empty();
        if nothing(self) {
            self.custody.ask_again(self.app)?;
        }
        let able: Vec<usize> = (0..self.own.len())
            .filter(|&i| self.own[i].certificate.can_sign(&self.app.policy, self.app.now).is_ok())
            .collect();
        let held = self.custody.keys().iter().filter(|held| held.signs());
        let held: Vec<_> =
            held.filter(|held| held.certificate.can_sign(&self.app.policy, self.app.now).is_ok()).collect();
        match (&able[..], &held[..]) {
            (&[only], []) => self.unlock(only).cloned().map(OwnSigner::Local),
            ([], [only]) => {
                tell_shared(self.app, only, "signing", &mut self.told);
                Ok(OwnSigner::Custody(self.custody.signer(only)))
            }
            ([], []) => {
                Err(Failure::new(Exit::CertificateUnusable, "there is no secret key here that can sign")
                    .hint("`plombe key generate you@example.org` makes one")
                    .into())
            }
            _ => Err(Failure::usage("there are several secret keys here")
                .hint("name one with --as WHO")
                .into()),
        }
    }

    fn can_sign(&self, who: &Who, number: usize) -> Result<(), Failure> {
        let certificate = &self.own[number].certificate;
        if let Err(reason) = certificate.can_sign(&self.app.policy, self.app.now) {
            let message = format!("the key of {who} ({}) cannot sign: {reason}", certificate.fingerprint());
            return Err(
                Failure::new(Exit::CertificateUnusable, message).hint(hint_for(reason, &who.to_string()))
            );
        }
        match who {
            Who::Address(address) if !certificate.has_address(address, &self.app.policy, self.app.now) => {
                let message =
                    format!("certificate {} names {who}, but not any more", certificate.fingerprint());
                Err(Failure::new(Exit::CertificateUnusable, message)
                    .hint(format!("`plombe key generate {who}` makes a key for it")))
            }
            _ => Ok(()),
        }
    }

    fn unlock(&mut self, number: usize) -> anyhow::Result<&Tsk> {
        let own = &mut self.own[number];
        if own.unlocked.is_none() {
            let name = who::name(self.app, &own.certificate);
            let (unlocked, _) = self.passphrases.unlock(own.locked.clone(), &name)?;
            own.unlocked = Some(unlocked);
        }
        Ok(own.unlocked.as_ref().expect("filled just above"))
    }
}

/// Whoever acts with somebody else's key shall know it; its owner does.
fn tell_shared(app: &App<'_>, held: &Held, what: &str, told: &mut Vec<Fingerprint>) {
    let fingerprint = held.fingerprint();
    if held.is_shared() && !told.contains(&fingerprint) {
        let name = who::name(app, &held.certificate);
        let text = format!("{what} with the key of {name}, who shares it with you and sees each use");
        app.terminal.note(Tone::Plain, "shared key", &text);
        told.push(fingerprint);
    }
}

/// What a person can do about a certificate of theirs that cannot be used.
pub(crate) fn hint_for(reason: Unusable, who: &str) -> String {
    match reason {
        Unusable::Expired => format!("`plombe key expire {who} 3y` extends it, if it is yours"),
        Unusable::Revoked => {
            "a revoked certificate stays revoked; `plombe key generate` makes a new one".to_owned()
        }
        Unusable::NotYetValid => "check the clock of this machine: `date`".to_owned(),
        Unusable::NoSecret => "use the copy of the key that has its secret part".to_owned(),
        Unusable::NoKey | Unusable::Weak => {
            format!("`plombe key rotate {who}` gives it new subkeys, if it is yours")
        }
        _ => "ask its owner for a new one".to_owned(),
    }
}

fn no_key(recipients: &[Option<KeyHandle>]) -> anyhow::Error {
    UnwrapError::NoMatchingKey { wanted: recipients.iter().flatten().cloned().collect() }.into()
}
