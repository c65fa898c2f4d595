// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal bytes for certificates and passwords.

use std::{io, time::SystemTime};

use crate::{
    Fingerprint,
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    secret::Passphrase,
    session_key::SessionKey,
};

/// What to seal for whom. `..Seal::new(..)` fills the rest with safe defaults.
pub struct Seal<'a> {
    /// Named recipients: their key handles stand in the message.
    pub recipients: Vec<&'a Certificate>,
    /// Recipients whose key handle is zero: the others do not see who they are.
    pub hidden_recipients: Vec<&'a Certificate>,
    /// Passwords, each of which opens the message by itself.
    pub passwords: Vec<Passphrase>,
    /// Each signs inside the encryption, naming `recipients` as intended. With hidden recipients nobody is named:
    /// a list without them would turn their verdict into a mismatch, a list with them would give them away.
    pub signers: Vec<&'a Tsk>,
    /// The content is UTF-8 text: the literal packet says so, and signatures ignore how lines end.
    pub text: bool,
    /// Overrides the choice of container. `None`, the default, takes the best that every recipient reads.
    pub container: Option<Container>,
    /// Extra bytes that hide the true length.
    pub padding: Padding,
    /// ASCII armor around it.
    pub armor: bool,
    /// Judges recipients' and signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time, and the time at which recipients' certificates must be valid.
    pub now: SystemTime,
}

/// How much a message's length gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Padding {
    /// The length is visible.
    #[default]
    None,
    /// Padmé: at most 12 % more, length known up to a few bits. SEIPDv2 only (a padding packet).
    Padme,
}

/// What surrounds the ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// SEIPDv1 with MDC: everybody reads it.
    Seipdv1,
    /// SEIPDv2 with AEAD.
    Seipdv2,
}

/// What one recipient gets, and why.
#[derive(Clone, Debug)]
pub struct RecipientReport {
    /// Whose.
    pub certificate: Fingerprint,
    /// Encryption subkey that the session key was wrapped to.
    pub key: Fingerprint,
    /// What this recipient's certificate says it can read.
    pub can_read: Container,
    /// Hidden in the message?
    pub hidden: bool,
}

/// How the message was sealed.
#[derive(Clone, Debug)]
pub struct SealReport {
    /// The weakest that every recipient reads.
    pub container: Container,
    /// One per certificate.
    pub recipients: Vec<RecipientReport>,
    /// What opens this message without any key. Drop it unless a log of session keys was asked for.
    pub session_key: SessionKey,
}

impl<'a> Seal<'a> {
    /// To `recipients`, unsigned, binary, unpadded.
    pub fn new(recipients: Vec<&'a Certificate>, policy: &'a CryptoPolicy, now: SystemTime) -> Self {
        Self {
            recipients,
            hidden_recipients: Vec::new(),
            passwords: Vec::new(),
            signers: Vec::new(),
            text: false,
            container: None,
            padding: Padding::None,
            armor: false,
            policy,
            now,
        }
    }

    /// Reads the plaintext to its end and writes one OpenPGP message.
    pub fn seal(
        &self,
        plaintext: &mut (dyn io::Read + Send),
        output: &mut (dyn io::Write + Send + Sync),
    ) -> Result<SealReport, SealError> {
        todo!()
    }
}

/// Why a message cannot be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A recipient's certificate has no valid encryption subkey.
    #[error("certificate {certificate} cannot receive encrypted messages: {reason}")]
    RecipientUnusable {
        /// Whose.
        certificate: Fingerprint,
        /// Expired, revoked, no encryption subkey, weak.
        reason: crate::cert::Unusable,
    },
    /// The signer's TSK has no valid signing key.
    #[error("certificate {certificate} cannot sign: {reason}")]
    SignerUnusable {
        /// Whose.
        certificate: Fingerprint,
        /// Expired, revoked, no signing key, weak.
        reason: crate::cert::Unusable,
    },
    /// A passphrase that nobody could type back is no protection.
    #[error("the password is empty")]
    EmptyPassword,
    /// The backend of this build lacks an algorithm, or its random source failed.
    #[error("this build cannot do what was asked: {0}")]
    Unsupported(String),
    /// Neither a certificate nor a password.
    #[error("nobody could open this message: name a recipient or a password")]
    NoRecipient,
    /// The source of the plaintext failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
    /// The output failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}
