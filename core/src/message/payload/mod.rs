// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher's seam: SEIPDv2 and SEIPDv1 bodies.
//!
//! Core writes packets, keys and policy; whoever implements [`BulkCipher`] moves the gigabytes. Here are two: a
//! portable one on whatever backend Sequoia was built with, and `Native`, which keeps all cores busy. A host whose
//! cipher is asynchronous (a browser's WebCrypto) cannot implement a synchronous trait: it gets the work handed out as a
//! [`Task`], does it piece by piece, and gives it back. That takes the whole body in memory, once.

mod aead_task;
mod aes_cfb;
mod cfb_task;
pub mod chunks;
#[cfg(feature = "crypto-openssl")]
mod native;
mod portable;
mod schedule;
mod streams;
mod task;
mod v1;

use std::io::{self, BufRead, Write};

pub use aead_task::AeadTask;
pub use cfb_task::CfbTask;
#[cfg(feature = "crypto-openssl")]
pub use native::Native;
pub use portable::Portable;
pub use schedule::{Aead, HEADER_SIZE, Schedule, V2Header};
pub(crate) use task::Layout;
pub use task::Task;
pub use v1::V1Key;

/// Writes the plaintext, all of it, once.
pub type Produce<'p> = &'p mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// Reads the plaintext to its end. The end is only reported once the final tag (or MDC) was found to be right;
/// everything before it is not to be trusted, let alone shown.
pub type Consume<'c> = &'c mut dyn FnMut(&mut dyn BufRead) -> io::Result<()>;

/// Runs the bulk cipher over the body of an encryption container, after its clear header.
pub trait BulkCipher {
    /// Writes chunks and final tag.
    fn seal_v2(
        &self,
        schedule: &Schedule,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError>;

    /// Reads chunks and final tag. `source` ends where the packet ends.
    fn open_v2(
        &self,
        schedule: &Schedule,
        source: &mut (dyn io::Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError>;

    /// Writes random prefix, plaintext and MDC in CFB mode.
    fn seal_v1(
        &self,
        key: &V1Key,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError>;

    /// Reads the same.
    fn open_v1(
        &self,
        key: &V1Key,
        source: &mut (dyn io::Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError>;
}

/// The fastest implementation of this build.
pub fn best() -> &'static dyn BulkCipher {
    #[cfg(feature = "crypto-openssl")]
    return &Native;
    #[cfg(not(feature = "crypto-openssl"))]
    return &Portable;
}

/// Why a body could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The cipher is none that this build has.
    #[error("{0} is not available in this build")]
    Unsupported(String),
    /// Not what was sealed, or not with this key.
    #[error("damaged, or another key")]
    Damaged,
    /// The ciphertext could not be written.
    #[error("cannot write")]
    Sink(#[source] io::Error),
    /// `produce` or `consume` gave up, or the source of the ciphertext failed.
    #[error("stopped")]
    Stopped(#[source] io::Error),
}

#[cfg(test)]
mod tests;
