// SPDX-License-Identifier: LGPL-2.0-or-later
//! A stranger's bytes: armored or not, with the failures of the source told apart from damage.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read},
};

use sequoia_openpgp::{armor, parse::buffered_reader::BufferedReader};

const BUFFER_SIZE: usize = 1 << 16;

/// Every line that OpenPGP armor may begin with begins so.
const ARMOR_START: &[u8] = b"-----BEGIN PGP ";
/// First line of the cleartext framework.
pub(crate) const CLEARTEXT_START: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// OpenPGP packets, with any armor taken off.
pub(crate) enum Input<'a> {
    Binary(BufReader<Raw<'a>>),
    Armored(BufReader<armor::Reader<'a>>),
}

/// The caller's reader, of which the first bytes were looked at.
pub(crate) type Raw<'a> = io::Chain<Cursor<Vec<u8>>, Source<'a>>;

/// The three kinds of input that a signed message may be in.
pub(crate) enum Kind<'a> {
    Packets(Box<Input<'a>>),
    /// The cleartext framework, from its first line on.
    Cleartext(Raw<'a>),
    Other,
}

impl<'a> Kind<'a> {
    /// Only white space may come before.
    pub(crate) fn of(reader: impl Read + Send + Sync + 'a) -> io::Result<Self> {
        let mut source = Source(Box::new(reader));
        let mut start = first_non_blank(&mut source)?;
        let Some(first) = start.first() else { return Ok(Self::Other) };
        if first & 0x80 != 0 {
            let raw = Cursor::new(start).chain(source);
            return Ok(Self::Packets(Box::new(Input::Binary(BufReader::with_capacity(BUFFER_SIZE, raw)))));
        }
        source.by_ref().take(CLEARTEXT_START.len() as u64 - 1).read_to_end(&mut start)?;
        if !start.starts_with(ARMOR_START) {
            return Ok(Self::Other);
        }
        let is_cleartext = start == CLEARTEXT_START;
        let raw = Cursor::new(start).chain(source);
        if is_cleartext {
            return Ok(Self::Cleartext(raw));
        }
        let armor = armor::Reader::from_reader(raw, armor::ReaderMode::Tolerant(None));
        let mut inside = BufReader::with_capacity(BUFFER_SIZE, armor);
        // Packets begin as they do without armor, and not with white space.
        match inside.fill_buf()?.first() {
            Some(first) if first & 0x80 == 0 => Ok(Self::Other),
            _ => Ok(Self::Packets(Box::new(Input::Armored(inside)))),
        }
    }
}

impl<'a> Input<'a> {
    /// `None` when this is neither armor nor a packet.
    pub(crate) fn open(reader: impl Read + Send + Sync + 'a) -> io::Result<Option<Self>> {
        match Kind::of(reader)? {
            Kind::Packets(input) => Ok(Some(*input)),
            Kind::Cleartext(_) | Kind::Other => Ok(None),
        }
    }

    pub(crate) fn is_armored(&self) -> bool {
        matches!(self, Self::Armored(_))
    }

    /// Is there nothing more? After armor, white space is nothing.
    pub(crate) fn at_end(self) -> io::Result<bool> {
        match self {
            Self::Binary(mut reader) => Ok(reader.fill_buf()?.is_empty()),
            Self::Armored(mut reader) => {
                if !reader.fill_buf()?.is_empty() {
                    return Ok(false);
                }
                let armor: Box<dyn BufferedReader<_>> = Box::new(reader.into_inner());
                let Some(mut rest) = armor.into_inner() else { return Ok(true) };
                loop {
                    let data = rest.data(1)?;
                    if data.is_empty() {
                        return Ok(true);
                    }
                    if !data.iter().all(u8::is_ascii_whitespace) {
                        return Ok(false);
                    }
                    let n = data.len();
                    rest.consume(n);
                }
            }
        }
    }
}

/// Skips white space and returns the first byte after it; empty at the end of the input.
fn first_non_blank(source: &mut Source<'_>) -> io::Result<Vec<u8>> {
    let mut byte = [0];
    loop {
        if source.read(&mut byte)? == 0 {
            return Ok(Vec::new());
        }
        if !byte[0].is_ascii_whitespace() {
            return Ok(byte.to_vec());
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Binary(reader) => reader.read(buffer),
            Self::Armored(reader) => reader.read(buffer),
        }
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Binary(reader) => reader.fill_buf(),
            Self::Armored(reader) => reader.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Binary(reader) => reader.consume(amount),
            Self::Armored(reader) => reader.consume(amount),
        }
    }
}

/// The caller's reader; marks its errors, so that a failing disk is not taken for a damaged message.
pub(crate) struct Source<'a>(Box<dyn Read + Send + Sync + 'a>);

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|e| io::Error::other(SourceFailure(e))),
            }
        }
    }
}

/// Wraps what the caller's reader said went wrong.
#[derive(Debug)]
struct SourceFailure(io::Error);

impl fmt::Display for SourceFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SourceFailure {}

/// The source's own error when `error` came from there, `None` when the bytes themselves are at fault.
pub(crate) fn source_failure(error: io::Error) -> Option<io::Error> {
    error.downcast::<SourceFailure>().ok().map(|failure| failure.0)
}
