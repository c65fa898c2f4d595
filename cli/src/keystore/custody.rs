// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys in custody, used from here. Nothing is asked over the network before a key of the keystore is really needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plombe_client::{ClientError, Session};
use plombe_core::{
    Fingerprint,
    cert::Certificate,
    keystore::{
        ApiProblem, ApprovalId, KeyFingerprint, ProblemCode,
        calls::{
            Call,
            approvals::BreakGlassUnwrap,
            custody::{Context, SignDigest, SignatureClaim, Unwrap},
            grants::KeyUse,
            keys::KeyInfo,
        },
    },
    message::{DigestSignature, RemoteError, RemoteKey, SealedMessage},
    session_key::SessionKey,
};

use super::{Account, login::own_certificates};
use crate::{
    app::App,
    date,
    exit::{Exit, Failure},
};

/// The keys that the keystore holds for this account.
pub(crate) struct Custody {
    keys: Vec<Held>,
    link: Arc<Link>,
    /// Once in a run is enough.
    asked_again: bool,
    /// Instead of one's own keys, one that two administrators opened.
    break_glass: Option<ApprovalId>,
}

/// A key in custody, with its certificate read.
pub(crate) struct Held {
    info: KeyInfo,
    pub(crate) certificate: Certificate,
}

/// The session, opened when it is first needed and kept when the program ends.
struct Link {
    account: Account,
    session: Mutex<Option<Session>>,
    context: Mutex<Context>,
}

impl Custody {
    /// Reads which keys there are, from what this machine remembers.
    pub(crate) fn open(app: &App<'_>) -> anyhow::Result<Self> {
        let account = Account::new(app);
        let keys = held(app, account.keys()?)?;
        let link = Link { account, session: Mutex::default(), context: Mutex::default() };
        Ok(Self { keys, link: Arc::new(link), asked_again: false, break_glass: None })
    }

    /// Only the key that an approval is about, which the keystore knows.
    pub(crate) fn under_break_glass(app: &App<'_>, approval: ApprovalId) -> Self {
        let link = Link { account: Account::new(app), session: Mutex::default(), context: Mutex::default() };
        Self { keys: Vec::new(), link: Arc::new(link), asked_again: true, break_glass: Some(approval) }
    }

    /// Asks the keystore which keys there are, when none of the known ones will do: this device may have been confirmed since, or
    /// somebody may share a key. Are there others than before?
    ///
    /// # Errors
    /// When this device waits for confirmation, which is then the reason. That the keystore is out of reach is none: nothing here
    /// says that it has the key.
    pub(crate) fn ask_again(&mut self, app: &App<'_>) -> anyhow::Result<bool> {
        if self.asked_again || !self.link.account.exists() {
            return Ok(false);
        }
        self.asked_again = true;
        let infos = match self.link.with_session(|account, session| account.refresh_keys(session)) {
            Ok(infos) => infos,
            Err(error) if matches!(error.downcast_ref(), Some(ClientError::DevicePending)) => {
                return Err(error);
            }
            Err(_) => return Ok(false),
        };
        own_certificates(app, &infos)?;
        let before: Vec<KeyInfo> = std::mem::take(&mut self.keys).into_iter().map(|held| held.info).collect();
        self.keys = held(app, infos)?;
        Ok(!self.keys.iter().map(|held| &held.info).eq(&before))
    }

    /// All of them.
    pub(crate) fn keys(&self) -> &[Held] {
        &self.keys
    }

    /// What the next uses are for.
    pub(crate) fn is_for(&self, context: Context) {
        *lock(&self.link.context) = context;
    }

    /// The session key of `sealed`, when a key in custody is among its recipients; with `hidden`, when any of them opens it. With it
    /// the key that opened.
    pub(crate) fn session_key(
        &self,
        sealed: &SealedMessage<'_>,
        hidden: bool,
    ) -> anyhow::Result<Option<(SessionKey, Option<&Held>)>> {
        if let Some(approval) = self.break_glass {
            return Ok(self.session_key_of_another(sealed, approval)?.map(|session_key| (session_key, None)));
        }
        for wrapped in sealed.wrapped_session_keys() {
            for held in self.keys.iter().filter(|held| held.info.uses.contains(&KeyUse::Unwrap)) {
                let is_for = match wrapped.recipient() {
                    Some(handle) => !hidden && held.certificate.matches(&handle),
                    None => hidden,
                };
                if !is_for {
                    continue;
                }
                let call = Unwrap {
                    key: held.info.fingerprint.clone(),
                    pkesk: wrapped.to_bytes().into(),
                    session_key_size: sealed.session_key_size().and_then(|size| u8::try_from(size).ok()),
                    context: lock(&self.link.context).clone(),
                };
                let answer = match self.link.call(&call) {
                    Err(error) if is_unreadable(&error) => continue,
                    other => other.map_err(|error| held.explain(error))?,
                };
                let session_key = sealed.accept_session_key(answer.cipher, answer.session_key.expose())?;
                return Ok(Some((session_key, Some(held))));
            }
        }
        Ok(None)
    }

    /// Which of the recipients the approval is about, is not known here: each is asked for, until one is it.
    fn session_key_of_another(
        &self,
        sealed: &SealedMessage<'_>,
        approval: ApprovalId,
    ) -> anyhow::Result<Option<SessionKey>> {
        for wrapped in sealed.wrapped_session_keys() {
            let call = BreakGlassUnwrap {
                approval,
                pkesk: wrapped.to_bytes().into(),
                session_key_size: sealed.session_key_size().and_then(|size| u8::try_from(size).ok()),
                context: lock(&self.link.context).clone(),
            };
            match self.link.call(&call) {
                Err(error) if is_unreadable(&error) => {}
                Err(error) => return Err(error),
                Ok(answer) => {
                    return Ok(Some(sealed.accept_session_key(answer.cipher, answer.session_key.expose())?));
                }
            }
        }
        Ok(None)
    }

    /// The key of `held`, for signing.
    pub(crate) fn signer(&self, held: &Held) -> RemoteKey<'static> {
        let link = Arc::clone(&self.link);
        let certificate: KeyFingerprint = held.info.fingerprint.clone();
        let shared = held.is_shared();
        RemoteKey {
            certificate: held.certificate.clone(),
            held: held.info.signing.iter().map(|key| key.as_fingerprint().clone()).collect(),
            sign: Box::new(move |request| {
                let call = SignDigest {
                    key: certificate.clone(),
                    subkey: request.key.clone().try_into()?,
                    hash: request.hash,
                    digest: request.digest.into(),
                    claim: SignatureClaim {
                        signature_type: request.signature_type,
                        created: date::seconds(request.created),
                    },
                    context: lock(&link.context).clone(),
                };
                let signed =
                    link.call(&call).map_err(|error| as_itself(explain(error, shared, &certificate)));
                Ok(DigestSignature(signed?.signature.0))
            }),
        }
    }
}

/// The error that says what to do, not the wrapping around it: on its way through core only the former is known again.
fn as_itself(error: anyhow::Error) -> RemoteError {
    match error.downcast::<ClientError>() {
        Ok(error) => error.into(),
        Err(error) => match error.downcast::<Failure>() {
            Ok(failure) => failure.into(),
            Err(error) => error.into(),
        },
    }
}

/// What is refused of a key that somebody shares is mostly that the share is over.
fn explain(error: anyhow::Error, shared: bool, key: &KeyFingerprint) -> anyhow::Error {
    let over = |problem: &ApiProblem| matches!(problem.code, ProblemCode::NotFound | ProblemCode::Denied);
    match error.downcast_ref() {
        Some(ClientError::Refused(problem)) if shared && over(problem) => {
            let message = format!("the key {key} is not shared with you any more, or not for this");
            Failure::new(Exit::KeystoreRefused, message)
                .hint("ask its owner; `plombe key shares` lists what is shared with you")
                .into()
        }
        _ => error,
    }
}

/// Not for this key: another may do.
fn is_unreadable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClientError::Refused(problem)) if problem.code == ProblemCode::Unreadable)
}

/// With their certificates read. The store may know more of them: a later expiry, a revocation.
fn held(app: &App<'_>, infos: Vec<KeyInfo>) -> anyhow::Result<Vec<Held>> {
    let mut keys = Vec::new();
    for info in infos {
        let certificate = Certificate::parse(&info.certificate.0)?;
        let certificate = match app.certificates.by_fingerprint(&certificate.fingerprint())? {
            Some(known) => certificate.merge(known)?,
            None => certificate,
        };
        keys.push(Held { info, certificate });
    }
    Ok(keys)
}

impl Held {
    /// Is it somebody else's, who lets this machine's person use it?
    pub(crate) fn is_shared(&self) -> bool {
        self.info.grant.is_some()
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        explain(error, self.is_shared(), &self.info.fingerprint)
    }

    /// May it sign?
    pub(crate) fn signs(&self) -> bool {
        self.info.uses.contains(&KeyUse::Sign)
    }

    /// Identity of its certificate.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }
}

impl Link {
    fn call<C: Call>(&self, call: &C) -> anyhow::Result<C::Answer> {
        self.with_session(|_, session| Ok(session.call(call)?))
    }

    fn with_session<T>(
        &self,
        ask: impl FnOnce(&Account, &mut Session) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut session = lock(&self.session);
        if session.is_none() {
            let mut opened = self.account.session()?;
            // Before anything is asked of it: has its log only grown since the last time?
            opened.verify_log()?;
            *session = Some(opened);
        }
        ask(&self.account, session.as_mut().ok_or(ClientError::NotLoggedIn)?)
    }
}

impl Drop for Link {
    /// A renewed value or a newer checkpoint is kept; without it the next run asks with what it has.
    fn drop(&mut self) {
        if let Some(session) = lock(&self.session).as_ref() {
            let _ = self.account.keep_session(session);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
