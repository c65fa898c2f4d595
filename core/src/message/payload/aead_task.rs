// SPDX-License-Identifier: LGPL-2.0-or-later
//! A SEIPDv2 body in memory, for a cipher of the host's that works piece by piece (RFC 9580 section 5.13.2).

use std::ops::Range;

use super::{
    PayloadError, Schedule,
    chunks::Opened,
    portable::{check_supported, open_chunk, seal_chunk},
    schedule::TAG_SIZE,
};

/// Chunks one behind the other, each with its tag or with room for it, and the final tag.
///
/// The pieces are independent of each other: the host runs its cipher over the [`input`](Self::input) of each, under
/// [`Schedule::key`] with [`nonce`](Self::nonce) and [`aad`](Self::aad), in any order and several at a time, and puts what
/// comes out into [`output`](Self::output). A piece that is not authentic ends it: the host drops the task.
pub struct AeadTask {
    schedule: Schedule,
    /// `chunk (chunk_size) || tag (16)`, repeated; the last chunk may be shorter; then the final tag.
    bytes: Vec<u8>,
    sealing: bool,
    done: Vec<bool>,
}

impl AeadTask {
    /// For a body behind its clear header, or for plaintext that was laid out with room for every tag.
    pub(crate) fn new(schedule: Schedule, bytes: Vec<u8>, sealing: bool) -> Result<Self, PayloadError> {
        let body = bytes.len().checked_sub(TAG_SIZE).ok_or(PayloadError::Damaged)?;
        let stride = schedule.chunk_size() + TAG_SIZE;
        // A chunk has at least one byte beside its tag.
        if (1..=TAG_SIZE).contains(&(body % stride)) {
            return Err(PayloadError::Damaged);
        }
        let done = vec![false; body.div_ceil(stride) + 1];
        Ok(Self { schedule, bytes, sealing, done })
    }

    /// Key and mode.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Plaintext becomes ciphertext, as opposed to the other way round.
    pub fn is_sealing(&self) -> bool {
        self.sealing
    }

    /// How many: one per chunk, and the final tag.
    pub fn pieces(&self) -> usize {
        self.done.len()
    }

    /// Bytes in all of them.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The nonce for one piece.
    pub fn nonce(&self, piece: usize) -> Vec<u8> {
        self.schedule.nonce(piece as u64)
    }

    /// Associated data of one piece.
    pub fn aad(&self, piece: usize) -> Vec<u8> {
        if piece + 1 < self.pieces() {
            return self.schedule.aad().to_vec();
        }
        let total = self.bytes.len() - self.pieces() * TAG_SIZE;
        self.schedule.final_aad(total as u64).to_vec()
    }

    /// What goes into the cipher: plaintext when sealing, ciphertext with its tag when opening.
    pub fn input(&self, piece: usize) -> &[u8] {
        let Range { start, end } = self.range(piece);
        &self.bytes[start..end - if self.sealing { TAG_SIZE } else { 0 }]
    }

    /// Where what comes out belongs: ciphertext with its tag when sealing, plaintext when opening. Taking it says that
    /// the piece is done.
    pub fn output(&mut self, piece: usize) -> &mut [u8] {
        self.done[piece] = true;
        let Range { start, end } = self.range(piece);
        &mut self.bytes[start..end - if self.sealing { 0 } else { TAG_SIZE }]
    }

    /// Runs every piece on this build's own cipher.
    ///
    /// # Errors
    /// `Damaged` when a piece is not authentic, `Unsupported` when there is no such cipher.
    pub fn run(&mut self) -> Result<(), PayloadError> {
        check_supported(&self.schedule)?;
        let work = if self.sealing { seal_chunk } else { open_chunk };
        let mut input = Vec::new();
        for piece in 0..self.pieces() {
            let (nonce, aad) = (self.nonce(piece), self.aad(piece));
            input.clear();
            input.extend_from_slice(self.input(piece));
            let Range { start, end } = self.range(piece);
            let end = end - if self.sealing { 0 } else { TAG_SIZE };
            work(&self.schedule, &nonce, &aad, &input, &mut self.bytes[start..end])
                .map_err(|_| PayloadError::Damaged)?;
            self.done[piece] = true;
        }
        Ok(())
    }

    fn range(&self, piece: usize) -> Range<usize> {
        let body = self.bytes.len() - TAG_SIZE;
        if piece + 1 == self.pieces() {
            return body..self.bytes.len();
        }
        let stride = self.schedule.chunk_size() + TAG_SIZE;
        piece * stride..((piece + 1) * stride).min(body)
    }

    fn is_done(&self) -> bool {
        self.done.iter().all(|done| *done)
    }

    /// The whole body, sealed.
    pub(super) fn sealed(&self) -> Result<&[u8], PayloadError> {
        if self.sealing && self.is_done() { Ok(&self.bytes) } else { Err(PayloadError::Damaged) }
    }

    /// The whole body, opened. A single piece that nobody authenticated keeps all of it closed.
    pub(super) fn into_opened(mut self) -> Result<Opened, PayloadError> {
        if self.sealing || !self.is_done() {
            return Err(PayloadError::Damaged);
        }
        self.bytes.truncate(self.bytes.len() - TAG_SIZE);
        let chunk_size = self.schedule.chunk_size();
        let end = self.bytes.len().saturating_sub(TAG_SIZE);
        Ok(Opened { start: 0, end, chunk_size, stride: chunk_size + TAG_SIZE, bytes: self.bytes })
    }
}
