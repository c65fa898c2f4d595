// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal a plain mail: PGP/MIME (RFC 3156) with header protection (RFC 9788), one copy per Bcc recipient.

use std::time::SystemTime;

use super::AutocryptOut;
use crate::{
    cert::{Certificate, Tsk},
    crypto_policy::CryptoPolicy,
    message::{Padding, SealError, SealReport, SignError},
    mime::MimeError,
};

/// What of the header stays readable outside (RFC 9788 section 3, header confidentiality policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HeaderPolicy {
    /// `hcp_baseline`: the subject reads `[...]`, Keywords and Comments are only inside.
    #[default]
    Baseline,
    /// `hcp_shy`: baseline, without display names and time zone.
    Shy,
    /// `hcp_no_confidentiality`: protected against changes only.
    None,
}

/// A recipient's address with the certificate that was chosen for it.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    /// `local@domain`, as in the mail's To, Cc or Bcc.
    pub address: &'a str,
    /// The certificate.
    pub certificate: &'a Certificate,
}

/// How to seal a mail. `..Seal::new(..)` fills the rest with safe defaults.
pub struct Seal<'a> {
    /// One or more for every address in To, Cc and Bcc; others are ignored.
    pub recipients: Vec<Recipient<'a>>,
    /// Signs inside the encryption.
    pub signer: Option<&'a Tsk>,
    /// The sender's own certificate, so that sent mail stays readable. `Seal::new` takes the signer's.
    pub to_self: Option<Certificate>,
    /// What stays readable outside.
    pub headers: HeaderPolicy,
    /// Repeat hidden fields in the text, for readers who decrypt but do not know header protection.
    pub legacy_display: bool,
    /// What to tell recipients about keys.
    pub autocrypt: Option<AutocryptOut<'a>>,
    /// Hide the length.
    pub padding: Padding,
    /// Judges recipients' and signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time, and Date of a mail that has none.
    pub now: SystemTime,
}

/// A sealed mail: one copy for everybody in To and Cc, and one for each Bcc recipient.
pub struct SealedMail {
    /// Each goes to its own envelope recipients only.
    pub copies: Vec<SealedCopy>,
}

/// One mail to hand to the transport.
pub struct SealedCopy {
    /// Envelope recipients (RCPT TO) of this copy.
    pub envelope_to: Vec<String>,
    /// Is this the copy of a Bcc recipient?
    pub bcc: bool,
    /// RFC 5322 message with CRLF line ends, 7-bit safe.
    pub mail: Vec<u8>,
    /// How it was sealed, per recipient.
    pub report: SealReport,
}

impl<'a> Seal<'a> {
    /// Signed by `signer`, baseline header protection with legacy display, readable for the sender too.
    pub fn new(
        recipients: Vec<Recipient<'a>>,
        signer: Option<&'a Tsk>,
        policy: &'a CryptoPolicy,
        now: SystemTime,
    ) -> Self {
        Self {
            recipients,
            signer,
            to_self: signer.map(Tsk::certificate),
            headers: HeaderPolicy::Baseline,
            legacy_display: true,
            autocrypt: None,
            padding: Padding::None,
            policy,
            now,
        }
    }

    /// Seals `mail`, which has its recipients in To, Cc and Bcc.
    pub fn seal(&self, mail: &[u8]) -> Result<SealedMail, MailSealError> {
        let _ = mail;
        todo!()
    }
}

/// Why a mail cannot be sealed or signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailSealError {
    /// Structure beyond the bounds.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// The header holds bytes that another program could take for the end of a line.
    #[error("the header field {name} holds a bare carriage return or a NUL byte; remove it")]
    UnsafeHeader {
        /// Which.
        name: String,
    },
    /// No From, or several authors and no Sender.
    #[error("this mail does not say clearly who it is from: it needs one From address")]
    NoAuthor,
    /// Nobody in To, Cc or Bcc.
    #[error("this mail has no recipient: it needs To, Cc or Bcc")]
    NoRecipient,
    /// A recipient without certificate.
    #[error("no certificate for {address}; find or import one first")]
    NoCertificate {
        /// Whose.
        address: String,
    },
    /// The mail is encrypted already.
    #[error("this mail is encrypted already")]
    AlreadySealed,
    /// Encryption failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Signing failed.
    #[error(transparent)]
    Sign(#[from] SignError),
}
