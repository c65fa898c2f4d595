// SPDX-License-Identifier: LGPL-2.0-or-later
//! One keystore, reached and recognised.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plombe_core::keystore::{API_VERSION, INFO_PATH, Info, KeystoreIdentity, Origin};

use crate::{
    ClientError,
    checkpoints::{Checkpoints, SeenLog},
    http::{Http, HttpError, Options},
};

const MAX_INFO_BYTES: usize = 64 << 10;

/// A keystore whose keys are known. Cheap to clone; clones share connections, nonce and checkpoint.
#[derive(Clone, Debug)]
pub struct Keystore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Http,
    identity: KeystoreIdentity,
    options: Options,
    nonce: Mutex<Option<String>>,
    checkpoints: Mutex<Checkpoints>,
}

impl Keystore {
    /// Asks what answers at `address` for its keys and compares them with the pinned ones.
    ///
    /// Without a pin, the caller compares [`KeystoreIdentity::fingerprint`] by other means (an enrolment code names
    /// it) and keeps it.
    ///
    /// # Errors
    ///
    /// [`ClientError::IdentityChanged`] when the keys are not the pinned ones. There is no way to go on from there.
    pub fn connect(
        address: &str,
        pinned: Option<&KeystoreIdentity>,
        options: Options,
    ) -> Result<Self, ClientError> {
        let origin: Origin = address.parse()?;
        let http = Http::new(origin.clone(), &options);
        let identity = KeystoreIdentity { origin, ..fetch_info(&http)?.identity };
        if let Some(pinned) = pinned {
            same(pinned, &identity)?;
        }
        Self::with(http, identity, options)
    }

    /// Takes the pinned keys for granted and asks nothing. Should they have changed, requests do not open, which the first call
    /// reports as [`ClientError::IdentityChanged`].
    pub fn pinned(identity: KeystoreIdentity, options: Options) -> Result<Self, ClientError> {
        Self::with(Http::new(identity.origin.clone(), &options), identity, options)
    }

    /// Its keys, to be pinned.
    pub fn identity(&self) -> &KeystoreIdentity {
        &self.0.identity
    }

    /// What it says about itself at the moment: log-in methods, version. Not sealed.
    pub fn info(&self) -> Result<Info, ClientError> {
        let info = fetch_info(&self.0.http)?;
        same(&self.0.identity, &info.identity)?;
        Ok(info)
    }

    fn with(http: Http, identity: KeystoreIdentity, options: Options) -> Result<Self, ClientError> {
        let verifier = identity
            .log_verifier
            .parse()
            .map_err(|_| ClientError::NotAKeystore("its log has no usable key"))?;
        let (nonce, checkpoints) = (Mutex::new(None), Mutex::new(Checkpoints::new(verifier)));
        Ok(Self(Arc::new(Inner { http, identity, options, nonce, checkpoints })))
    }

    /// Goes on with what an earlier session saw of the log: a reply that contradicts it is refused.
    pub fn resume_log(&self, seen: &SeenLog) -> Result<(), ClientError> {
        self.checkpoints().resume(seen)
    }

    /// What was seen of the log.
    pub(crate) fn checkpoints(&self) -> MutexGuard<'_, Checkpoints> {
        lock(&self.0.checkpoints)
    }

    /// Have the keys changed since they were pinned?
    pub(crate) fn check_identity(&self) -> Result<(), ClientError> {
        self.info().map(drop)
    }

    pub(crate) fn nonce(&self) -> Option<String> {
        lock(&self.0.nonce).clone()
    }

    /// Keeps what a `DPoP-Nonce` header said. Was it a new one?
    pub(crate) fn remember_nonce(&self, nonce: Option<&str>) -> bool {
        let Some(nonce) = nonce else { return false };
        let mut kept = lock(&self.0.nonce);
        let fresh = kept.as_deref() != Some(nonce);
        *kept = Some(nonce.to_owned());
        fresh
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }
}

fn fetch_info(http: &Http) -> Result<Info, ClientError> {
    let answer = match http.get(INFO_PATH, MAX_INFO_BYTES) {
        Ok(answer) => answer,
        Err(HttpError::Failed(reason)) => return Err(ClientError::Unreachable(reason)),
        Err(HttpError::TooLarge) => return Err(ClientError::NotAKeystore("its answer is too large")),
    };
    match answer.status {
        200 => {}
        502..=504 => return Err(ClientError::Unreachable(format!("status {}", answer.status))),
        _ => return Err(ClientError::NotAKeystore("it does not say who it is")),
    }
    let info: Info = serde_json::from_slice(&answer.body)
        .map_err(|_| ClientError::NotAKeystore("it does not say who it is"))?;
    if info.api_version != API_VERSION {
        return Err(ClientError::NotAKeystore("it speaks another version of the API"));
    }
    Ok(info)
}

fn same(pinned: &KeystoreIdentity, found: &KeystoreIdentity) -> Result<(), ClientError> {
    if pinned.is_same_keystore(found) {
        return Ok(());
    }
    Err(ClientError::IdentityChanged { pinned: pinned.fingerprint(), found: found.fingerprint() })
}

/// What is behind these locks is whole at any moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
