// SPDX-License-Identifier: LGPL-2.0-or-later
//! Open a mail: layers off, verdicts on.

use super::{Field, Finding, KeyCandidate};
use crate::{
    message::{OpenContext, OpenError, SealedMessage, UnwrapError},
    mime::MimeError,
    session_key::SessionKey,
    verdict::Verdict,
};

/// Finds the session key of one sealed message: a keyring, a password, a keystore.
pub type YieldSessionKey<'a> = dyn FnMut(&SealedMessage<'_>) -> Result<SessionKey, UnwrapError> + 'a;

/// What a reader may ask for beside the plain opening of a mail.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// MIME path of one errant layer, which is opened instead of the mail, as a document of its own.
    pub errant: Option<String>,
}

/// A mail as its reader may see it. A bad signature or failed integrity never becomes one of these.
pub struct OpenedMail {
    pub(crate) parts: Vec<Part>,
    pub(crate) fields: Vec<Field>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) candidates: Vec<KeyCandidate>,
}

/// One part that a person would see: text, picture, attachment.
pub struct Part {
    pub(crate) verdict: Verdict,
}

/// Opens `mail`. Mail that is neither encrypted nor signed opens too: its parts are unsigned.
pub fn open(
    mail: &[u8],
    yield_session_key: &mut YieldSessionKey<'_>,
    context: &OpenContext<'_>,
    options: &OpenOptions,
) -> Result<OpenedMail, MailOpenError> {
    let _ = (mail, yield_session_key, context, options);
    todo!()
}

impl OpenedMail {
    /// Every part that a person would see, in document order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// One verdict per part, for `--json`.
    pub fn verdicts(&self) -> Vec<&Verdict> {
        self.parts.iter().map(Part::verdict).collect()
    }

    /// The worst of the verdicts: what may be said about the mail as a whole.
    pub fn verdict(&self) -> &Verdict {
        todo!()
    }

    /// Was there an encryption layer around what is shown?
    pub fn was_encrypted(&self) -> bool {
        todo!()
    }

    /// Header fields as the sender meant them, each with its protection.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The subject; of an encrypted mail only when it was inside. Callers print `(no subject)` for `None`.
    pub fn subject(&self) -> Option<&str> {
        todo!()
    }

    /// What a reader should know beside the verdicts.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Certificates that came along. Candidates, never trusted by themselves.
    pub fn key_candidates(&self) -> &[KeyCandidate] {
        &self.candidates
    }

    /// The mail without its cryptographic layers, as RFC 5322 message with CRLF line ends, for other mail software.
    pub fn to_plain_mail(&self) -> Vec<u8> {
        todo!()
    }
}

impl Part {
    /// What the part's signature is worth, and the bytes that this speaks of.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// `1` is the mail itself, `1.1` its first child; counted in the document that the part was found in.
    pub fn path(&self) -> &str {
        todo!()
    }

    /// `text/plain`, lower case.
    pub fn media_type(&self) -> &str {
        todo!()
    }

    /// An attachment's name, made harmless: no directories, no control characters, never empty.
    pub fn file_name(&self) -> Option<String> {
        todo!()
    }

    /// Shown in the mail itself, or to be saved?
    pub fn is_attachment(&self) -> bool {
        todo!()
    }

    /// The content with its transfer encoding taken off.
    pub fn content(&self) -> Vec<u8> {
        todo!()
    }

    /// What may be displayed of a text part: plain text without anything active, remote, hidden or conditional.
    pub fn text(&self) -> Option<String> {
        todo!()
    }
}

/// Why a mail cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailOpenError {
    /// Structure beyond the bounds.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// An encrypted layer could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing that we hold opens an encrypted layer.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// A signature is wrong; nothing of what it covers is shown.
    #[error("the signature is wrong: this is not the mail that was signed")]
    BadSignature(Box<Verdict>),
    /// Says that it is encrypted, but there is no message inside.
    #[error("this mail says that it is encrypted, but its encrypted part is missing or damaged")]
    Damaged,
    /// More cryptographic layers than any honest mail has.
    #[error("refused: too many layers of encryption and signatures")]
    TooManyLayers,
    /// There is no errant layer at the path that was asked for.
    #[error("there is no encrypted or signed part at this path")]
    NoSuchPart,
}
