// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys made in a keystore, and mail for them.

use std::time::SystemTime;

use plombe_client::{ClientError, Session};
use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        Bytes, KeyFingerprint, ProblemCode,
        calls::{
            custody::{Context, Unwrap},
            keys::{GenerateKey, KeyInfo, Profile},
        },
    },
    message::{Seal, SealedMessage},
};

/// A key for `address` in the keystore.
pub(crate) fn generate(session: &mut Session, address: &str) -> KeyInfo {
    let user_ids = vec![format!("<{address}>")];
    session.call(&GenerateKey { user_ids, profile: Profile::Rfc4880, valid_for_seconds: None }).unwrap().key
}

/// A message that only `certificate` opens.
pub(crate) fn seal_for(certificate: &Bytes) -> Vec<u8> {
    let certificate = Certificate::parse(&certificate.0).unwrap();
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    let mut sealed = Vec::new();
    Seal::new(vec![&certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed).unwrap();
    sealed
}

/// Opens it with a key in custody; gives the position of the entry.
pub(crate) fn open(session: &mut Session, key: &KeyFingerprint, sealed: &[u8]) -> Result<u64, ClientError> {
    let message = SealedMessage::parse(sealed).unwrap();
    let answer = session.call(&Unwrap {
        key: key.clone(),
        pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
        session_key_size: message.session_key_size().map(|size| u8::try_from(size).unwrap()),
        context: Context::default(),
    })?;
    message.accept_session_key(answer.cipher, answer.session_key.expose()).unwrap();
    Ok(answer.position)
}

/// By which code it was refused.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ProblemCode {
    match result {
        Err(ClientError::Refused(problem)) => problem.code,
        Err(ClientError::DevicePending) => ProblemCode::DevicePending,
        Err(ClientError::NotLoggedIn) => ProblemCode::NotLoggedIn,
        other => panic!("{other:?}"),
    }
}
