// SPDX-License-Identifier: LGPL-2.0-or-later
//! The bulk cipher's work handed out: for hosts that cannot implement a synchronous trait.

use std::io::{self, Write};

use super::{
    AeadTask, CfbTask, Consume, PayloadError, Schedule, V1Key, chunks::OpenedReader, schedule::TAG_SIZE,
    streams::consume_all, v1::MDC_HEADER,
};

/// The body of one container, in memory as a whole, that still has to go through the bulk cipher.
///
/// What is half done can neither be sent nor read.
pub enum Task {
    /// SEIPDv2.
    Aead(AeadTask),
    /// SEIPDv1.
    Cfb(CfbTask),
}

impl Task {
    /// Does all of it here, on this build's own cipher.
    pub fn run(&mut self) -> Result<(), PayloadError> {
        match self {
            Self::Aead(task) => task.run(),
            Self::Cfb(task) if task.is_sealing() => task.digest().and_then(|()| task.seal()),
            Self::Cfb(task) => task.decrypt().and_then(|()| task.digest()),
        }
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Aead(task) => task.size(),
            Self::Cfb(task) => task.size(),
        }
    }

    /// The body behind the clear header, once it is sealed.
    pub(crate) fn sealed(&self) -> Result<&[u8], PayloadError> {
        match self {
            Self::Aead(task) => task.sealed(),
            Self::Cfb(task) => task.sealed(),
        }
    }

    /// Lets `consume` read the plaintext, once it is authentic.
    pub(crate) fn consume(self, consume: Consume<'_>) -> Result<(), PayloadError> {
        let mut opened = Some(match self {
            Self::Aead(task) => task.into_opened()?,
            Self::Cfb(task) => task.into_opened()?,
        });
        consume_all(&mut OpenedReader::new(|_| Ok(opened.take())), consume)
    }
}

/// Lays plaintext out for a [`Task`].
pub(crate) enum Layout {
    Aead { schedule: Schedule, bytes: Vec<u8>, in_chunk: usize },
    Cfb { key: V1Key, bytes: Vec<u8> },
}

impl Layout {
    /// `size` is how much will come, roughly.
    pub(crate) fn aead(schedule: Schedule, size: usize) -> Self {
        let tags = (size / schedule.chunk_size() + 2) * TAG_SIZE;
        Self::Aead { schedule, bytes: Vec::with_capacity(size + tags), in_chunk: 0 }
    }

    pub(crate) fn cfb(key: V1Key, size: usize) -> Result<Self, PayloadError> {
        let mut bytes = Vec::with_capacity(size + key.prefix_size() + 22);
        bytes.extend(key.generate_prefix()?);
        Ok(Self::Cfb { key, bytes })
    }

    pub(crate) fn finish(self) -> Result<Task, PayloadError> {
        match self {
            Self::Aead { schedule, mut bytes, in_chunk } => {
                let last = if in_chunk > 0 { TAG_SIZE } else { 0 };
                bytes.resize(bytes.len() + last + TAG_SIZE, 0);
                AeadTask::new(schedule, bytes, true).map(Task::Aead)
            }
            Self::Cfb { key, mut bytes } => {
                bytes.extend_from_slice(&MDC_HEADER);
                CfbTask::new(key, bytes, true).map(Task::Cfb)
            }
        }
    }
}

impl Write for Layout {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Cfb { bytes, .. } => {
                bytes.extend_from_slice(data);
                Ok(data.len())
            }
            Self::Aead { schedule, bytes, in_chunk } => {
                let n = data.len().min(schedule.chunk_size() - *in_chunk);
                bytes.extend_from_slice(&data[..n]);
                *in_chunk += n;
                if *in_chunk == schedule.chunk_size() {
                    bytes.resize(bytes.len() + TAG_SIZE, 0);
                    *in_chunk = 0;
                }
                Ok(n)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
