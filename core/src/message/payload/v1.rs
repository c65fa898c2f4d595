// SPDX-License-Identifier: LGPL-2.0-or-later
//! SEIPDv1 (RFC 9580 section 5.13.1): CFB over a random prefix, the plaintext, and an MDC packet with their SHA-1.

use sequoia_openpgp::{crypto, types::SymmetricAlgorithm};

use super::PayloadError;

/// The MDC packet's header; its body is a SHA-1 over everything before it, these two bytes included.
pub(super) const MDC_HEADER: [u8; 2] = [0xd3, 20];

/// Bytes of the whole MDC packet.
pub(super) const MDC_SIZE: usize = 22;

/// Cipher and key of one SEIPDv1 container.
pub struct V1Key {
    pub(super) cipher: SymmetricAlgorithm,
    pub(super) key: crypto::SessionKey,
    block_size: usize,
}

impl V1Key {
    /// `Damaged` when the key has the wrong size for its cipher.
    pub(crate) fn new(cipher: SymmetricAlgorithm, key: &[u8]) -> Result<Self, PayloadError> {
        let unsupported = |_| PayloadError::Unsupported(cipher.to_string());
        if !cipher.is_supported() {
            return Err(PayloadError::Unsupported(cipher.to_string()));
        }
        if cipher.key_size().map_err(unsupported)? != key.len() {
            return Err(PayloadError::Damaged);
        }
        let block_size = cipher.block_size().map_err(unsupported)?;
        Ok(Self { cipher, key: key.into(), block_size })
    }

    /// Bytes before the plaintext: one random block, and its last two bytes again.
    pub(super) fn prefix_size(&self) -> usize {
        self.block_size + 2
    }

    pub(super) fn generate_prefix(&self) -> Result<Vec<u8>, PayloadError> {
        let mut prefix = vec![0; self.prefix_size()];
        crypto::random(&mut prefix[..self.block_size])
            .map_err(|_| PayloadError::Unsupported("randomness".into()))?;
        prefix.copy_within(self.block_size - 2..self.block_size, self.block_size);
        Ok(prefix)
    }
}

/// Bytes in a run: whole cipher blocks.
#[cfg(feature = "crypto-openssl")]
pub(super) const RUN_SIZE: usize = super::chunks::BATCH_SIZE;

/// A run of bytes of a SEIPDv1 body.
#[cfg(feature = "crypto-openssl")]
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) bytes: Vec<u8>,
    /// The ciphertext block before this run, zeros at the beginning.
    pub(super) before: [u8; 16],
    /// The message's last run; it ends with the MDC packet, all of it.
    pub(super) last: bool,
}

/// Cuts a SEIPDv1 body into runs of whole blocks, the last of which holds the whole MDC packet.
#[cfg(feature = "crypto-openssl")]
pub(super) struct RunReader<'s> {
    source: &'s mut (dyn std::io::Read + Send),
    held: Vec<u8>,
    before: [u8; 16],
    ended: bool,
}

#[cfg(feature = "crypto-openssl")]
impl<'s> RunReader<'s> {
    pub(super) fn new(source: &'s mut (dyn std::io::Read + Send)) -> Self {
        Self { source, held: Vec::new(), before: [0; 16], ended: false }
    }

    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> std::io::Result<Option<Run>> {
        if self.ended {
            return Ok(None);
        }
        let size = RUN_SIZE + MDC_SIZE;
        super::chunks::refill(self.source, &mut buffer, &mut self.held, size)?;
        let before = self.before;
        if buffer.len() < size {
            self.ended = true;
        } else {
            self.held.extend_from_slice(&buffer[RUN_SIZE..]);
            buffer.truncate(RUN_SIZE);
            self.before.copy_from_slice(&buffer[RUN_SIZE - 16..]);
        }
        Ok(Some(Run { bytes: buffer, before, last: self.ended }))
    }
}
