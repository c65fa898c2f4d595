// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sign: detached, inline, cleartext framework.

use std::{io, time::SystemTime};

use crate::{Fingerprint, cert::Tsk, crypto_policy::CryptoPolicy};

/// What to sign with, and how it is judged.
pub struct Signing<'a> {
    /// One signature each.
    pub signers: Vec<&'a Tsk>,
    /// Text mode: line endings are made CRLF before hashing (signature type 0x01).
    pub text: bool,
    /// ASCII armor around signature or message.
    pub armor: bool,
    /// Judges the signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time.
    pub now: SystemTime,
}

impl Signing<'_> {
    /// Writes a detached signature over everything `data` yields. Returns the hash's RFC 3156 name (`pgp-sha512`).
    pub fn detached(
        &self,
        data: &mut dyn io::Read,
        signature: &mut (dyn io::Write + Send + Sync),
    ) -> Result<String, SignError> {
        todo!()
    }

    /// Writes a signed message that carries the data.
    pub fn inline(
        &self,
        data: &mut dyn io::Read,
        message: &mut (dyn io::Write + Send + Sync),
    ) -> Result<(), SignError> {
        todo!()
    }

    /// Writes text in the cleartext signature framework (RFC 9580 section 7). `text` must be UTF-8.
    pub fn cleartext(
        &self,
        text: &mut dyn io::Read,
        message: &mut (dyn io::Write + Send + Sync),
    ) -> Result<(), SignError> {
        todo!()
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The TSK has no valid signing key.
    #[error("certificate {certificate} cannot sign: {reason}")]
    SignerUnusable {
        /// Whose.
        certificate: Fingerprint,
        /// Expired, revoked, no signing key, weak.
        reason: crate::cert::Unusable,
    },
    /// Nobody was named.
    #[error("name a signer")]
    NoSigner,
    /// The cleartext framework carries UTF-8 text only.
    #[error("this is not UTF-8 text; sign it detached or inline")]
    NotText,
    /// The backend of this build lacks an algorithm.
    #[error("this build cannot do what was asked: {0}")]
    Unsupported(String),
    /// The source failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
    /// The output failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}
