// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who uses a keystore, by the real client.

use std::{
    thread,
    time::{Duration, SystemTime},
};

use plombe_client::{ClientError, DeviceKey, Keystore, Options, Session};
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        EnrolmentCode, PrincipalId, ProblemCode,
        calls::{
            Call,
            custody::{Context, SignDigest, SignatureClaim, Unwrap},
            keys::{GenerateKey, KeyInfo, Profile},
            login::Role,
            principals::{CreateCode, CreatePrincipal, NewCode},
        },
    },
    message::{Seal, SealedMessage},
};

/// Comes again until a server that was killed is back.
pub(crate) fn patient() -> Options {
    Options { attempts: 20, backoff: Duration::from_millis(50), ..Options::new(SystemTime::now) }
}

/// Is told at once.
pub(crate) fn impatient() -> Options {
    Options { attempts: 1, ..patient() }
}

/// Is this what a keystore says that cannot do anything at the moment? Anything else is a defect.
pub(crate) fn is_outage(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable(_) => true,
        ClientError::RefusedUnsealed { status, .. } => matches!(status, 502..=504),
        ClientError::Refused(problem) => problem.code == ProblemCode::Unavailable,
        _ => false,
    }
}

/// Until there is an answer.
pub(crate) fn insist<C: Call>(session: &mut Session, call: &C) -> C::Answer {
    loop {
        match session.call(call) {
            Ok(answer) => return answer,
            Err(error) if is_outage(&error) => thread::sleep(Duration::from_millis(50)),
            Err(error) => panic!("{}: {error:?}", C::PATH),
        }
    }
}

pub(crate) fn log_in(url: &str, code: &EnrolmentCode) -> Result<Session, ClientError> {
    let keystore = Keystore::connect(url, None, patient())?;
    keystore.log_in_with_code(DeviceKey::generate(), code, "test device")
}

/// Lets somebody in. When a log-in gets no answer, its code may be used up: the next one has another.
pub(crate) fn newcomer(admin: &mut Session, url: &str, address: &str, roles: &[Role]) -> Session {
    let create =
        CreatePrincipal { name: String::new(), addresses: vec![address.into()], roles: roles.to_vec() };
    let principal = insist(admin, &create).principal.id;
    loop {
        match log_in(url, &code_for(admin, principal)) {
            Ok(session) => return session,
            Err(error) if is_outage(&error) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn code_for(admin: &mut Session, principal: PrincipalId) -> EnrolmentCode {
    let NewCode { secret, .. } = insist(admin, &CreateCode { principal, valid_for_seconds: None });
    EnrolmentCode::new(secret.expose().try_into().unwrap(), admin.keystore().identity())
}

/// A key in custody, and a message that only it opens.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) info: KeyInfo,
    sealed: Vec<u8>,
}

impl Key {
    pub(crate) fn new(info: KeyInfo) -> Self {
        let certificate = Certificate::parse(&info.certificate.0).unwrap();
        let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
        let mut sealed = Vec::new();
        Seal::new(vec![&certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed).unwrap();
        Self { info, sealed }
    }

    pub(crate) fn generate(session: &mut Session, address: &str) -> Result<Self, ClientError> {
        let user_ids = vec![format!("<{address}>")];
        let call = GenerateKey { user_ids, profile: Profile::Rfc4880, valid_for_seconds: None };
        Ok(Self::new(session.call(&call)?.key))
    }

    /// Opens the message; gives the position of the use.
    pub(crate) fn unwrap_by(&self, session: &mut Session) -> Result<u64, ClientError> {
        let message = SealedMessage::parse(&self.sealed[..]).unwrap();
        let answer = session.call(&Unwrap {
            key: self.info.fingerprint.clone(),
            pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
            session_key_size: message.session_key_size().map(|size| u8::try_from(size).unwrap()),
            context: Context::default(),
        })?;
        message.accept_session_key(answer.cipher, answer.session_key.expose()).unwrap();
        Ok(answer.position)
    }

    pub(crate) fn sign_by(&self, session: &mut Session) -> Result<u64, ClientError> {
        let answer = session.call(&SignDigest {
            key: self.info.fingerprint.clone(),
            subkey: self.info.signing[0].clone(),
            hash: 8,
            digest: vec![7; 32].into(),
            claim: SignatureClaim { signature_type: 0, created: 1_800_000_000 },
            context: Context::default(),
        })?;
        Ok(answer.position)
    }
}
