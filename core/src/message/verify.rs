// SPDX-License-Identifier: LGPL-2.0-or-later
//! Verify signed, unencrypted bytes.

use std::io;

use super::{Limits, OpenContext, Opened, Quarantine};
use crate::verdict::{SignatureVerdict, Verdict};

/// One signature's verdict beside what SOP wants to know about it.
pub struct Verified {
    /// The best of them decides.
    pub verdict: Verdict,
    /// Every signature by itself, in order.
    pub signatures: Vec<SignatureVerdict>,
}

/// Judges detached signatures (armored or binary) over everything `data` yields.
pub fn detached(
    signatures: &[u8],
    data: &mut (dyn io::Read + Send + Sync),
    context: &OpenContext<'_>,
) -> Result<Verified, VerifyError> {
    todo!()
}

/// Opens an inline-signed or cleartext-signed message; the content waits in `quarantine` for its verdict.
pub fn inline<Q: Quarantine>(
    message: &mut (dyn io::Read + Send + Sync),
    context: &OpenContext<'_>,
    quarantine: Q,
) -> Result<Opened<Q>, VerifyError> {
    todo!()
}

/// Takes an inline-signed or cleartext-signed message apart without judging it: the content goes to `content`,
/// its detached signatures (binary) are returned.
pub fn split_inline(
    message: &mut (dyn io::Read + Send + Sync),
    limits: &Limits,
    content: &mut dyn io::Write,
) -> Result<Vec<u8>, VerifyError> {
    todo!()
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a signature, or not a signed message.
    #[error("this is not an OpenPGP signature or signed message")]
    NotSigned,
    /// Looks like a signed message, but is damaged, or has bytes where no honest program puts any.
    #[error("the signed message is damaged: {0}")]
    Malformed(&'static str),
    /// The signature is wrong; nothing was released.
    #[error("the signature is wrong: these are not the bytes that were signed")]
    BadSignature(Box<Verdict>),
    /// The message cannot be handled, for the same reasons as a sealed one.
    #[error(transparent)]
    Open(#[from] super::OpenError),
    /// The place for the content failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    /// The source failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
}
