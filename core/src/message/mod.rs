// SPDX-License-Identifier: LGPL-2.0-or-later
//! OpenPGP messages: parse, open, seal, sign, verify.
//!
//! ```text
//! bytes → SealedMessage::parse → (who yields the session key?) → SealedMessage::open → Opened { content, verdict }
//! ```
//! Streams are `std::io::Read` and `Write`; memory is bounded whatever the size.

pub mod armor;
pub mod payload;
pub mod verify;

mod cleartext;
mod closed;
mod content;
mod content_writer;
pub(crate) mod framing;
mod hashing;
mod input;
mod judge;
mod literal;
mod open;
mod plan;
mod prepared;
mod seal;
mod sign;
mod signer;
mod signing;
mod unwrap;

pub(crate) use unwrap::{Guarded, may_be_for};

pub use closed::Closed;
pub use open::{
    Limits, OpenContext, OpenError, Opened, Quarantine, SealedMessage, SignerCertificates, UnwrapError,
    WrappedSessionKey,
};
pub use prepared::Prepared;
pub use seal::{Container, Padding, RecipientReport, Seal, SealError, SealReport};
pub use sign::{SignError, Signing};
pub use signer::{DigestRequest, DigestSignature, RemoteError, RemoteKey, SignDigest, Signer};
pub use verify::{Verified, VerifyError};
