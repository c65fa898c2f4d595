// SPDX-License-Identifier: LGPL-2.0-or-later
//! Chunks of SEIPDv2 under OpenSSL, in place.

use std::io;

use openssl::{
    cipher::{Cipher, CipherRef},
    cipher_ctx::CipherCtx,
    error::ErrorStack,
};
use sequoia_openpgp::types::SymmetricAlgorithm;

use super::super::{
    Aead, Schedule,
    chunks::{Batch, Opened},
    schedule::TAG_SIZE,
};

/// `None` when OpenSSL lacks the mode (EAX).
pub(super) fn cipher(schedule: &Schedule) -> Option<&'static CipherRef> {
    use SymmetricAlgorithm::{AES128, AES192, AES256};
    Some(match (schedule.cipher(), schedule.aead()) {
        (AES128, Aead::Ocb) => Cipher::aes_128_ocb(),
        (AES192, Aead::Ocb) => Cipher::aes_192_ocb(),
        (AES256, Aead::Ocb) => Cipher::aes_256_ocb(),
        (AES128, Aead::Gcm) => Cipher::aes_128_gcm(),
        (AES192, Aead::Gcm) => Cipher::aes_192_gcm(),
        (AES256, Aead::Gcm) => Cipher::aes_256_gcm(),
        _ => return None,
    })
}

/// A keyed context; per chunk only the nonce changes.
pub(super) struct ChunkCipher<'s> {
    schedule: &'s Schedule,
    context: CipherCtx,
}

impl<'s> ChunkCipher<'s> {
    pub(super) fn for_sealing(schedule: &'s Schedule, cipher: &CipherRef) -> Result<Self, ErrorStack> {
        let mut context = CipherCtx::new()?;
        context.encrypt_init(Some(cipher), None, None)?;
        context.set_iv_length(schedule.aead().nonce_size())?;
        context.encrypt_init(None, Some(schedule.key()), None)?;
        Ok(Self { schedule, context })
    }

    pub(super) fn for_opening(schedule: &'s Schedule, cipher: &CipherRef) -> Result<Self, ErrorStack> {
        let mut context = CipherCtx::new()?;
        context.decrypt_init(Some(cipher), None, None)?;
        context.set_iv_length(schedule.aead().nonce_size())?;
        context.decrypt_init(None, Some(schedule.key()), None)?;
        Ok(Self { schedule, context })
    }

    pub(super) fn seal(&mut self, mut batch: Batch) -> io::Result<Batch> {
        let chunk_size = self.schedule.chunk_size();
        let (index, total) = (batch.next_index(chunk_size), batch.total(chunk_size));
        let aad = self.schedule.aad();
        for (i, chunk) in batch.bytes.chunks_mut(chunk_size + TAG_SIZE).enumerate() {
            self.seal_chunk(batch.first_index + i as u64, &aad, chunk)?;
        }
        if let Some(mut tag) = batch.final_tag {
            self.seal_chunk(index, &self.schedule.final_aad(total), &mut tag)?;
            batch.bytes.extend_from_slice(&tag);
        }
        Ok(batch)
    }

    /// `chunk` is plaintext and room for the tag.
    fn seal_chunk(&mut self, index: u64, aad: &[u8], chunk: &mut [u8]) -> Result<(), ErrorStack> {
        let size = chunk.len() - TAG_SIZE;
        self.context.encrypt_init(None, None, Some(&self.schedule.nonce(index)))?;
        self.context.cipher_update(aad, None)?;
        let written = self.update(chunk, size)?;
        self.finish(chunk, written)?;
        self.context.tag(&mut chunk[size..])
    }

    pub(super) fn open(&mut self, mut batch: Batch) -> io::Result<Opened> {
        let chunk_size = self.schedule.chunk_size();
        let (index, total) = (batch.next_index(chunk_size), batch.total(chunk_size));
        let aad = self.schedule.aad();
        for (i, chunk) in batch.bytes.chunks_mut(chunk_size + TAG_SIZE).enumerate() {
            self.open_chunk(batch.first_index + i as u64, &aad, chunk).map_err(damaged)?;
        }
        if let Some(mut tag) = batch.final_tag {
            self.open_chunk(index, &self.schedule.final_aad(total), &mut tag).map_err(damaged)?;
        }
        let end = batch.bytes.len().saturating_sub(TAG_SIZE);
        Ok(Opened { start: 0, end, chunk_size, stride: chunk_size + TAG_SIZE, bytes: batch.bytes })
    }

    /// `chunk` is ciphertext and tag. An error leaves unauthenticated bytes in it, which nobody may look at.
    fn open_chunk(&mut self, index: u64, aad: &[u8], chunk: &mut [u8]) -> Result<(), ErrorStack> {
        let size = chunk.len() - TAG_SIZE;
        let mut tag = [0; TAG_SIZE];
        tag.copy_from_slice(&chunk[size..]);
        self.context.decrypt_init(None, None, Some(&self.schedule.nonce(index)))?;
        self.context.cipher_update(aad, None)?;
        let written = self.update(chunk, size)?;
        self.context.set_tag(&tag)?;
        self.finish(chunk, written)
    }

    /// The empty chunk of the final tag has nothing to update.
    fn update(&mut self, chunk: &mut [u8], size: usize) -> Result<usize, ErrorStack> {
        if size == 0 { Ok(0) } else { self.context.cipher_update_inplace(chunk, size) }
    }

    /// OCB holds the bytes of an incomplete block back until now.
    fn finish(&mut self, chunk: &mut [u8], written: usize) -> Result<(), ErrorStack> {
        let mut last = [0; TAG_SIZE];
        let n = self.context.cipher_final(&mut last)?;
        chunk[written..written + n].copy_from_slice(&last[..n]);
        Ok(())
    }
}

fn damaged(_: ErrorStack) -> io::Error {
    io::ErrorKind::InvalidData.into()
}
