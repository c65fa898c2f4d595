// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher on OpenSSL and all cores: reading, ciphers, hashing and writing overlap.
//!
//! A message that fits one batch never sees a thread. For larger ones about ten batches of a mebibyte are on the way at
//! any time. What OpenSSL lacks (EAX, ciphers other than AES) goes to [`Portable`].

mod aead;
mod cfb;
mod pipeline;

use std::{
    io::{self, Read, Write},
    sync::mpsc::Sender,
    thread::{self, Scope, ScopedJoinHandle},
};

use openssl::{
    error::ErrorStack,
    hash::{Hasher, MessageDigest},
};

use self::{
    aead::ChunkCipher,
    cfb::{CfbOpen, CfbSeal},
    pipeline::{Buffers, Deal, recycling, spread, stage, workers},
};
use super::{
    super::framing::damaged,
    BulkCipher, Consume, PayloadError, Portable, Produce, Schedule, V1Key,
    chunks::{Batch, BatchReader, BatchWriter, Opened, OpenedReader},
    streams::{Sink, consume_all},
    v1::{MDC_HEADER, MDC_SIZE, RUN_SIZE, Run, RunReader},
};

/// Uses OpenSSL directly, and threads for large messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl BulkCipher for Native {
    fn seal_v2(
        &self,
        schedule: &Schedule,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError> {
        let Some(cipher) = aead::cipher(schedule) else { return Portable.seal_v2(schedule, produce, sink) };
        let sealer = || ChunkCipher::for_sealing(schedule, cipher);
        thread::scope(|scope| {
            let mut writing = Writing::Inline(Sink::new(sink));
            let mut writer = BatchWriter::new(schedule.chunk_size(), |batch: Batch| {
                if let (Writing::Inline(sink), Some(_)) = (&mut writing, batch.final_tag) {
                    let sealed = sealer()?.seal(batch)?;
                    sink.write_all(&sealed.bytes)?;
                    return Ok(Vec::new());
                }
                writing.start(scope, |items| {
                    let (deal, sealed) = spread(scope, workers(), || with(sealer(), ChunkCipher::seal));
                    *items = Some(deal);
                    sealed.map(|batch| batch.map(|batch| batch.bytes))
                });
                writing.send(batch)
            });
            let result = produce(&mut writer).and_then(|()| writer.finish());
            writing.conclude(result)
        })
    }

    fn open_v2(
        &self,
        schedule: &Schedule,
        source: &mut (dyn Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError> {
        let Some(cipher) = aead::cipher(schedule) else { return Portable.open_v2(schedule, source, consume) };
        let opener = || ChunkCipher::for_opening(schedule, cipher);
        let mut batches = BatchReader::new(source, schedule.chunk_size());
        let first = batches.next(Vec::new()).map_err(stopped)?;
        if first.as_ref().is_none_or(|batch| batch.final_tag.is_some()) {
            let mut first = first;
            return read(|_| first.take().map(|batch| opener()?.open(batch)).transpose(), consume);
        }
        thread::scope(|scope| {
            let (back, buffers) = recycling();
            let (deal, mut opened) = spread(scope, workers(), || {
                let mut open = with(opener(), ChunkCipher::open);
                move |batch: io::Result<Batch>| batch.and_then(&mut open)
            });
            scope.spawn(move || feed(deal, first, || batches.next(buffers.next())));
            read(recycle(back, move || opened.next().transpose()), consume)
        })
    }

    fn seal_v1(
        &self,
        key: &V1Key,
        produce: Produce<'_>,
        sink: &mut (dyn Write + Send),
    ) -> Result<(), PayloadError> {
        let Some(modes) = cfb::modes(key) else { return Portable.seal_v1(key, produce, sink) };
        let prefix = key.generate_prefix()?;
        thread::scope(|scope| {
            let mut writing = Writing::Inline(Sink::new(sink));
            let sealer = || CfbSeal::new(key, &modes);
            let mut writer = RunWriter::new(|run: Run| {
                if let (Writing::Inline(sink), true) = (&mut writing, run.last) {
                    let mut hashed = Mdc::new()?.append(run)?;
                    sealer()?.seal(&mut hashed.bytes)?;
                    sink.write_all(&hashed.bytes)?;
                    return Ok(Vec::new());
                }
                writing.start(scope, |items| {
                    let (deal, hashed) = spread(scope, 1, || with(Mdc::new(), Mdc::append));
                    *items = Some(deal);
                    let mut sealer = sealer();
                    stage(scope, hashed, move |run: io::Result<Run>| {
                        let mut run = run?;
                        sealer.as_mut().map_err(|e| io::Error::other(e.clone()))?.seal(&mut run.bytes)?;
                        Ok(run.bytes)
                    })
                });
                writing.send(run)
            });
            let result =
                writer.write_all(&prefix).and_then(|()| produce(&mut writer)).and_then(|()| writer.finish());
            writing.conclude(result)
        })
    }

    fn open_v1(
        &self,
        key: &V1Key,
        source: &mut (dyn Read + Send),
        consume: Consume<'_>,
    ) -> Result<(), PayloadError> {
        let Some(modes) = cfb::modes(key) else { return Portable.open_v1(key, source, consume) };
        let opener = || with(CfbOpen::new(key, &modes), open_run);
        let prefix = key.prefix_size();
        let mut runs = RunReader::new(source);
        let first = runs.next(Vec::new()).map_err(stopped)?;
        if first.as_ref().is_none_or(|run| run.last) {
            let mut first = first;
            let mut check = with(Mdc::new(), move |mdc, run| mdc.check(run, prefix));
            return read(|_| first.take().map(|run| check(opener()(run)?)).transpose(), consume);
        }
        thread::scope(|scope| {
            let (back, buffers) = recycling();
            let (deal, opened) = spread(scope, workers(), || {
                let mut open = opener();
                move |run: io::Result<Run>| run.and_then(&mut open)
            });
            let mut check = with(Mdc::new(), move |mdc, run| mdc.check(run, prefix));
            let mut checked = stage(scope, opened, move |run: io::Result<Run>| run.and_then(&mut check));
            scope.spawn(move || feed(deal, first, || runs.next(buffers.next())));
            read(recycle(back, move || checked.next().transpose()), consume)
        })
    }
}

/// Work on a state that may have failed to come up; the failure is then the result.
fn with<S, T, U>(
    state: Result<S, ErrorStack>,
    mut work: impl FnMut(&mut S, T) -> io::Result<U>,
) -> impl FnMut(T) -> io::Result<U> {
    let mut state = state;
    move |item| match &mut state {
        Ok(state) => work(state, item),
        Err(e) => Err(io::Error::other(e.clone())),
    }
}

/// Reads ahead until the source ends, fails, or nobody listens.
fn feed<T>(mut deal: Deal<io::Result<T>>, first: Option<T>, mut next: impl FnMut() -> io::Result<Option<T>>) {
    let mut item = first.map(Ok);
    while let Some(now) = item {
        let failed = now.is_err();
        if !deal.send(now) || failed {
            return;
        }
        item = next().transpose();
    }
}

/// Sends each buffer back to where it can be filled again.
fn recycle(
    back: Sender<Vec<u8>>,
    mut next: impl FnMut() -> io::Result<Option<Opened>>,
) -> impl FnMut(Vec<u8>) -> io::Result<Option<Opened>> {
    move |buffer| {
        if buffer.capacity() > 0 {
            // The reader may have finished already.
            let _ = back.send(buffer);
        }
        next()
    }
}

fn read(
    next: impl FnMut(Vec<u8>) -> io::Result<Option<Opened>>,
    consume: Consume<'_>,
) -> Result<(), PayloadError> {
    consume_all(&mut OpenedReader::new(next), consume)
}

fn stopped(error: io::Error) -> PayloadError {
    match error.kind() {
        io::ErrorKind::InvalidData => PayloadError::Damaged,
        _ => PayloadError::Stopped(error),
    }
}

fn open_run(cipher: &mut CfbOpen, mut run: Run) -> io::Result<Run> {
    cipher.open(run.before, &mut run.bytes)?;
    Ok(run)
}

/// Where sealed bytes go: straight to the sink while there is only one batch, then through threads.
enum Writing<'scope, 's, T> {
    Inline(Sink<'s>),
    Threads {
        deal: Deal<T>,
        buffers: Buffers,
        writer: ScopedJoinHandle<'scope, Sink<'s>>,
    },
    /// Only while changing from one to the other.
    Moving,
}

impl<'scope, 's: 'scope, T: Send> Writing<'scope, 's, T> {
    /// Does nothing when the threads are there. `pipeline` hands out where items go in and returns what comes out.
    fn start<I>(&mut self, scope: &'scope Scope<'scope, '_>, pipeline: impl FnOnce(&mut Option<Deal<T>>) -> I)
    where
        I: Iterator<Item = io::Result<Vec<u8>>> + Send + 'scope,
    {
        *self = match std::mem::replace(self, Self::Moving) {
            Self::Inline(mut sink) => {
                let mut deal = None;
                let sealed = pipeline(&mut deal);
                let (back, buffers) = recycling();
                let writer = scope.spawn(move || {
                    for bytes in sealed {
                        match bytes.and_then(|bytes| sink.write_all(&bytes).map(|()| bytes)) {
                            Ok(bytes) => drop(back.send(bytes)),
                            Err(e) => {
                                sink.blame(e);
                                break;
                            }
                        }
                    }
                    sink
                });
                Self::Threads { deal: deal.expect("a pipeline has an entrance"), buffers, writer }
            }
            running => running,
        };
    }

    fn send(&mut self, item: T) -> io::Result<Vec<u8>> {
        if let Self::Threads { deal, buffers, .. } = self
            && deal.send(item)
        {
            return Ok(buffers.next());
        }
        // The writer's own error says why; it is asked in the end.
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn conclude(self, result: io::Result<()>) -> Result<(), PayloadError> {
        match self {
            Self::Inline(sink) => sink.conclude(result),
            Self::Threads { deal, writer, .. } => {
                drop(deal);
                writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).conclude(result)
            }
            Self::Moving => unreachable!("threads start within one call"),
        }
    }
}

/// Collects plaintext into runs of whole blocks.
struct RunWriter<F> {
    emit: F,
    bytes: Vec<u8>,
}

impl<F: FnMut(Run) -> io::Result<Vec<u8>>> RunWriter<F> {
    fn new(emit: F) -> Self {
        Self { emit, bytes: Vec::new() }
    }

    fn finish(mut self) -> io::Result<()> {
        (self.emit)(Run { bytes: self.bytes, last: true, ..Run::default() }).map(drop)
    }
}

impl<F: FnMut(Run) -> io::Result<Vec<u8>>> Write for RunWriter<F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if !data.is_empty() && self.bytes.len() == RUN_SIZE {
            let bytes = std::mem::take(&mut self.bytes);
            self.bytes = (self.emit)(Run { bytes, ..Run::default() })?;
            self.bytes.clear();
        }
        let n = data.len().min(RUN_SIZE - self.bytes.len());
        self.bytes.extend_from_slice(&data[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The running hash of the modification detection code. OpenSSL's SHA-1 is twice as fast as one that looks for
/// collisions, which nobody can aim at a hash that is encrypted along with what it covers.
struct Mdc {
    hash: Hasher,
    first: bool,
}

impl Mdc {
    fn new() -> Result<Self, ErrorStack> {
        Ok(Self { hash: Hasher::new(MessageDigest::sha1())?, first: true })
    }

    fn append(&mut self, mut run: Run) -> io::Result<Run> {
        if run.last {
            run.bytes.extend_from_slice(&MDC_HEADER);
        }
        self.hash.update(&run.bytes)?;
        if run.last {
            run.bytes.extend_from_slice(&self.hash.finish()?);
        }
        Ok(run)
    }

    fn check(&mut self, run: Run, prefix: usize) -> io::Result<Opened> {
        let start = if std::mem::take(&mut self.first) { prefix } else { 0 };
        let held = if run.last { MDC_SIZE } else { 0 };
        let end = run.bytes.len().checked_sub(held).filter(|end| start <= *end).ok_or_else(damaged)?;
        if run.last {
            let (covered, mdc) = run.bytes.split_at(end + MDC_HEADER.len());
            self.hash.update(covered)?;
            if !openssl::memcmp::eq(mdc, &self.hash.finish()?) || run.bytes[end..][..2] != MDC_HEADER {
                return Err(damaged());
            }
        } else {
            self.hash.update(&run.bytes)?;
        }
        Ok(Opened { start, end, chunk_size: usize::MAX, stride: usize::MAX, bytes: run.bytes })
    }
}
