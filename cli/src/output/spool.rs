// SPDX-License-Identifier: LGPL-2.0-or-later
//! Holds plaintext back until its verdict is known: in memory while it is small, then in a nameless file under a
//! random key that exists in this process only.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize as _, Zeroizing};

/// More than this goes to disk; less is not worth a file.
const MEMORY_LIMIT: usize = 8 << 20;
/// Plaintext bytes per sealed chunk on disk.
const CHUNK: usize = 1 << 20;

/// Bytes in the order they were written.
pub(crate) struct Spool {
    /// Not yet sealed; everything, while it is small.
    memory: Zeroizing<Vec<u8>>,
    disk: Option<Disk>,
    /// Look for bytes that a terminal would obey?
    watch: bool,
    steers: bool,
}

impl Spool {
    /// `for_terminal`: remember whether anything was written that a terminal should not be sent.
    pub(crate) fn new(for_terminal: bool) -> io::Result<Self> {
        Ok(Self { memory: Zeroizing::default(), disk: None, watch: for_terminal, steers: false })
    }

    /// Was something written that steers a terminal or means nothing to it?
    pub(crate) fn steers_terminal(&self) -> bool {
        self.steers
    }

    /// Everything that was written.
    pub(crate) fn copy_to(mut self, target: &mut File) -> io::Result<()> {
        if let Some(mut disk) = self.disk.take() {
            disk.copy_to(target)?;
        }
        target.write_all(&self.memory)
    }

    fn spill(&mut self) -> io::Result<()> {
        let disk = match &mut self.disk {
            Some(disk) => disk,
            empty => empty.insert(Disk::new()?),
        };
        let whole = self.memory.len() - self.memory.len() % CHUNK;
        for chunk in self.memory[..whole].chunks(CHUNK) {
            disk.append(chunk)?;
        }
        self.memory.copy_within(whole.., 0);
        let rest = self.memory.len() - whole;
        self.memory.truncate(rest);
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.watch && !self.steers {
            self.steers = bytes.iter().any(|&b| (b < 0x20 && !b"\n\r\t".contains(&b)) || b == 0x7f);
        }
        // So that the buffer never moves once it is big: moving leaves copies of plaintext behind.
        if self.memory.len() + bytes.len() > self.memory.capacity() && self.memory.capacity() < MEMORY_LIMIT {
            let wanted =
                if bytes.len() > CHUNK { MEMORY_LIMIT } else { (self.memory.capacity() * 8).max(CHUNK) };
            let mut larger = Zeroizing::new(Vec::with_capacity(wanted.min(MEMORY_LIMIT)));
            larger.extend_from_slice(&self.memory);
            self.memory = larger;
        }
        let room = MEMORY_LIMIT - self.memory.len();
        let taken = bytes.len().min(room);
        self.memory.extend_from_slice(&bytes[..taken]);
        if self.memory.len() == MEMORY_LIMIT {
            self.spill()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Chunks of `CHUNK` bytes, each sealed with AES-256-GCM; the nonce is the chunk's number, the key is used once.
struct Disk {
    file: File,
    key: LessSafeKey,
    chunks: u64,
    buffer: Zeroizing<Vec<u8>>,
}

impl Disk {
    fn new() -> io::Result<Self> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| io::Error::other("no random bytes to be had"))?;
        let unbound = UnboundKey::new(&AES_256_GCM, &key);
        key.zeroize();
        let key = LessSafeKey::new(unbound.map_err(|_| io::Error::other("the spool's cipher is missing"))?);
        Ok(Self { file: tempfile::tempfile()?, key, chunks: 0, buffer: Zeroizing::default() })
    }

    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.extend_from_slice(chunk);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(self.chunks), Aad::empty(), &mut self.buffer)
            .map_err(|_| io::Error::other("the spool could not be sealed"))?;
        self.file.write_all(&self.buffer)?;
        self.file.write_all(tag.as_ref())?;
        self.chunks += 1;
        Ok(())
    }

    fn copy_to(&mut self, target: &mut File) -> io::Result<()> {
        self.file.rewind()?;
        self.buffer.resize(CHUNK + AES_256_GCM.tag_len(), 0);
        for number in 0..self.chunks {
            self.buffer.resize(CHUNK + AES_256_GCM.tag_len(), 0);
            self.file.read_exact(&mut self.buffer)?;
            let plain = self
                .key
                .open_in_place(nonce(number), Aad::empty(), &mut self.buffer)
                .map_err(|_| io::Error::other("the spool was changed by somebody else"))?;
            target.write_all(plain)?;
        }
        Ok(())
    }
}

fn nonce(chunk: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&chunk.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(length: usize) {
        let content: Vec<u8> = (0..length).map(|i| (i / 7 % 251) as u8).collect();
        let mut spool = Spool::new(false).unwrap();
        for piece in content.chunks(70_001) {
            spool.write_all(piece).unwrap();
        }
        let mut target = tempfile::tempfile().unwrap();
        spool.copy_to(&mut target).unwrap();
        target.rewind().unwrap();
        let mut copied = Vec::new();
        target.read_to_end(&mut copied).unwrap();
        assert!(copied == content, "{length} bytes came back different");
    }

    #[test]
    fn spool_gives_back_what_it_took() {
        for length in
            [0, 1, CHUNK, MEMORY_LIMIT - 1, MEMORY_LIMIT, MEMORY_LIMIT + 1, 3 * MEMORY_LIMIT + 12_345]
        {
            round_trip(length);
        }
    }

    #[test]
    fn disk_never_holds_plaintext() {
        let mut spool = Spool::new(false).unwrap();
        spool.write_all(&b"a secret that must not be on the disk. ".repeat(400_000)).unwrap();
        let file = &mut spool.disk.as_mut().expect("more than fits into memory").file;
        file.rewind().unwrap();
        let mut on_disk = Vec::new();
        file.read_to_end(&mut on_disk).unwrap();
        assert!(on_disk.len() >= MEMORY_LIMIT);
        assert!(!on_disk.windows(8).any(|window| window == b"a secret"));
    }

    #[test]
    fn changed_spool_is_noticed() {
        let mut spool = Spool::new(false).unwrap();
        spool.write_all(&vec![7; MEMORY_LIMIT]).unwrap();
        let file = &mut spool.disk.as_mut().expect("spilled").file;
        file.seek(io::SeekFrom::Start(100)).unwrap();
        file.write_all(b"changed").unwrap();
        assert!(spool.copy_to(&mut tempfile::tempfile().unwrap()).is_err());
    }

    #[test]
    fn terminal_is_not_sent_what_steers_it() {
        for (content, steers) in
            [(&b"plain\r\n\ttext \xc3\xbc"[..], false), (b"\x1b[2J", true), (b"a\0b", true)]
        {
            let mut spool = Spool::new(true).unwrap();
            spool.write_all(content).unwrap();
            assert_eq!(spool.steers_terminal(), steers);
        }
    }
}
