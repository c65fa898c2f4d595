// SPDX-License-Identifier: LGPL-2.0-or-later
//! Alice, Bob and Mallory, and a quarantine that remembers whether it was opened.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test binary uses its part of the cast")]

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    time::{Duration, SystemTime},
};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    message::{Limits, OpenContext, OpenError, Opened, Quarantine, SealedMessage, SignerCertificates},
    session_key::SessionKey,
};

/// The time of every test, unless it is about time.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub fn tsk(address: &str, profile: Profile) -> Tsk {
    let made_at = now() - Duration::from_secs(3600);
    Tsk::generate(profile, &[format!("<{address}>")], None, made_at).expect("generate").tsk
}

pub fn alice() -> Tsk {
    tsk("alice@example.test", Profile::Rfc4880)
}

pub fn bob() -> Tsk {
    tsk("bob@example.test", Profile::Rfc4880)
}

pub fn mallory() -> Tsk {
    tsk("mallory@example.test", Profile::Rfc4880)
}

/// What went in, and whether it came out.
#[derive(Clone, Default)]
pub struct Watched {
    pub held: Rc<RefCell<Vec<u8>>>,
    pub released: Rc<RefCell<bool>>,
}

impl io::Write for Watched {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.held.borrow_mut().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Watched {
    type Released = Vec<u8>;

    fn release(self) -> io::Result<Vec<u8>> {
        *self.released.borrow_mut() = true;
        Ok(self.held.take())
    }
}

/// Whoever reads, and what they know.
pub struct Reader {
    pub policy: CryptoPolicy,
    pub known: Vec<Certificate>,
    pub readers: Vec<Fingerprint>,
    pub now: SystemTime,
    pub limits: Limits,
}

impl Reader {
    pub fn knowing(known: &[&Tsk]) -> Self {
        Self {
            policy: CryptoPolicy::standard(),
            known: known.iter().map(|tsk| tsk.certificate()).collect(),
            readers: Vec::new(),
            now: now(),
            limits: Limits::default(),
        }
    }

    pub fn being(mut self, tsk: &Tsk) -> Self {
        self.readers.push(tsk.fingerprint());
        self
    }

    pub fn context(&self) -> OpenContext<'_> {
        OpenContext {
            signers: self,
            readers: &self.readers,
            policy: &self.policy,
            now: self.now,
            limits: self.limits,
            hash_content: true,
        }
    }

    pub fn open(&self, message: &[u8], tsk: &Tsk) -> Result<Opened<Watched>, OpenError> {
        let sealed = SealedMessage::parse(message)?;
        let session_key = sealed
            .unwrap_session_key(std::slice::from_ref(tsk), &self.policy, self.now)
            .map_err(|_| OpenError::Unreadable)?;
        sealed.open(&session_key, &self.context(), Watched::default())
    }

    /// Whatever happens, nothing may be released.
    pub fn refuses(&self, message: &[u8], session_key: &SessionKey) -> OpenError {
        let watched = Watched::default();
        let result = SealedMessage::parse(message)
            .and_then(|sealed| sealed.open(session_key, &self.context(), watched.clone()))
            .and_then(Opened::release);
        let error = result.map(drop).expect_err("this must not open");
        assert!(!*watched.released.borrow(), "released although {error}");
        error
    }
}

impl SignerCertificates for Reader {
    fn find(&self, handle: &plombe_core::KeyHandle) -> Vec<Certificate> {
        self.known.as_slice().find(handle)
    }
}
