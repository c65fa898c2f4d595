// SPDX-License-Identifier: LGPL-2.0-or-later
//! Stable codes of errors, for programs that cannot match on a type: JavaScript, logs, JSON.

use crate::{
    cert::{CertError, UnlockError},
    mail::{AddressError, MailOpenError, MailSealError, reply::ReplyError},
    message::{OpenError, SealError, SignError, UnwrapError, VerifyError, payload::PayloadError},
    verdict::Verdict,
};

/// A stable, kebab-case code. What may not be told apart has one code.
pub trait ErrorCode {
    /// The code.
    fn code(&self) -> &'static str;

    /// What the signature is worth, when that is why.
    fn verdict(&self) -> Option<&Verdict> {
        None
    }
}

impl ErrorCode for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSealed => "not-sealed",
            Self::Unreadable => "unreadable",
            Self::NoIntegrity => "no-integrity",
            Self::Policy(_) => "refused-by-policy",
            Self::Nested => "nested",
            Self::Unsupported(_) => "unsupported",
            Self::TooDeep => "too-deep",
            Self::TooLarge => "too-large",
            Self::BadSignature(_) => "bad-signature",
            Self::Output(_) => "output-failed",
            Self::Input(_) => "input-failed",
        }
    }

    fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::BadSignature(verdict) => Some(verdict),
            _ => None,
        }
    }
}

impl ErrorCode for PayloadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => "unsupported",
            Self::Damaged => "unreadable",
            Self::Sink(_) => "output-failed",
            Self::Stopped(_) => "input-failed",
        }
    }
}

impl ErrorCode for UnwrapError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoMatchingKey { .. } => "no-matching-key",
            Self::DoesNotFit => "session-key-does-not-fit",
            Self::WrongPassword => "wrong-password",
            Self::TooExpensive => "too-costly",
        }
    }
}

impl ErrorCode for VerifyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSigned => "not-signed",
            Self::Malformed(_) => "damaged",
            Self::BadSignature(_) => "bad-signature",
            Self::Open(error) => error.code(),
            Self::Output(_) => "output-failed",
            Self::Input(_) => "input-failed",
        }
    }

    fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::BadSignature(verdict) => Some(verdict),
            Self::Open(error) => error.verdict(),
            _ => None,
        }
    }
}

impl ErrorCode for SealError {
    fn code(&self) -> &'static str {
        match self {
            Self::RecipientUnusable { .. } => "recipient-unusable",
            Self::SignerUnusable { .. } => "signer-unusable",
            Self::Remote { .. } => "remote-key-failed",
            Self::EmptyPassword => "empty-password",
            Self::Unsupported(_) => "unsupported",
            Self::NoRecipient => "no-recipient",
            Self::Input(_) => "input-failed",
            Self::Output(_) => "output-failed",
        }
    }
}

impl ErrorCode for SignError {
    fn code(&self) -> &'static str {
        match self {
            Self::SignerUnusable { .. } => "signer-unusable",
            Self::Remote { .. } => "remote-key-failed",
            Self::NoSigner => "no-signer",
            Self::NotText => "not-text",
            Self::Unsupported(_) => "unsupported",
            Self::Input(_) => "input-failed",
            Self::Output(_) => "output-failed",
        }
    }
}

impl ErrorCode for CertError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed-certificate",
            Self::NoSecretKey => "no-secret-key",
            Self::SeveralCertificates => "several-certificates",
            Self::TooLarge { .. } => "too-large",
            Self::DifferentCertificate => "different-certificate",
            Self::NoSuchAddress => "no-such-address",
            Self::NoSuchUserId => "no-such-user-id",
            Self::NoSuchKey => "no-such-key",
            Self::LastUserId => "last-user-id",
            Self::BadUserId => "bad-user-id",
            Self::NotItsRevocation => "not-its-revocation",
            Self::PrimarySecretMissing => "primary-secret-missing",
            Self::Unusable(_) => "unusable",
            Self::ProfileUnsupported { .. } => "profile-unsupported",
            Self::BadTime => "bad-time",
            Self::Backend => "backend-failed",
        }
    }
}

impl ErrorCode for UnlockError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongPassphrase => "wrong-passphrase",
            Self::PassphraseNeeded => "passphrase-needed",
            Self::KeyMismatch => "key-mismatch",
            Self::NoUsableSecret => "no-usable-secret",
            Self::TooCostly => "too-costly",
        }
    }
}

impl ErrorCode for MailOpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Mime(_) => "structure",
            Self::Open(error) => error.code(),
            Self::Unwrap(error) => error.code(),
            Self::BadSignature(_) => "bad-signature",
            Self::Damaged => "damaged",
            Self::TooManyLayers => "too-many-layers",
            Self::NoSuchPart => "no-such-part",
        }
    }

    fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::BadSignature(verdict) => Some(verdict),
            Self::Open(error) => error.verdict(),
            _ => None,
        }
    }
}

impl ErrorCode for MailSealError {
    fn code(&self) -> &'static str {
        match self {
            Self::Mime(_) => "structure",
            Self::UnsafeHeader { .. } => "unsafe-header",
            Self::NoAuthor => "no-author",
            Self::NoRecipient => "no-recipient",
            Self::NoCertificate { .. } => "no-certificate",
            Self::AlreadySealed => "already-sealed",
            Self::Seal(error) => error.code(),
            Self::Sign(error) => error.code(),
        }
    }
}

impl ErrorCode for AddressError {
    fn code(&self) -> &'static str {
        match self {
            Self::Mime(_) => "structure",
            Self::NoAuthor => "no-author",
        }
    }
}

impl ErrorCode for ReplyError {
    fn code(&self) -> &'static str {
        match self {
            Self::ForeignPart => "foreign-part",
            Self::NobodyToAnswer => "nobody-to-answer",
        }
    }
}
