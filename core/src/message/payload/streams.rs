// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whose fault it was: the sink's, the producer's or consumer's, or the bytes'.

use std::io::{self, Write};

use super::{
    Consume, PayloadError,
    chunks::{Opened, OpenedReader},
};

/// Lets `consume` read, tells its giving up apart from damage, and sees to it that it read to the end.
pub(super) fn consume_all<F>(reader: &mut OpenedReader<F>, consume: Consume<'_>) -> Result<(), PayloadError>
where
    F: FnMut(Vec<u8>) -> io::Result<Option<Opened>>,
{
    consume(reader).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData => PayloadError::Damaged,
        _ => PayloadError::Stopped(e),
    })?;
    // Only the end was authenticated.
    if reader.ended() { Ok(()) } else { Err(PayloadError::Damaged) }
}

/// A sink that remembers its own failure, so that it is not mistaken for the producer's.
pub(super) struct Sink<'s> {
    sink: &'s mut (dyn Write + Send),
    failed: Option<io::Error>,
}

impl<'s> Sink<'s> {
    pub(super) fn new(sink: &'s mut (dyn Write + Send)) -> Self {
        Self { sink, failed: None }
    }

    /// For failures on the way to the sink; the first counts.
    #[cfg(feature = "crypto-openssl")]
    pub(super) fn blame(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }

    pub(super) fn conclude(self, result: io::Result<()>) -> Result<(), PayloadError> {
        match (self.failed, result) {
            (Some(e), _) => Err(PayloadError::Sink(e)),
            (None, Err(e)) => Err(PayloadError::Stopped(e)),
            (None, Ok(())) => Ok(()),
        }
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.sink.write_all(data).map_err(|e| {
            let kind = e.kind();
            self.failed = Some(e);
            io::Error::from(kind)
        })?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
