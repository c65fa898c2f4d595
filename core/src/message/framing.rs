// SPDX-License-Identifier: LGPL-2.0-or-later
//! Packet framing: headers and body lengths (RFC 9580 section 4.2), read and written as streams.

use std::io::{self, BufRead, Read, Write};

/// Tags that messages are made of (RFC 9580 section 5).
pub(crate) mod tag {
    pub(crate) const PKESK: u8 = 1;
    pub(crate) const SIGNATURE: u8 = 2;
    pub(crate) const SKESK: u8 = 3;
    pub(crate) const ONE_PASS_SIGNATURE: u8 = 4;
    pub(crate) const COMPRESSED: u8 = 8;
    pub(crate) const ENCRYPTED_UNPROTECTED: u8 = 9;
    pub(crate) const MARKER: u8 = 10;
    pub(crate) const LITERAL: u8 = 11;
    pub(crate) const SEIPD: u8 = 18;
    /// GnuPG's own OCB container, which never became OpenPGP.
    pub(crate) const LIBREPGP_AEAD: u8 = 20;
    pub(crate) const PADDING: u8 = 21;
    /// From here on a reader must skip what it does not know.
    pub(crate) const FIRST_NON_CRITICAL: u8 = 40;
}

/// The first part of a partial body holds at least this much (RFC 9580 section 4.2.1.4).
const SMALLEST_FIRST_PART: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Definite(u64),
    /// This many bytes, then another length.
    Partial(u64),
    /// Legacy format: to the end of whatever surrounds the packet.
    Indeterminate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    pub(crate) length: Length,
}

impl Header {
    /// `None` at the end of the input.
    pub(crate) fn read(reader: &mut (impl BufRead + ?Sized)) -> io::Result<Option<Self>> {
        let Some(first) = next_byte(reader)? else { return Ok(None) };
        if first & 0x80 == 0 {
            return Err(damaged());
        }
        if first & 0x40 != 0 {
            let length = read_length(reader)?;
            return Ok(Some(Self { tag: first & 0x3f, length }));
        }
        let length = match first & 3 {
            0 => Length::Definite(read_be(reader, 1)?),
            1 => Length::Definite(read_be(reader, 2)?),
            2 => Length::Definite(read_be(reader, 4)?),
            _ => Length::Indeterminate,
        };
        Ok(Some(Self { tag: (first >> 2) & 0xf, length }))
    }
}

fn read_length(reader: &mut (impl BufRead + ?Sized)) -> io::Result<Length> {
    Ok(match read_be(reader, 1)? {
        short @ 0..192 => Length::Definite(short),
        high @ 192..224 => Length::Definite(((high - 192) << 8) + read_be(reader, 1)? + 192),
        part @ 224..255 => Length::Partial(1 << (part & 0x1f)),
        _ => Length::Definite(read_be(reader, 4)?),
    })
}

fn next_byte(reader: &mut (impl BufRead + ?Sized)) -> io::Result<Option<u8>> {
    let first = reader.fill_buf()?.first().copied();
    if first.is_some() {
        reader.consume(1);
    }
    Ok(first)
}

fn read_be(reader: &mut (impl BufRead + ?Sized), octets: usize) -> io::Result<u64> {
    let mut value = 0;
    for _ in 0..octets {
        value = value << 8 | u64::from(next_byte(reader)?.ok_or_else(damaged)?);
    }
    Ok(value)
}

/// Sequoia's writers wrap what the sink said.
pub(crate) fn sink_failure(error: sequoia_openpgp::anyhow::Error) -> io::Error {
    error.downcast().unwrap_or_else(io::Error::other)
}

/// What a parser says about bytes that no honest program wrote.
pub(crate) fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The body of one packet, whatever its length encoding. Ends where the packet ends; an early end of input is an error.
pub(crate) struct Body<R> {
    reader: R,
    /// What is left of the current part.
    left: u64,
    /// More parts follow.
    partial: bool,
    indeterminate: bool,
}

impl<R: BufRead> Body<R> {
    pub(crate) fn new(reader: R, length: Length) -> Self {
        let (left, partial, indeterminate) = match length {
            Length::Definite(n) => (n, false, false),
            Length::Partial(n) => (n, true, false),
            Length::Indeterminate => (0, false, true),
        };
        Self { reader, left, partial, indeterminate }
    }

    /// The rest of the body, which must not be longer than `limit`.
    pub(crate) fn read_rest(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        let limit = limit as u64;
        if self.by_ref().take(limit + 1).read_to_end(&mut rest)? as u64 > limit {
            return Err(damaged());
        }
        Ok(rest)
    }

    /// Reads to the end of the body, keeping nothing.
    pub(crate) fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let n = self.fill_buf()?.len();
            if n == 0 {
                return Ok(());
            }
            self.consume(n);
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.reader
    }

    pub(crate) fn get_ref(&self) -> &R {
        &self.reader
    }
}

impl<R: BufRead> BufRead for Body<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.indeterminate {
            return self.reader.fill_buf();
        }
        while self.left == 0 && self.partial {
            match read_length(&mut self.reader)? {
                Length::Definite(n) => (self.left, self.partial) = (n, false),
                Length::Partial(n) => self.left = n,
                Length::Indeterminate => return Err(damaged()),
            }
        }
        if self.left == 0 {
            return Ok(&[]);
        }
        let available = self.reader.fill_buf()?;
        if available.is_empty() {
            return Err(damaged());
        }
        let n = available.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        Ok(&available[..n])
    }

    fn consume(&mut self, amount: usize) {
        if !self.indeterminate {
            self.left -= amount as u64;
        }
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A large read goes past the buffer below, which would only copy.
        if self.left > 0 && buffer.len() as u64 > self.left.min(1 << 16) {
            let n = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let n = self.reader.read(&mut buffer[..n])?;
            if n == 0 {
                return Err(damaged());
            }
            self.left -= n as u64;
            return Ok(n);
        }
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// New-format length octets. Bodies above 4 GiB need partial lengths.
pub(crate) fn definite_length(length: u64) -> Vec<u8> {
    match length {
        0..192 => vec![length as u8],
        192..8384 => vec![((length - 192) >> 8) as u8 + 192, (length - 192) as u8],
        _ => [&[255], &(length as u32).to_be_bytes()[..]].concat(),
    }
}

/// Writes one packet of unknown length. What is written at once becomes one part each, as large as a power of two
/// allows, so large writes are not copied; small ones gather up first. A body that stays small gets a definite length.
pub(crate) struct PartialBody<W> {
    writer: W,
    tag: u8,
    started: bool,
    gathered: Vec<u8>,
}

impl<W: Write> PartialBody<W> {
    /// Bodies up to this are written with a definite length.
    const GATHER: usize = 1 << 16;

    pub(crate) fn new(writer: W, tag: u8) -> Self {
        Self { writer, tag, started: false, gathered: Vec::new() }
    }

    fn start(&mut self) -> io::Result<()> {
        if !self.started {
            self.writer.write_all(&[0xc0 | self.tag])?;
            self.started = true;
        }
        Ok(())
    }

    /// Writes `gathered` and `more` as parts; less than the smallest first part stays behind.
    fn write_parts(&mut self, mut more: &[u8]) -> io::Result<()> {
        self.start()?;
        loop {
            let available = self.gathered.len() + more.len();
            if available < SMALLEST_FIRST_PART {
                self.gathered.extend_from_slice(more);
                return Ok(());
            }
            let exponent = available.ilog2().min(30);
            let mut part = 1usize << exponent;
            self.writer.write_all(&[224 + exponent as u8])?;
            let from_gathered = part.min(self.gathered.len());
            self.writer.write_all(&self.gathered[..from_gathered])?;
            self.gathered.drain(..from_gathered);
            part -= from_gathered;
            self.writer.write_all(&more[..part])?;
            more = &more[part..];
        }
    }

    /// The last part, possibly empty, has a definite length.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.start()?;
        self.writer.write_all(&definite_length(self.gathered.len() as u64))?;
        self.writer.write_all(&self.gathered)?;
        Ok(self.writer)
    }
}

impl<W: Write> Write for PartialBody<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + data.len() <= Self::GATHER {
            self.gathered.extend_from_slice(data);
        } else {
            self.write_parts(data)?;
        }
        Ok(data.len())
    }

    /// Parts end where OpenPGP wants them to; there is nothing to force out.
    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_partial_body_reads_back(
            writes in prop::collection::vec(prop::sample::select(vec![0usize, 1, 511, 512, 513, 65_535, 65_536, 200_001]), 0..6),
        ) {
            let mut expected = Vec::new();
            let mut body = PartialBody::new(Vec::new(), tag::LITERAL);
            for (i, n) in writes.into_iter().enumerate() {
                let data = vec![i as u8; n];
                body.write_all(&data).unwrap();
                expected.extend(data);
            }
            let written = body.finish().unwrap();
            let mut reader = &written[..];
            let header = Header::read(&mut reader).unwrap().unwrap();
            prop_assert_eq!(header.tag, tag::LITERAL);
            if let Length::Partial(n) = header.length {
                prop_assert!(n >= 512);
            }
            let mut read = Vec::new();
            let mut body = Body::new(reader, header.length);
            body.read_to_end(&mut read).unwrap();
            prop_assert_eq!(read, expected);
            prop_assert!(body.into_inner().is_empty());
        }
    }

    #[test]
    fn every_length_encoding_is_read() {
        for (bytes, expected) in [
            (&[0xcb, 5][..], Length::Definite(5)),
            (&[0xcb, 192, 0], Length::Definite(192)),
            (&[0xcb, 223, 255], Length::Definite(8383)),
            (&[0xcb, 255, 0, 1, 0, 0], Length::Definite(65536)),
            (&[0xcb, 224 + 9], Length::Partial(512)),
            (&[0xac, 5], Length::Definite(5)),
            (&[0xad, 1, 0], Length::Definite(256)),
            (&[0xae, 0, 0, 0, 7], Length::Definite(7)),
            (&[0xaf], Length::Indeterminate),
        ] {
            let header = Header::read(&mut &bytes[..]).unwrap().unwrap();
            assert_eq!(header, Header { tag: tag::LITERAL, length: expected });
        }
        assert!(Header::read(&mut &[0x3fu8, 0][..]).is_err());
        assert!(Header::read(&mut &[][..]).unwrap().is_none());
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        for length in [Length::Definite(4), Length::Partial(4)] {
            let mut body = Body::new(&b"abc"[..], length);
            assert!(body.read_to_end(&mut Vec::new()).is_err());
        }
    }
}
