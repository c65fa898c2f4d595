// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher on Sequoia's backend-neutral interface: one thread, any backend, any target.

use std::{
    io::{self, Read, Write},
    sync::Mutex,
};

use sequoia_openpgp::{
    crypto::{
        hash,
        symmetric::{BlockCipherMode, Decryptor, Encryptor, PaddingMode, UnpaddingMode},
    },
    parse::buffered_reader,
    types::HashAlgorithm,
};

use super::{
    super::framing::{damaged, sink_failure},
    BulkCipher, Consume, PayloadError, Produce, Schedule, V1Key,
    chunks::{BATCH_SIZE, Batch, BatchReader, BatchWriter, Opened, OpenedReader, refill},
    schedule::TAG_SIZE,
    streams::{Sink, consume_all},
    v1::{MDC_HEADER, MDC_SIZE},
};

/// Runs everywhere, on one thread. Also what the other implementations are tested against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl BulkCipher for Portable {
    fn seal_v2(
        &self,
        schedule: &Schedule,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError> {
        check_supported(schedule)?;
        let mut sink = Sink::new(sink);
        let mut writer = BatchWriter::new(schedule.chunk_size(), |mut batch| {
            seal_batch(schedule, &mut batch)?;
            sink.write_all(&batch.bytes)?;
            Ok(batch.bytes)
        });
        let result = produce(&mut writer).and_then(|()| writer.finish());
        sink.conclude(result)
    }

    fn open_v2(
        &self,
        schedule: &Schedule,
        source: &mut (dyn Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError> {
        check_supported(schedule)?;
        let mut batches = BatchReader::new(source, schedule.chunk_size());
        let mut reader = OpenedReader::new(|buffer| match batches.next(buffer)? {
            Some(batch) => open_batch(schedule, batch).map(Some),
            None => Ok(None),
        });
        consume_all(&mut reader, consume)
    }

    fn seal_v1(
        &self,
        key: &V1Key,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError> {
        let unsupported = |_| PayloadError::Unsupported(key.cipher.to_string());
        let prefix = key.generate_prefix()?;
        let hash = sha1()?;
        let mut sink = Sink::new(sink);
        let result = {
            let cipher = Encryptor::new(
                key.cipher,
                BlockCipherMode::CFB,
                PaddingMode::None,
                &key.key,
                None,
                &mut sink,
            )
            .map_err(unsupported)?;
            let mut writer = HashingWriter { hash, inner: cipher };
            writer
                .write_all(&prefix)
                .and_then(|()| produce(&mut writer))
                .and_then(|()| writer.write_all(&MDC_HEADER))
                .and_then(|()| writer.finish())
        };
        sink.conclude(result)
    }

    fn open_v1(
        &self,
        key: &V1Key,
        source: &mut (dyn Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError> {
        let unsupported = |_| PayloadError::Unsupported(key.cipher.to_string());
        let source =
            buffered_reader::Generic::with_cookie(Shared(Mutex::new(source)), None, Default::default());
        let mut plain =
            Decryptor::new(key.cipher, BlockCipherMode::CFB, UnpaddingMode::None, &key.key, None, source)
                .map_err(unsupported)?;
        let mut hash = Some(sha1()?);
        let mut start = key.prefix_size();
        let mut held = Vec::new();
        let mut reader = OpenedReader::new(|mut buffer| {
            let Some(mut running) = hash.take() else { return Ok(None) };
            let size = BATCH_SIZE + MDC_SIZE;
            refill(&mut plain, &mut buffer, &mut held, size)?;
            let last = buffer.len() < size;
            let end = buffer.len().checked_sub(MDC_SIZE).ok_or_else(damaged)?;
            if start > end {
                return Err(damaged());
            }
            running.update(&buffer[..end]);
            if last {
                running.update(&MDC_HEADER);
                check_mdc(&running.into_digest().map_err(io::Error::other)?, &buffer[end..])?;
            } else {
                held.extend_from_slice(&buffer[end..]);
                hash = Some(running);
            }
            let opened = Opened {
                start: std::mem::take(&mut start),
                end,
                chunk_size: usize::MAX,
                stride: usize::MAX,
                bytes: buffer,
            };
            Ok(Some(opened))
        });
        consume_all(&mut reader, consume)
    }
}

pub(super) fn check_mdc(digest: &[u8], packet: &[u8]) -> io::Result<()> {
    // Both are the sender's to choose; a comparison that takes longer tells nobody anything, but costs nothing either.
    let difference = packet[MDC_HEADER.len()..].iter().zip(digest).fold(0, |acc, (a, b)| acc | (a ^ b));
    if packet[..MDC_HEADER.len()] == MDC_HEADER && difference == 0 { Ok(()) } else { Err(damaged()) }
}

pub(super) fn sha1() -> Result<hash::Context, PayloadError> {
    match HashAlgorithm::SHA1.context() {
        Ok(builder) => Ok(builder.for_digest()),
        Err(_) => Err(PayloadError::Unsupported("SHA-1".into())),
    }
}

pub(super) fn check_supported(schedule: &Schedule) -> Result<(), PayloadError> {
    let aead = schedule.aead().sequoia();
    match aead.context(schedule.cipher(), schedule.sequoia_key(), &[], &schedule.nonce(0)) {
        Ok(_) => Ok(()),
        Err(_) => Err(PayloadError::Unsupported(format!("{} with {aead}", schedule.cipher()))),
    }
}

fn seal_batch(schedule: &Schedule, batch: &mut Batch) -> io::Result<()> {
    let chunk_size = schedule.chunk_size();
    let (index, total) = (batch.next_index(chunk_size), batch.total(chunk_size));
    let mut plain = Vec::with_capacity(chunk_size);
    for (i, chunk) in batch.bytes.chunks_mut(chunk_size + TAG_SIZE).enumerate() {
        plain.clear();
        plain.extend_from_slice(&chunk[..chunk.len() - TAG_SIZE]);
        let nonce = schedule.nonce(batch.first_index + i as u64);
        seal_chunk(schedule, &nonce, &schedule.aad(), &plain, chunk)?;
    }
    if let Some(mut tag) = batch.final_tag {
        seal_chunk(schedule, &schedule.nonce(index), &schedule.final_aad(total), &[], &mut tag)?;
        batch.bytes.extend_from_slice(&tag);
    }
    Ok(())
}

fn open_batch(schedule: &Schedule, mut batch: Batch) -> io::Result<Opened> {
    let chunk_size = schedule.chunk_size();
    let (index, total) = (batch.next_index(chunk_size), batch.total(chunk_size));
    let mut sealed = Vec::with_capacity(chunk_size + TAG_SIZE);
    for (i, chunk) in batch.bytes.chunks_mut(chunk_size + TAG_SIZE).enumerate() {
        sealed.clear();
        sealed.extend_from_slice(chunk);
        let plain = chunk.len() - TAG_SIZE;
        let nonce = schedule.nonce(batch.first_index + i as u64);
        open_chunk(schedule, &nonce, &schedule.aad(), &sealed, &mut chunk[..plain])?;
    }
    if let Some(tag) = batch.final_tag {
        open_chunk(schedule, &schedule.nonce(index), &schedule.final_aad(total), &tag, &mut [])?;
    }
    let end = batch.bytes.len().saturating_sub(TAG_SIZE);
    Ok(Opened { start: 0, end, chunk_size, stride: chunk_size + TAG_SIZE, bytes: batch.bytes })
}

/// `plain` becomes `sealed`, which has room for the tag.
pub(super) fn seal_chunk(
    schedule: &Schedule,
    nonce: &[u8],
    aad: &[u8],
    plain: &[u8],
    sealed: &mut [u8],
) -> io::Result<()> {
    let aead = schedule.aead().sequoia();
    aead.context(schedule.cipher(), schedule.sequoia_key(), aad, nonce)
        .and_then(|context| context.for_encryption())
        .and_then(|mut context| context.encrypt_seal(sealed, plain))
        .map_err(io::Error::other)
}

/// The other way round; the tag is at the end of `sealed`.
pub(super) fn open_chunk(
    schedule: &Schedule,
    nonce: &[u8],
    aad: &[u8],
    sealed: &[u8],
    plain: &mut [u8],
) -> io::Result<()> {
    let aead = schedule.aead().sequoia();
    aead.context(schedule.cipher(), schedule.sequoia_key(), aad, nonce)
        .and_then(|context| context.for_decryption())
        .and_then(|mut context| context.decrypt_verify(plain, sealed))
        .map_err(|_| damaged())
}

struct HashingWriter<W> {
    hash: hash::Context,
    inner: W,
}

impl<W: Write> HashingWriter<Encryptor<W>> {
    fn finish(mut self) -> io::Result<()> {
        let mdc = self.hash.into_digest().map_err(io::Error::other)?;
        self.inner.write_all(&mdc)?;
        self.inner.finalize().map(drop).map_err(sink_failure)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.inner.write_all(data)?;
        self.hash.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Sequoia's readers want `Sync`, which a lock that is never contended gives.
struct Shared<'s>(Mutex<&'s mut (dyn Read + Send)>);

impl Read for Shared<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.get_mut().expect("never locked, so never poisoned").read(buffer)
    }
}
