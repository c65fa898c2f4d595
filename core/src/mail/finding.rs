// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a reader should know about a mail beside its verdicts.

use serde::Serialize;

/// Something odd, repaired or dangerous. Holds no plaintext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
pub struct Finding {
    /// For programs.
    pub code: FindingCode,
    /// One sentence for people.
    pub text: String,
    /// MIME path of the part it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(tsify::Tsify))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingCode {
    /// Encrypted or signed content below a multipart: not part of the mail's protection, not opened.
    ErrantLayer,
    /// A mailing list wrapped the mail and added parts, so that its signature or encryption is no longer the envelope.
    MailingListWrapper,
    /// Exchange or a like turned multipart/encrypted into multipart/mixed; put right.
    RepairedMixedUp,
    /// The `Version: 1` part, or the protocol parameter, was missing; put right.
    RepairedVersionPart,
    /// A relay put a transfer encoding on the armor; taken off.
    RepairedTransferEncoding,
    /// Parts beside the encrypted or signed one, where there must be none; not shown.
    IgnoredParts,
    /// Says that it is signed, but is not built so.
    MalformedSigned,
    /// A signature around encryption: the signer need not have known what is inside, so it counts for nothing.
    SignatureOutsideEncryption,
    /// S/MIME is not supported; its signatures are not judged and its encryption is not opened.
    SmimeNotSupported,
    /// The older `protected-headers="v1"`, or RFC 8551 wrapping.
    LegacyHeaderProtection,
    /// The mail contradicts itself about its header protection; the weaker reading counts.
    HeaderProtectionContradiction,
    /// A header field differs from what the sender put outside.
    HeaderChangedInTransit,
    /// The From outside names somebody else than the protected one.
    FromMismatch,
    /// Several authors.
    SeveralAuthors,
    /// Sender names somebody else than the author.
    SenderDiffers,
    /// A display name that looks like a different address.
    NameLooksLikeAddress,
    /// Encrypted, but the subject was readable on the way and may have been changed.
    SubjectUnprotected,
    /// A field that should stand once stands several times; programs disagree on which one counts.
    DuplicateHeader,
    /// Boundaries, a missing close, or a broken header: programs disagree on the parts.
    AmbiguousStructure,
    /// Bare CR or NUL in the header: programs disagree on its lines.
    AmbiguousHeader,
    /// Content or styles that show differently in different programs.
    ConditionalContent,
    /// Text that the sender's styles hide; left out of the view.
    HiddenContent,
    /// Scripts, forms, frames or embedded objects; left out of the view.
    ActiveContent,
    /// Content that would be fetched from elsewhere; left out of the view.
    RemoteContent,
}

impl Finding {
    pub(super) fn new(code: FindingCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), path: None }
    }

    pub(super) fn at(code: FindingCode, path: &str, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), path: Some(path.to_owned()) }
    }
}
