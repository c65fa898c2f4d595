// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bytes across the border: JavaScript's arrays as streams, so that large ones are copied once.

use std::io::{self, Read, Write};

use js_sys::Uint8Array;
use plombe_core::message::Quarantine;
use send_wrapper::SendWrapper;

/// Reads out of an array of the caller's.
pub(crate) struct Source {
    array: SendWrapper<Uint8Array>,
    at: u32,
}

impl Source {
    pub(crate) fn new(array: &Uint8Array) -> Self {
        Self { array: SendWrapper::new(array.clone()), at: 0 }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.array.length().saturating_sub(self.at);
        let n = left.min(u32::try_from(buffer.len()).unwrap_or(u32::MAX));
        self.array.subarray(self.at, self.at + n).copy_to(&mut buffer[..n as usize]);
        self.at += n;
        Ok(n as usize)
    }
}

/// Writes into an array that nobody else has yet. Plaintext waits here for its verdict.
pub(crate) struct Sink {
    array: SendWrapper<Uint8Array>,
    length: u32,
}

impl Sink {
    /// `size` is how much will come, if it is known.
    pub(crate) fn new(size: usize) -> Self {
        let size = u32::try_from(size).unwrap_or(0);
        Self { array: SendWrapper::new(Uint8Array::new_with_length(size)), length: 0 }
    }

    /// What was written. Behind it in the array's buffer there may be a few zeros.
    pub(crate) fn into_array(self) -> Uint8Array {
        let spare = self.array.length() - self.length;
        match spare {
            0 => self.array.take(),
            few if few <= SPARE => self.array.subarray(0, self.length),
            _ => self.array.slice(0, self.length),
        }
    }
}

/// Not worth a copy of everything before it.
const SPARE: u32 = 1 << 16;

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let size = u32::try_from(data.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = self.length.checked_add(size).ok_or(io::ErrorKind::FileTooLarge)?;
        if end > self.array.length() {
            let larger = Uint8Array::new_with_length(end.max(self.array.length().saturating_mul(2)));
            larger.set(&self.array.subarray(0, self.length), 0);
            self.array = SendWrapper::new(larger);
        }
        self.array.subarray(self.length, end).copy_from(data);
        self.length = end;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Sink {
    type Released = Uint8Array;

    fn release(self) -> io::Result<Uint8Array> {
        Ok(self.into_array())
    }
}
