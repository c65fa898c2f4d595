// SPDX-License-Identifier: LGPL-2.0-or-later
//! The file: sealed in chunks, so that it is written and read in little memory.
//!
//! ```text
//! "PLOMBE-BACKUP-1\n" ‖ u32be |H| ‖ H ‖ salt (32) ‖ u16be |W| ‖ W ‖ chunks ‖ SHA-256 of all before it
//!
//! H = header, JSON
//! W = a random key, wrapped by the root key for fields("plombe keystore backup key v1")
//! chunk key = HKDF-SHA256(ikm = that key, salt, info = fields("plombe keystore backup v1", H)), 32 bytes
//! chunk i   = AES-256-GCM(chunk key, nonce = 0 (3) ‖ i u64be ‖ last (1), 65,536 bytes of the content; the last one may be shorter)
//! ```
//!
//! Chunks can be neither swapped nor dropped, since their number is in the nonce, nor cut off, since the last one says that it is. The
//! checksum tells damage from a wrong root key before anything is opened; it proves nothing, the chunks' tags do.

use std::io::{self, Read, Write};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use plombe_core::{keystore::fields, secret::ResidentKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::BackupError;
use crate::{fresh, root_key::RootKey};

const MAGIC: &[u8; 16] = b"PLOMBE-BACKUP-1\n";
const SALT_LEN: usize = 32;
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
const CHECKSUM: u64 = 32;
/// A checkpoint has at most 256 KiB.
const LONGEST_HEADER: usize = 512 << 10;

/// What anybody may read in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Form of the rows: 1.
    pub tables: u32,
    /// Version of the program.
    pub program: String,
    /// When it was made, seconds since 1970.
    pub made: u64,
    /// Which root key opens it.
    pub root: String,
    /// The log's newest checkpoint in it.
    pub checkpoint: String,
}

impl Header {
    /// Reads it at the beginning of a backup, without a key. Nothing proves it: anybody can write one.
    ///
    /// # Errors
    /// `NotABackup`.
    pub fn read(mut file: impl Read) -> Result<Self, BackupError> {
        read_header(&mut file).map(|(header, _)| header)
    }
}

/// With its own bytes, which the key hangs on.
fn read_header(file: &mut impl Read) -> Result<(Header, Vec<u8>), BackupError> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if magic != *MAGIC || length > LONGEST_HEADER {
        return Err(BackupError::NotABackup);
    }
    let mut json = vec![0; length];
    file.read_exact(&mut json)?;
    let header = serde_json::from_slice(&json).map_err(|_| BackupError::NotABackup)?;
    Ok((header, json))
}

fn wrapping_purpose() -> Vec<u8> {
    fields(&[b"plombe keystore backup key v1"])
}

fn chunk_key(key: &ResidentKey, salt: &[u8], header: &[u8]) -> LessSafeKey {
    let info = fields(&[b"plombe keystore backup v1", header]);
    let prk = key.with(|key| Salt::new(HKDF_SHA256, salt).extract(key));
    let info = [&info[..]];
    let okm = prk.expand(&info, &AES_256_GCM).expect("32 bytes are within HKDF's limit");
    LessSafeKey::new(UnboundKey::from(okm))
}

fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

/// Passes bytes on and hashes them.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Write> Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }
}

/// Writes an archive.
pub struct Sealer<W: Write> {
    out: Hashing<W>,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be written, or the root key's holder fails.
    pub fn begin(out: W, root: &dyn RootKey, header: &Header) -> Result<Self, BackupError> {
        let header = serde_json::to_vec(header).expect("a header has a JSON form");
        let (key, salt) = (ResidentKey::generate(), fresh::random::<SALT_LEN>());
        let wrapped = key.with(|key| root.wrap(&wrapping_purpose(), key))?;
        let mut out = Hashing { inner: out, hash: Sha256::new() };
        let length = u32::try_from(header.len()).expect("a header is short");
        let wrapped_length = u16::try_from(wrapped.len()).expect("a wrapped key is short");
        for part in [
            &MAGIC[..],
            &length.to_be_bytes(),
            &header,
            salt.as_slice(),
            &wrapped_length.to_be_bytes(),
            &wrapped,
        ] {
            out.write(part)?;
        }
        let key = chunk_key(&key, salt.as_slice(), &header);
        Ok(Self { out, key, number: 0, chunk: Vec::with_capacity(CHUNK + TAG) })
    }

    /// Adds to the content.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, mut content: &[u8]) -> io::Result<()> {
        while !content.is_empty() {
            if self.chunk.len() == CHUNK {
                self.seal_chunk(false)?;
            }
            let (now, later) = content.split_at(content.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            content = later;
        }
        Ok(())
    }

    fn seal_chunk(&mut self, is_last: bool) -> io::Result<()> {
        self.key
            .seal_in_place_append_tag(nonce(self.number, is_last), Aad::empty(), &mut self.chunk)
            .expect("a chunk is far below GCM's limit");
        self.number += 1;
        self.out.write(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    /// Ends it, and gives what it was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_chunk(true)?;
        let Hashing { mut inner, hash } = self.out;
        inner.write_all(&hash.finalize())?;
        Ok(inner)
    }
}

/// Is this a whole backup? Reads all of it and no secret.
///
/// # Errors
/// `NotABackup` and `Damaged`.
pub fn check(mut file: impl Read, length: u64) -> Result<(), BackupError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut begins = Vec::new();
    let mut left = length.checked_sub(CHECKSUM).ok_or(BackupError::NotABackup)?;
    while left > 0 {
        let some = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        file.read_exact(&mut buffer[..some])?;
        if begins.is_empty() {
            begins.extend_from_slice(&buffer[..some.min(MAGIC.len())]);
        }
        hash.update(&buffer[..some]);
        left -= some as u64;
    }
    if begins != MAGIC {
        return Err(BackupError::NotABackup);
    }
    let mut checksum = [0; CHECKSUM as usize];
    file.read_exact(&mut checksum)?;
    if checksum[..] == hash.finalize()[..] { Ok(()) } else { Err(BackupError::Damaged) }
}

/// Reads an archive. What [`Read`] gives is authentic; whether it is all shows at its end, where it fails when something is missing.
pub struct Opener<R: Read> {
    file: R,
    header: Header,
    key: LessSafeKey,
    number: u64,
    /// Bytes of chunks that were not read yet.
    left: u64,
    chunk: Vec<u8>,
    /// What of the chunk was given away.
    given: usize,
}

impl<R: Read> Opener<R> {
    /// Reads the header. `length` is the whole file's.
    ///
    /// # Errors
    /// `NotABackup`, `OtherRoot`, `Damaged`.
    pub fn open(mut file: R, length: u64, root: &dyn RootKey) -> Result<Self, BackupError> {
        let (header, json) = read_header(&mut file)?;
        let (mut salt, mut length_of_key) = ([0; SALT_LEN], [0; 2]);
        file.read_exact(&mut salt)?;
        file.read_exact(&mut length_of_key)?;
        let mut wrapped = vec![0; usize::from(u16::from_be_bytes(length_of_key))];
        file.read_exact(&mut wrapped)?;
        let before = MAGIC.len() + 4 + json.len() + SALT_LEN + 2 + wrapped.len();
        let left = length.checked_sub(before as u64 + CHECKSUM).ok_or(BackupError::Damaged)?;
        if header.root != root.id() {
            return Err(BackupError::OtherRoot(header.root));
        }
        let key = root.unwrap(&wrapping_purpose(), &wrapped).map_err(|_| BackupError::Damaged)?;
        let key = chunk_key(&key, &salt, &json);
        Ok(Self { file, header, key, number: 0, left, chunk: Vec::new(), given: 0 })
    }

    /// What it says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Opens the next chunk; false when there is none.
    fn next_chunk(&mut self) -> io::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        let length = usize::try_from(self.left).map_or(CHUNK + TAG, |left| left.min(CHUNK + TAG));
        self.left -= length as u64;
        self.chunk.resize(length, 0);
        self.file.read_exact(&mut self.chunk)?;
        let damaged = |_| io::Error::from(io::ErrorKind::InvalidData);
        let nonce = nonce(self.number, self.left == 0);
        let plain = self.key.open_in_place(nonce, Aad::empty(), &mut self.chunk).map_err(damaged)?.len();
        self.chunk.truncate(plain);
        (self.number, self.given) = (self.number + 1, 0);
        Ok(true)
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            if !self.next_chunk()? {
                return Ok(0);
            }
        }
        let some = out.len().min(self.chunk.len() - self.given);
        out[..some].copy_from_slice(&self.chunk[self.given..self.given + some]);
        self.given += some;
        Ok(some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::FileRootKey;

    fn root() -> (tempfile::TempDir, FileRootKey) {
        let folder = tempfile::tempdir().unwrap();
        let root = FileRootKey::create(&folder.path().join("root.key")).unwrap();
        (folder, root)
    }

    fn sealed(root: &dyn RootKey, content: &[u8]) -> Vec<u8> {
        let header = Header {
            tables: 1,
            program: "0".into(),
            made: 1_800_000_000,
            root: root.id(),
            checkpoint: "a note".into(),
        };
        let mut sealer = Sealer::begin(Vec::new(), root, &header).unwrap();
        content.chunks(1000).for_each(|some| sealer.write(some).unwrap());
        sealer.finish().unwrap()
    }

    fn opened(file: &[u8], root: &dyn RootKey) -> Result<Vec<u8>, BackupError> {
        let mut content = Vec::new();
        Opener::open(file, file.len() as u64, root)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_is_sealed_opens_whatever_its_length() {
        let (_folder, root) = root();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let file = sealed(&root, &content);
            check(&file[..], file.len() as u64).unwrap();
            assert!(opened(&file, &root).unwrap() == content, "{length} bytes");
        }
    }

    #[test]
    fn a_changed_byte_anywhere_or_a_missing_end_is_refused() {
        let (_folder, root) = root();
        let file = sealed(&root, &[7; 2 * CHUNK + 5]);
        for at in (0..file.len() - 32).step_by(997).chain([0, 20, file.len() - 33]) {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(check(&damaged[..], damaged.len() as u64).is_err(), "byte {at}");
            assert!(opened(&damaged, &root).is_err(), "byte {at}");
        }
        // Cut where a chunk ends, too.
        let before = file.len() - 32 - (2 * CHUNK + 5 + 3 * TAG);
        for length in [before + CHUNK + TAG + 32, before + 2 * (CHUNK + TAG) + 32, file.len() - 1, before, 40]
        {
            assert!(check(&file[..length], length as u64).is_err(), "{length} bytes");
            assert!(opened(&file[..length], &root).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn another_root_key_is_called_one() {
        let ((_one, root), (_two, other)) = (self::root(), self::root());
        let file = sealed(&root, b"content");
        assert!(matches!(opened(&file, &other), Err(BackupError::OtherRoot(id)) if id == root.id()));
    }
}
