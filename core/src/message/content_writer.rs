// SPDX-License-Identifier: LGPL-2.0-or-later
//! What goes inside a container: signatures around a literal, and padding behind them. Never compression, whose
//! length tells what was written.

use std::io::{self, Read, Write};

use sequoia_openpgp::crypto;

use super::{
    framing::{PartialBody, tag},
    literal,
    seal::{Padding, SealError},
    signing::Signatures,
};

const BUFFER_SIZE: usize = 1 << 18;

pub(super) fn write(
    sink: &mut dyn Write,
    plaintext: &mut (dyn Read + Send),
    mut signatures: Signatures<'_>,
    text: bool,
    padding: Padding,
) -> Result<(), SealError> {
    let mut sink = Counting { sink, bytes: 0 };
    signatures.announce(&mut sink).map_err(SealError::Output)?;
    let mut body = PartialBody::new(&mut sink, tag::LITERAL);
    body.write_all(&literal::fields(text)).map_err(SealError::Output)?;
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        let n = fill(plaintext, &mut buffer).map_err(SealError::Input)?;
        signatures.update(&buffer[..n]);
        body.write_all(&buffer[..n]).map_err(SealError::Output)?;
        if n < buffer.len() {
            break;
        }
    }
    body.finish().map_err(SealError::Output)?;
    signatures.finish(&mut sink)?;
    match padding {
        Padding::None => Ok(()),
        Padding::Padme => pad(&mut sink).map_err(SealError::Output),
    }
}

/// Reads until the buffer is full or the input ends: large parts need fewer headers and no copies.
fn fill(source: &mut (dyn Read + Send), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

struct Counting<'s> {
    sink: &'s mut dyn Write,
    bytes: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.sink.write(data)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Smallest packet: one octet of tag, one of length.
const LEAST_PACKET: u64 = 2;
/// From here on a packet has a five-octet length, so that every size can be reached.
const LONG_PACKET: u64 = 6;
/// Largest padding packet.
const MOST_PADDING: u64 = 1 << 30;

fn pad(sink: &mut Counting<'_>) -> io::Result<()> {
    let target = match padme(sink.bytes) {
        exact if exact == sink.bytes => return Ok(()),
        target if target - sink.bytes >= LEAST_PACKET => target,
        _ => padme(sink.bytes + LEAST_PACKET),
    };
    let mut block = vec![0; 1 << 16];
    while sink.bytes < target {
        let mut size = (target - sink.bytes).min(MOST_PADDING);
        if target - sink.bytes - size == 1 {
            size -= 1;
        }
        sink.write_all(&[0xc0 | tag::PADDING])?;
        let mut left = if size < LONG_PACKET {
            sink.write_all(&[(size - 2) as u8])?;
            size - 2
        } else {
            sink.write_all(&[255])?;
            sink.write_all(&((size - 6) as u32).to_be_bytes())?;
            size - 6
        };
        // Random, so that a compressing transport learns nothing (RFC 9580 section 5.14).
        while left > 0 {
            let n = left.min(block.len() as u64) as usize;
            crypto::random(&mut block[..n]).map_err(io::Error::other)?;
            sink.write_all(&block[..n])?;
            left -= n as u64;
        }
    }
    Ok(())
}

/// The next length that tells little (Padmé, PURBs paper section 4): only the leading bits may differ, so at most 12 %
/// are added and a length of L bytes tells log log L bits.
fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2().saturating_add(1);
    let mask = (1u64 << exponent.saturating_sub(kept)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padme_adds_at_most_an_eighth_and_keeps_few_lengths() {
        assert_eq!(padme(9), 10);
        let lengths: std::collections::BTreeSet<u64> = (2..100_000).map(padme).collect();
        assert!(lengths.len() < 200, "{}", lengths.len());
        for length in 2..100_000 {
            let padded = padme(length);
            assert!(padded >= length && padded as f64 <= length as f64 * 1.12 + 1.0, "{length} → {padded}");
            assert_eq!(padme(padded), padded);
        }
    }

    #[test]
    fn padding_reaches_exactly_a_padme_length() {
        for start in 40..5_000 {
            let mut bytes = vec![0; start];
            let mut sink = Counting { sink: &mut bytes, bytes: start as u64 };
            pad(&mut sink).unwrap();
            let written = sink.bytes;
            assert_eq!(written, padme(written), "from {start}");
            assert_eq!(bytes.len() as u64, written);
        }
    }
}
