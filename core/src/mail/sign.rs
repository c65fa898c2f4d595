// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sign a plain mail without encrypting it: `multipart/signed`.

use std::time::SystemTime;

use super::{AutocryptOut, MailSealError};
use crate::{cert::Tsk, crypto_policy::CryptoPolicy};

/// How to sign a mail.
pub struct Sign<'a> {
    /// Whose signature.
    pub signer: &'a Tsk,
    /// What to tell recipients about keys.
    pub autocrypt: Option<AutocryptOut<'a>>,
    /// Judges the signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time, and Date of a mail that has none.
    pub now: SystemTime,
}

impl Sign<'_> {
    /// Signs `mail` as `multipart/signed` with its header fields inside (RFC 9788, `hp="clear"`).
    /// Parts are re-encoded where transport could change them. A Bcc field is dropped.
    pub fn sign(&self, mail: &[u8]) -> Result<Vec<u8>, MailSealError> {
        let _ = mail;
        todo!()
    }
}
