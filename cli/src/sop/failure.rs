// SPDX-License-Identifier: LGPL-2.0-or-later
//! The draft's exit codes, and which of our errors is which of them.

use std::{fmt, io, process::ExitCode};

use plombe_core::{cert, message};

/// Exit codes of the draft's section "Failure Modes", under the draft's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Unspecified = 1,
    NoSignature = 3,
    UnsupportedAsymmetricAlgo = 13,
    CertCannotEncrypt = 17,
    MissingArg = 19,
    IncompleteVerification = 23,
    CannotDecrypt = 29,
    PasswordNotHumanReadable = 31,
    UnsupportedOption = 37,
    BadData = 41,
    ExpectedText = 53,
    OutputExists = 59,
    MissingInput = 61,
    KeyIsProtected = 67,
    UnsupportedSubcommand = 69,
    UnsupportedSpecialPrefix = 71,
    AmbiguousInput = 73,
    KeyCannotSign = 79,
    IncompatibleOptions = 83,
    UnsupportedProfile = 89,
    PrimaryKeyBad = 103,
    CertUseridNoMatch = 107,
    KeyCannotCertify = 109,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        ExitCode::from(code as u8)
    }
}

/// Why a subcommand failed: the code for programs, a sentence for people.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    message: String,
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// `error` with all its causes as the sentence.
    fn because(code: Code, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self { code, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::because(code_of_io(&error), &error)
    }
}

/// Standard input that turned out not to be text says so through an [`io::Error`] (see `sign::Utf8`).
fn code_of_io(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::InvalidData => Code::ExpectedText,
        _ => Code::Unspecified,
    }
}

impl From<cert::CertError> for Failure {
    fn from(error: cert::CertError) -> Self {
        Self::because(Code::BadData, &error)
    }
}

impl From<cert::UnlockError> for Failure {
    fn from(error: cert::UnlockError) -> Self {
        let code = match &error {
            cert::UnlockError::WrongPassphrase | cert::UnlockError::PassphraseNeeded => Code::KeyIsProtected,
            _ => Code::BadData,
        };
        Self::because(code, &error)
    }
}

impl From<message::SealError> for Failure {
    fn from(error: message::SealError) -> Self {
        use message::SealError as E;
        let code = match &error {
            E::RecipientUnusable { .. } => Code::CertCannotEncrypt,
            E::SignerUnusable { .. } => Code::KeyCannotSign,
            E::NoRecipient => Code::MissingArg,
            E::EmptyPassword => Code::PasswordNotHumanReadable,
            E::Unsupported(_) => Code::UnsupportedAsymmetricAlgo,
            E::Input(error) => code_of_io(error),
            _ => Code::Unspecified,
        };
        Self::because(code, &error)
    }
}

impl From<message::SignError> for Failure {
    fn from(error: message::SignError) -> Self {
        use message::SignError as E;
        let code = match &error {
            E::SignerUnusable { .. } => Code::KeyCannotSign,
            E::NoSigner => Code::MissingArg,
            E::NotText => Code::ExpectedText,
            E::Unsupported(_) => Code::UnsupportedAsymmetricAlgo,
            E::Input(error) => code_of_io(error),
            _ => Code::Unspecified,
        };
        Self::because(code, &error)
    }
}

impl From<message::UnwrapError> for Failure {
    fn from(error: message::UnwrapError) -> Self {
        Self::because(Code::CannotDecrypt, &error)
    }
}

impl From<message::OpenError> for Failure {
    fn from(error: message::OpenError) -> Self {
        use message::OpenError as E;
        let code = match &error {
            E::NotSealed => Code::BadData,
            E::BadSignature(_) => Code::NoSignature,
            E::Output(_) | E::Input(_) => Code::Unspecified,
            // Damage, wrong key, refused container, bomb: whatever it is, there is no plaintext to be had.
            _ => Code::CannotDecrypt,
        };
        Self::because(code, &error)
    }
}

impl From<message::VerifyError> for Failure {
    fn from(error: message::VerifyError) -> Self {
        use message::VerifyError as E;
        let code = match &error {
            E::NotSigned | E::Malformed(_) => Code::BadData,
            E::BadSignature(_) => Code::NoSignature,
            E::Output(_) | E::Input(_) => Code::Unspecified,
            _ => Code::BadData,
        };
        Self::because(code, &error)
    }
}

impl From<message::armor::ArmorError> for Failure {
    fn from(error: message::armor::ArmorError) -> Self {
        let code = match &error {
            message::armor::ArmorError::Malformed => Code::BadData,
            _ => Code::Unspecified,
        };
        Self::because(code, &error)
    }
}
