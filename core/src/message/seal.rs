// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal bytes for certificates and passwords.

use std::{
    io::{self, Write},
    time::SystemTime,
};

use sequoia_openpgp::{armor::Kind, serialize::Serialize};

use super::{
    armor::Armored,
    content_writer,
    framing::{PartialBody, sink_failure, tag},
    payload::{self, Aead, BulkCipher, Layout, PayloadError},
    plan::{PayloadKey, Plan},
    prepared::Prepared,
    signer::{RemoteError, Signer},
    signing::{CannotSign, Signatures},
};
use crate::{
    Fingerprint, cert::Certificate, crypto_policy::CryptoPolicy, secret::Passphrase, session_key::SessionKey,
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
    pub signers: Vec<Signer<'a>>,
    /// The content is UTF-8 text: the literal packet says so, and signatures ignore how lines end.
    pub text: bool,
    /// Overrides the choice of container. `None`, the default, takes the best that every recipient reads.
    pub container: Option<Container>,
    /// SEIPDv2: the mode that this host is fastest at. Used where every recipient's certificate lists it; otherwise,
    /// and by default, OCB.
    pub aead: Option<Aead>,
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
            aead: None,
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
        self.seal_with(payload::best(), plaintext, output)
    }

    /// The same with a host's own bulk cipher.
    pub fn seal_with(
        &self,
        bulk: &dyn BulkCipher,
        plaintext: &mut (dyn io::Read + Send),
        output: &mut (dyn io::Write + Send + Sync),
    ) -> Result<SealReport, SealError> {
        let plan = Plan::new(self)?;
        let signatures =
            Signatures::begin(&self.signers, self.text, self.policy, self.now, self.intended_recipients())?;
        let mut armored =
            Armored::new(output, self.armor, Kind::Message, plan.container == Container::Seipdv2)
                .map_err(SealError::Output)?;
        for packet in plan.session_key_packets(self)? {
            packet.serialize(&mut armored).map_err(|e| SealError::Output(sink_failure(e)))?;
        }
        self.write_container(&plan, bulk, signatures, plaintext, &mut armored)?;
        armored.finish().map_err(SealError::Output)?;
        Ok(SealReport { container: plan.container, recipients: plan.report, session_key: plan.session_key })
    }

    /// Named recipients, unless that would make hidden ones look like eavesdroppers.
    fn intended_recipients(&self) -> Vec<Fingerprint> {
        if !self.hidden_recipients.is_empty() {
            return Vec::new();
        }
        self.recipients.iter().map(|certificate| certificate.fingerprint()).collect()
    }

    /// Does everything but the bulk cipher, which the host runs over [`Prepared::task`]. `size` is how much plaintext
    /// there is, roughly; all of it will be in memory.
    pub fn prepare(&self, plaintext: &mut (dyn io::Read + Send), size: usize) -> Result<Prepared, SealError> {
        let plan = Plan::new(self)?;
        let signatures =
            Signatures::begin(&self.signers, self.text, self.policy, self.now, self.intended_recipients())?;
        let mut head = Vec::new();
        for packet in plan.session_key_packets(self)? {
            packet.serialize(&mut head).map_err(|e| SealError::Output(sink_failure(e)))?;
        }
        let (clear, mut layout) = match plan.payload {
            PayloadKey::V1(key) => (vec![1], Layout::cfb(key, size)?),
            PayloadKey::V2(header, schedule) => (header.to_bytes().to_vec(), Layout::aead(schedule, size)),
        };
        let padding = if plan.container == Container::Seipdv2 { self.padding } else { Padding::None };
        content_writer::write(&mut layout, plaintext, signatures, self.text, padding)?;
        let report =
            SealReport { container: plan.container, recipients: plan.report, session_key: plan.session_key };
        Ok(Prepared { head, clear, task: layout.finish()?, armor: self.armor, report })
    }

    fn write_container(
        &self,
        plan: &Plan,
        bulk: &dyn BulkCipher,
        signatures: Signatures<'_>,
        plaintext: &mut (dyn io::Read + Send),
        output: &mut (dyn io::Write + Send),
    ) -> Result<(), SealError> {
        let mut body = PartialBody::new(output, tag::SEIPD);
        let mut signatures = Some(signatures);
        let mut failure = None;
        let mut produce = |sink: &mut dyn io::Write| {
            let signatures = signatures.take().expect("content is produced once");
            let padding = if plan.container == Container::Seipdv2 { self.padding } else { Padding::None };
            content_writer::write(sink, plaintext, signatures, self.text, padding).map_err(|why| {
                failure = Some(why);
                io::ErrorKind::Other.into()
            })
        };
        let result = match &plan.payload {
            PayloadKey::V1(key) => {
                body.write_all(&[1]).map_err(SealError::Output)?;
                bulk.seal_v1(key, &mut produce, &mut body)
            }
            PayloadKey::V2(header, schedule) => {
                body.write_all(&header.to_bytes()).map_err(SealError::Output)?;
                bulk.seal_v2(schedule, &mut produce, &mut body)
            }
        };
        match (result, failure) {
            // A sink that failed is why producing failed, not the other way round.
            (Err(PayloadError::Sink(e)), _) => Err(SealError::Output(e)),
            (_, Some(why)) => Err(why),
            (Err(PayloadError::Unsupported(what)), None) => Err(SealError::Unsupported(what)),
            (Err(PayloadError::Stopped(e)), None) => Err(SealError::Output(e)),
            (Err(PayloadError::Damaged), None) => Err(SealError::Unsupported("session key size".into())),
            (Ok(()), None) => body.finish().map(drop).map_err(SealError::Output),
        }
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

impl From<CannotSign> for SealError {
    fn from(error: CannotSign) -> Self {
        match error {
            CannotSign::Signer(certificate, reason) => Self::SignerUnusable { certificate, reason },
            CannotSign::Remote(certificate, source) => Self::Remote { certificate, source },
            CannotSign::Backend(what) => Self::Unsupported(what),
            CannotSign::Output(e) => Self::Output(e),
        }
    }
}
