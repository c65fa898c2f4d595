// SPDX-License-Identifier: LGPL-2.0-or-later
//! `--as=text` promises UTF-8, and the promise is checked while the data goes by.

use std::io::{self, Read};

/// Passes everything on; ends in [`io::ErrorKind::InvalidData`] at the first byte that is not UTF-8.
pub(super) struct Utf8<R> {
    inner: R,
    /// A character that the last read cut in two.
    pending: Vec<u8>,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, pending: Vec::new() }
    }

    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        self.pending = match std::str::from_utf8(&self.pending) {
            Ok(_) => Vec::new(),
            // No length: not wrong yet, only unfinished.
            Err(error) if error.error_len().is_none() => self.pending[error.valid_up_to()..].to_vec(),
            Err(_) => return Err(not_text()),
        };
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if length == 0 && !buffer.is_empty() && !self.pending.is_empty() {
            return Err(not_text());
        }
        self.check(&buffer[..length])?;
        Ok(length)
    }
}

fn not_text() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not UTF-8 text; use --as=binary")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(1);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Utf8::new(Trickle(bytes)).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn characters_may_be_cut_anywhere_but_at_the_end() {
        let text = "Grüße, 日本, 🏔";
        assert_eq!(read(text.as_bytes()).unwrap(), text.as_bytes());
        assert!(read(&text.as_bytes()[..text.len() - 1]).is_err());
        assert!(read(b"caf\xe9 au lait").is_err());
        assert!(read(b"").unwrap().is_empty());
    }
}
