// SPDX-License-Identifier: LGPL-2.0-or-later
//! Sign: detached, inline, cleartext framework.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    time::SystemTime,
};

use sequoia_openpgp::armor::Kind;

use super::{
    armor::Armored,
    cleartext,
    framing::{PartialBody, tag},
    literal,
    signer::{RemoteError, Signer},
    signing::{CannotSign, MICALG, Signatures},
};
use crate::{Fingerprint, crypto_policy::CryptoPolicy};

const BUFFER_SIZE: usize = 1 << 18;

/// What to sign with, and how it is judged.
pub struct Signing<'a> {
    /// One signature each.
    pub signers: Vec<Signer<'a>>,
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
        let mut signatures = self.begin(self.text)?;
        copy(data, |bytes| {
            signatures.update(bytes);
            Ok(())
        })?;
        let mut armored = Armored::new(signature, self.armor, Kind::Signature, signatures.all_v6())?;
        signatures.finish(&mut armored)?;
        armored.finish().map_err(SignError::Output)?;
        Ok(MICALG.into())
    }

    /// Writes a signed message that carries the data.
    pub fn inline(
        &self,
        data: &mut dyn io::Read,
        message: &mut (dyn io::Write + Send + Sync),
    ) -> Result<(), SignError> {
        let mut signatures = self.begin(self.text)?;
        let mut armored = Armored::new(message, self.armor, Kind::Message, signatures.all_v6())?;
        signatures.announce(&mut armored).map_err(SignError::Output)?;
        let mut body = PartialBody::new(&mut armored, tag::LITERAL);
        body.write_all(&literal::fields(self.text)).map_err(SignError::Output)?;
        copy(data, |bytes| {
            signatures.update(bytes);
            body.write_all(bytes).map_err(SignError::Output)
        })?;
        body.finish().map_err(SignError::Output)?;
        signatures.finish(&mut armored)?;
        armored.finish().map_err(SignError::Output)
    }

    /// Writes text in the cleartext signature framework (RFC 9580 section 7). `text` must be UTF-8.
    pub fn cleartext(
        &self,
        text: &mut dyn io::Read,
        message: &mut (dyn io::Write + Send + Sync),
    ) -> Result<(), SignError> {
        let mut signatures = self.begin(true)?;
        let mut text = BufReader::with_capacity(BUFFER_SIZE, text);
        cleartext::write_start(message, !signatures.all_v6()).map_err(SignError::Output)?;
        let mut line = Vec::new();
        let mut first = true;
        loop {
            line.clear();
            let limit = cleartext::LONGEST_TEXT as u64;
            if text.by_ref().take(limit).read_until(b'\n', &mut line).map_err(SignError::Input)? == 0 {
                break;
            }
            if std::str::from_utf8(&line).is_err() {
                return Err(SignError::NotText);
            }
            let (signed, _) = cleartext::split_line(&line).ok_or(SignError::NotText)?;
            // The line ending before the signature belongs to the framework, so each is hashed with the line after it.
            if !std::mem::take(&mut first) {
                signatures.update(b"\r\n");
            }
            signatures.update(signed);
            cleartext::write_line(message, signed).map_err(SignError::Output)?;
        }
        let mut armored = Armored::new(message, true, Kind::Signature, signatures.all_v6())?;
        signatures.finish(&mut armored)?;
        armored.finish().map_err(SignError::Output)
    }

    fn begin(&self, text: bool) -> Result<Signatures<'_>, SignError> {
        let signatures = Signatures::begin(&self.signers, text, self.policy, self.now, Vec::new())?;
        if signatures.is_empty() { Err(SignError::NoSigner) } else { Ok(signatures) }
    }
}

fn copy(
    data: &mut dyn io::Read,
    mut each: impl FnMut(&[u8]) -> Result<(), SignError>,
) -> Result<(), SignError> {
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        match data.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => each(&buffer[..n])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(SignError::Input(e)),
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The signer has no valid signing key.
    #[error("certificate {certificate} cannot sign: {reason}")]
    SignerUnusable {
        /// Whose.
        certificate: Fingerprint,
        /// Expired, revoked, no signing key, weak.
        reason: crate::cert::Unusable,
    },
    /// The keystore that holds the signer's key did not sign.
    #[error("the key of certificate {certificate} did not sign")]
    Remote {
        /// Whose.
        certificate: Fingerprint,
        /// Refused by policy, out of reach, or a wrong answer: in the words of whoever was asked.
        #[source]
        source: RemoteError,
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

impl From<CannotSign> for SignError {
    fn from(error: CannotSign) -> Self {
        match error {
            CannotSign::Signer(certificate, reason) => Self::SignerUnusable { certificate, reason },
            CannotSign::Remote(certificate, source) => Self::Remote { certificate, source },
            CannotSign::Backend(what) => Self::Unsupported(what),
            CannotSign::Output(e) => Self::Output(e),
        }
    }
}

impl From<io::Error> for SignError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
