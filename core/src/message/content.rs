// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is inside a container: the grammar of RFC 9580 section 10.3, read as a stream.
//!
//! ```text
//! content  := marker* ( compressed(content) | signed | literal ) padding*
//! signed   := one-pass-signature* literal signature*  |  signature+ literal
//! ```
//! Everything else is refused: encryption inside encryption, bytes after the literal, a one-pass signature without
//! its signature. Signatures over compressed data are refused too, since nobody agrees on what they cover.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read, Write},
    rc::Rc,
};

use sequoia_openpgp::{
    Packet,
    crypto::hash::Context,
    packet::{OnePassSig, Signature},
    parse::Parse,
    serialize::Serialize,
    types::{HashAlgorithm, SignatureType},
};

use super::{
    Limits, OpenError,
    framing::{Body, Header, Length, tag},
    hashing::{DocumentHash, document_mode},
    input::source_failure,
};

/// More than any mail carries; each costs a hash over the whole content.
pub(super) const MOST_SIGNATURES: usize = 32;

/// Largest signature packet: a post-quantum one with room for subpackets.
pub(super) const LARGEST_SIGNATURE: usize = 1 << 17;

/// What was found. The literal's bytes went to the caller's writer meanwhile.
pub(crate) struct Content {
    /// In the order in which they were announced.
    pub(crate) signatures: Vec<Signed>,
    /// From the literal packet. No signature covers it.
    pub(crate) name: Vec<u8>,
    /// Bytes of content.
    pub(crate) length: u64,
    /// SHA-256 of the content, if it was asked for.
    pub(crate) sha256: Option<Vec<u8>>,
}

/// A signature with the state of its hash after the content; `None` when it cannot be computed here.
pub(crate) struct Signed {
    pub(crate) signature: Option<Signature>,
    pub(crate) hash: Option<DocumentHash>,
}

impl Content {
    /// The signature packets, as they would stand in a detached signature.
    pub(crate) fn detached_signatures(self) -> io::Result<Vec<u8>> {
        let mut packets = Vec::new();
        for signature in self.signatures.into_iter().filter_map(|signed| signed.signature) {
            Packet::from(signature).serialize(&mut packets).map_err(io::Error::other)?;
        }
        Ok(packets)
    }
}

/// Reads one OpenPGP message without encryption, to the end of `input`.
pub(crate) fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    hash_content: bool,
    writer: &mut dyn Write,
) -> Result<Content, OpenError> {
    let mut reader = ContentReader {
        limits,
        writer,
        announced: Vec::new(),
        hashes: Vec::new(),
        sha256: hash_content.then(sha256_context),
        name: Vec::new(),
        length: 0,
        compressed: Rc::default(),
    };
    let signatures = reader.message(input, 0)?;
    Ok(Content {
        signatures,
        name: reader.name,
        length: reader.length,
        sha256: reader.sha256.map(|hash| hash.into_digest().expect("a hash that was just fed")),
    })
}

/// What stood before the content about a signature over it.
struct Announced {
    /// The signature itself, in the form `signature+ literal`.
    signature: Option<Signature>,
    /// Index into the running hashes; `None` when such a hash cannot be computed here.
    hash: Option<usize>,
}

struct ContentReader<'a> {
    limits: &'a Limits,
    writer: &'a mut dyn Write,
    announced: Vec<Announced>,
    hashes: Vec<DocumentHash>,
    sha256: Option<Context>,
    name: Vec<u8>,
    length: u64,
    /// Compressed bytes that were read in the outermost layer; all layers together are measured against them.
    compressed: Rc<Cell<u64>>,
}

impl ContentReader<'_> {
    fn message(&mut self, input: &mut dyn BufRead, depth: u8) -> Result<Vec<Signed>, OpenError> {
        loop {
            let Some(header) = Header::read(input).map_err(failed)? else {
                return Err(OpenError::Unreadable);
            };
            let mut body = Body::new(&mut *input, header.length);
            match header.tag {
                tag::MARKER | tag::PADDING => body.skip_rest().map_err(failed)?,
                other if other >= tag::FIRST_NON_CRITICAL => body.skip_rest().map_err(failed)?,
                tag::ONE_PASS_SIGNATURE => {
                    let bytes = body.read_rest(LARGEST_SIGNATURE).map_err(failed)?;
                    self.announce(&bytes)?;
                }
                tag::SIGNATURE => {
                    let bytes = body.read_rest(LARGEST_SIGNATURE).map_err(failed)?;
                    self.announce_with_signature(&bytes)?;
                }
                tag::COMPRESSED if self.announced.is_empty() => {
                    if depth >= self.limits.depth {
                        return Err(OpenError::TooDeep);
                    }
                    let signatures = self.compressed(body, depth)?;
                    end(input)?;
                    return Ok(signatures);
                }
                tag::LITERAL => {
                    self.literal(body)?;
                    let signatures = self.signatures(input)?;
                    end(input)?;
                    return Ok(signatures);
                }
                tag::PKESK | tag::SKESK | tag::SEIPD | tag::ENCRYPTED_UNPROTECTED | tag::LIBREPGP_AEAD => {
                    return Err(OpenError::Nested);
                }
                _ => return Err(OpenError::Unreadable),
            }
        }
    }

    fn announce(&mut self, packet: &[u8]) -> Result<(), OpenError> {
        // A version that nobody here knows still announces a signature packet, which will be as unknown.
        let hash = OnePassSig::from_bytes(packet).ok().and_then(|ops| {
            let signature_version = if ops.version() == 3 { 4 } else { ops.version() };
            self.hash_for(ops.hash_algo(), signature_version, ops.salt(), ops.typ())
        });
        self.push(Announced { signature: None, hash })
    }

    fn announce_with_signature(&mut self, packet: &[u8]) -> Result<(), OpenError> {
        // Without a one-pass packet, a signature that cannot be read leaves nothing to be judged.
        let Ok(signature) = Signature::from_bytes(packet) else { return Ok(()) };
        let hash =
            self.hash_for(signature.hash_algo(), signature.version(), salt(&signature), signature.typ());
        self.push(Announced { signature: Some(signature), hash })
    }

    fn push(&mut self, announced: Announced) -> Result<(), OpenError> {
        if self.announced.len() == MOST_SIGNATURES {
            return Err(OpenError::TooDeep);
        }
        self.announced.push(announced);
        Ok(())
    }

    fn hash_for(
        &mut self,
        algorithm: HashAlgorithm,
        version: u8,
        salt: Option<&[u8]>,
        signature_type: SignatureType,
    ) -> Option<usize> {
        let text = document_mode(signature_type)?;
        let salt = salt.unwrap_or_default();
        if let Some(known) = self.hashes.iter().position(|hash| hash.is_for(algorithm, salt, text)) {
            return Some(known);
        }
        self.hashes.push(DocumentHash::new(algorithm, version, salt, text)?);
        Some(self.hashes.len() - 1)
    }

    fn literal(&mut self, mut body: Body<impl BufRead>) -> Result<(), OpenError> {
        let mut fixed = [0; 2];
        body.read_exact(&mut fixed).map_err(failed)?;
        let mut name = vec![0; usize::from(fixed[1])];
        body.read_exact(&mut name).map_err(failed)?;
        body.read_exact(&mut [0; 4]).map_err(failed)?;
        self.name = name;
        loop {
            let data = body.fill_buf().map_err(failed)?;
            if data.is_empty() {
                return Ok(());
            }
            let n = data.len();
            for hash in &mut self.hashes {
                hash.update(data);
            }
            if let Some(hash) = &mut self.sha256 {
                hash.update(data);
            }
            self.writer.write_all(data).map_err(OpenError::Output)?;
            self.length += n as u64;
            body.consume(n);
        }
    }

    /// One signature packet for each that was announced and has none yet; the last announced comes first.
    fn signatures(&mut self, input: &mut dyn BufRead) -> Result<Vec<Signed>, OpenError> {
        let announced = std::mem::take(&mut self.announced);
        let mut signatures = Vec::with_capacity(announced.len());
        for announced in announced.into_iter().rev() {
            let hash = announced.hash.map(|index| self.hashes[index].clone());
            let signature = match announced.signature {
                Some(signature) => Some(signature),
                None => next_signature(input)?,
            };
            if let (Some(signature), Some(hash)) = (&signature, &hash) {
                // Announced as one thing, delivered as another.
                let text = document_mode(signature.typ()).ok_or(OpenError::Unreadable)?;
                if !hash.is_for(signature.hash_algo(), salt(signature).unwrap_or_default(), text) {
                    return Err(OpenError::Unreadable);
                }
            }
            signatures.push(Signed { signature, hash });
        }
        signatures.reverse();
        Ok(signatures)
    }

    fn compressed(&mut self, mut body: Body<impl BufRead>, depth: u8) -> Result<Vec<Signed>, OpenError> {
        let mut algorithm = [0];
        body.read_exact(&mut algorithm).map_err(failed)?;
        let count = if depth == 0 { Rc::clone(&self.compressed) } else { Rc::default() };
        let mut counted = Counted { reader: body, bytes: count };
        let signatures = match algorithm[0] {
            0 => {
                let signatures = self.message(&mut counted, depth + 1)?;
                end(&mut counted)?;
                signatures
            }
            1 => self.unpack(flate2::bufread::DeflateDecoder::new(&mut counted), depth)?,
            2 => self.unpack(flate2::bufread::ZlibDecoder::new(&mut counted), depth)?,
            3 => self.unpack(bzip2::bufread::BzDecoder::new(&mut counted), depth)?,
            other => return Err(OpenError::Unsupported(format!("compression algorithm {other}"))),
        };
        // Behind the end of a compressed stream the programs of Sequoia 1 (`sq` in Debian) put their padding, and no
        // program looks for anything else there. It was neither shown nor signed, and has to be there in the
        // message in full, so it costs no more than any other byte.
        io::copy(&mut counted, &mut io::sink()).map_err(failed)?;
        Ok(signatures)
    }

    fn unpack(&mut self, decoder: impl Read, depth: u8) -> Result<Vec<Signed>, OpenError> {
        let bounded =
            Bounded { decoder, compressed: Rc::clone(&self.compressed), limits: self.limits, produced: 0 };
        self.message(&mut BufReader::with_capacity(1 << 16, bounded), depth + 1)
    }
}

/// Only padding, markers and what must be ignored may follow; then the input ends.
fn end(input: &mut dyn BufRead) -> Result<(), OpenError> {
    while let Some(header) = Header::read(input).map_err(failed)? {
        let ignored =
            header.tag == tag::MARKER || header.tag == tag::PADDING || header.tag >= tag::FIRST_NON_CRITICAL;
        if !ignored || header.length == Length::Indeterminate {
            return Err(OpenError::Unreadable);
        }
        Body::new(&mut *input, header.length).skip_rest().map_err(failed)?;
    }
    Ok(())
}

/// `None` when the packet is a signature that cannot be read.
fn next_signature(input: &mut dyn BufRead) -> Result<Option<Signature>, OpenError> {
    let header = Header::read(input).map_err(failed)?.ok_or(OpenError::Unreadable)?;
    if header.tag != tag::SIGNATURE {
        return Err(OpenError::Unreadable);
    }
    let bytes = Body::new(&mut *input, header.length).read_rest(LARGEST_SIGNATURE).map_err(failed)?;
    Ok(Signature::from_bytes(&bytes).ok())
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    let mut hash = sha256_context();
    hash.update(bytes);
    hash.into_digest().expect("a hash that was just fed")
}

pub(crate) fn sha256_context() -> Context {
    HashAlgorithm::SHA256.context().expect("every backend has it").for_digest()
}

/// Salt of a version 6 signature.
pub(crate) fn salt(signature: &Signature) -> Option<&[u8]> {
    match signature {
        Signature::V6(s) => Some(s.salt()),
        _ => None,
    }
}

fn failed(error: io::Error) -> OpenError {
    if error.get_ref().is_some_and(|e| e.is::<Bomb>()) {
        return OpenError::TooLarge;
    }
    source_failure(error).map_or(OpenError::Unreadable, OpenError::Input)
}

/// Counts compressed bytes.
struct Counted<R> {
    reader: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.set(self.bytes.get() + amount as u64);
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(buffer.len());
        buffer[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// Stops a decompressor that yields out of proportion.
struct Bounded<'a, D> {
    decoder: D,
    compressed: Rc<Cell<u64>>,
    limits: &'a Limits,
    produced: u64,
}

impl<D: Read> Read for Bounded<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.produced += n as u64;
        let earned = self.compressed.get().saturating_mul(self.limits.compression_ratio);
        if self.produced > self.limits.compressed_free_bytes.saturating_add(earned) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Bomb));
        }
        Ok(n)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("decompression bomb")]
struct Bomb;
