// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where chunks begin and end: batches of them in, batches of them out. No cipher here.
//!
//! Ciphers work in place. A batch of SEIPDv2 leaves room for a tag behind each chunk, so that sealing and opening
//! move no byte from where it lies.

use std::io::{self, BufRead, Read, Write};

use super::schedule::TAG_SIZE;

/// Bytes of ciphertext that are worked on at a time, unless one chunk is larger.
pub const BATCH_SIZE: usize = 1 << 20;

/// Bytes that are read before a buffer grows towards a whole batch.
const FIRST_READ: usize = 1 << 15;

/// A run of whole chunks, each followed by its tag or by room for it.
#[derive(Debug, Default)]
pub struct Batch {
    /// Index of the first chunk.
    pub first_index: u64,
    /// `chunk (chunk_size) || tag (16)`, repeated; the message's last chunk may be shorter.
    pub bytes: Vec<u8>,
    /// Of the last batch. When opening it holds the final tag; when sealing it asks for one.
    pub final_tag: Option<[u8; TAG_SIZE]>,
}

impl Batch {
    /// Chunks in `bytes`.
    pub fn chunks(&self, chunk_size: usize) -> usize {
        self.bytes.len().div_ceil(chunk_size + TAG_SIZE)
    }

    /// Index that the final tag has behind this batch.
    pub fn next_index(&self, chunk_size: usize) -> u64 {
        self.first_index + self.chunks(chunk_size) as u64
    }

    /// Plaintext bytes up to the end of this batch: every chunk before it was full.
    pub fn total(&self, chunk_size: usize) -> u64 {
        let here = self.bytes.len() - self.chunks(chunk_size) * TAG_SIZE;
        self.first_index * chunk_size as u64 + here as u64
    }
}

/// Bytes of a full batch: as many chunks with tags as fit.
pub fn batch_stride(chunk_size: usize) -> usize {
    (BATCH_SIZE / chunk_size).max(1) * (chunk_size + TAG_SIZE)
}

/// Cuts a SEIPDv2 ciphertext into batches.
pub struct BatchReader<'s> {
    source: &'s mut (dyn Read + Send),
    chunk_size: usize,
    /// The last bytes read, which are the final tag if nothing follows them.
    held: Vec<u8>,
    next_index: u64,
    ended: bool,
}

impl<'s> BatchReader<'s> {
    /// Reads from the first chunk on.
    pub fn new(source: &'s mut (dyn Read + Send), chunk_size: usize) -> Self {
        Self { source, chunk_size, held: Vec::new(), next_index: 0, ended: false }
    }

    /// The next batch, in `buffer`'s memory. `None` after the last; an error if that could not be the last.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        let stride = batch_stride(self.chunk_size);
        refill(self.source, &mut buffer, &mut self.held, stride + TAG_SIZE)?;
        self.ended = buffer.len() < stride + TAG_SIZE;
        // What is held back: the final tag, or the beginning of the next chunk.
        let tail = buffer.len().checked_sub(TAG_SIZE).ok_or_else(truncated)?;
        self.held.extend_from_slice(&buffer[tail..]);
        buffer.truncate(tail);
        // A chunk has at least one byte beside its tag.
        if (1..=TAG_SIZE).contains(&(buffer.len() % (self.chunk_size + TAG_SIZE))) {
            return Err(truncated());
        }
        let final_tag = self.ended.then(|| self.held[..].try_into().expect("exactly a tag was held back"));
        let batch = Batch { first_index: self.next_index, bytes: buffer, final_tag };
        self.next_index = batch.next_index(self.chunk_size);
        Ok(Some(batch))
    }
}

/// Puts what was held back into `buffer`, and reads until it has `size` bytes or the source ends.
///
/// What `buffer` held before is overwritten, not cleared: zeroing a gigabyte takes as long as encrypting it.
pub(super) fn refill(
    source: &mut dyn Read,
    buffer: &mut Vec<u8>,
    held: &mut Vec<u8>,
    size: usize,
) -> io::Result<()> {
    let mut filled = held.len();
    if buffer.len() < filled {
        buffer.resize(filled, 0);
    }
    buffer[..filled].copy_from_slice(held);
    held.clear();
    loop {
        if filled >= buffer.len().min(size) {
            if filled >= size {
                break;
            }
            // A mail of ten kilobytes does not deserve a mebibyte of zeros.
            buffer.resize((2 * filled).clamp(FIRST_READ, size.max(FIRST_READ)), 0);
        }
        let end = buffer.len().min(size);
        match source.read(&mut buffer[filled..end]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    buffer.truncate(filled);
    Ok(())
}

fn truncated() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Lays plaintext out in batches and hands each full one to `emit`, which returns a buffer to go on with.
pub struct BatchWriter<F> {
    emit: F,
    chunk_size: usize,
    batch: Batch,
    /// Plaintext bytes in the chunk that is being filled.
    in_chunk: usize,
}

impl<F: FnMut(Batch) -> io::Result<Vec<u8>>> BatchWriter<F> {
    /// Starts with chunk 0.
    pub fn new(chunk_size: usize, emit: F) -> Self {
        Self { emit, chunk_size, batch: Batch::default(), in_chunk: 0 }
    }

    fn end_chunk(&mut self) {
        if self.in_chunk > 0 {
            let end = self.batch.bytes.len() + TAG_SIZE;
            self.batch.bytes.resize(end, 0);
            self.in_chunk = 0;
        }
    }

    /// Emits the last batch.
    pub fn finish(mut self) -> io::Result<()> {
        self.end_chunk();
        self.batch.final_tag = Some([0; TAG_SIZE]);
        (self.emit)(self.batch).map(drop)
    }
}

impl<F: FnMut(Batch) -> io::Result<Vec<u8>>> Write for BatchWriter<F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A full batch leaves only when more comes, so that the last one is never empty.
        if !data.is_empty() && self.batch.bytes.len() == batch_stride(self.chunk_size) {
            let next_index = self.batch.next_index(self.chunk_size);
            let mut bytes = (self.emit)(std::mem::take(&mut self.batch))?;
            bytes.clear();
            self.batch = Batch { first_index: next_index, bytes, final_tag: None };
        }
        let n = data.len().min(self.chunk_size - self.in_chunk);
        self.batch.bytes.extend_from_slice(&data[..n]);
        self.in_chunk += n;
        if self.in_chunk == self.chunk_size {
            self.end_chunk();
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opened bytes, with gaps where the tags were.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) bytes: Vec<u8>,
    /// First plaintext byte.
    pub(super) start: usize,
    /// End of the last chunk's plaintext.
    pub(super) end: usize,
    /// Plaintext bytes per chunk.
    pub(super) chunk_size: usize,
    /// From one chunk's beginning to the next.
    pub(super) stride: usize,
}

/// Reads plaintext out of opened batches, in their memory.
pub(super) struct OpenedReader<F> {
    next: F,
    now: Opened,
    ended: bool,
    /// Damage was found. What comes behind it is never read, let alone taken for the end.
    damaged: bool,
}

impl<F: FnMut(Vec<u8>) -> io::Result<Option<Opened>>> OpenedReader<F> {
    /// `next` takes the buffer of the batch before and says `None` once everything was found to be authentic.
    pub(super) fn new(next: F) -> Self {
        Self {
            next,
            now: Opened { chunk_size: 1, stride: 1, ..Opened::default() },
            ended: false,
            damaged: false,
        }
    }

    /// Was the end reached, and thereby everything authenticated?
    pub(super) fn ended(&self) -> bool {
        self.ended
    }
}

impl<F: FnMut(Vec<u8>) -> io::Result<Option<Opened>>> BufRead for OpenedReader<F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.damaged {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while !self.ended {
            let in_stride = self.now.start % self.now.stride;
            if in_stride >= self.now.chunk_size {
                self.now.start += self.now.stride - in_stride;
            }
            if self.now.start < self.now.end {
                break;
            }
            match (self.next)(std::mem::take(&mut self.now.bytes)) {
                Ok(Some(opened)) => self.now = opened,
                Ok(None) => self.ended = true,
                Err(e) => {
                    self.damaged = true;
                    return Err(e);
                }
            }
        }
        if self.ended {
            return Ok(&[]);
        }
        let in_stride = self.now.start % self.now.stride;
        let end = (self.now.start - in_stride).saturating_add(self.now.chunk_size).min(self.now.end);
        Ok(&self.now.bytes[self.now.start..end])
    }

    fn consume(&mut self, amount: usize) {
        self.now.start += amount;
    }
}

impl<F: FnMut(Vec<u8>) -> io::Result<Option<Opened>>> Read for OpenedReader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}
