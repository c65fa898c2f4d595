// SPDX-License-Identifier: LGPL-2.0-or-later
//! A SEIPDv1 body in memory, for a host with a hash and a cipher of its own (RFC 9580 section 5.13.1).

use std::io::{Read as _, Write as _};

use sequoia_openpgp::{
    crypto::symmetric::{BlockCipherMode, Decryptor, Encryptor, PaddingMode, UnpaddingMode},
    parse::buffered_reader,
    types::SymmetricAlgorithm,
};

use super::{
    PayloadError, V1Key, aes_cfb,
    chunks::{BATCH_SIZE, Opened},
    portable::{check_mdc, sha1},
    v1::{MDC_HEADER, MDC_SIZE},
};

const BLOCK_SIZE: usize = 16;

/// `prefix (18) || content || MDC packet (22)`, and how far it is.
///
/// Sealing: the SHA-1 of [`hashed`](Self::hashed) goes to [`put_digest`](Self::put_digest), then the key stream to
/// [`apply`](Self::apply), or [`seal`](Self::seal) does the second half. Opening: [`decrypt`](Self::decrypt), then the SHA-1 of
/// `hashed` to `put_digest`, which compares.
pub struct CfbTask {
    key: V1Key,
    bytes: Vec<u8>,
    sealing: bool,
    /// Bytes that went through the cipher.
    ciphered: usize,
    digested: bool,
}

impl CfbTask {
    /// For a body behind its version octet, or for plaintext with its prefix and the MDC packet's header.
    pub(crate) fn new(key: V1Key, mut bytes: Vec<u8>, sealing: bool) -> Result<Self, PayloadError> {
        if sealing {
            bytes.resize(bytes.len() + MDC_SIZE - MDC_HEADER.len(), 0);
        }
        if bytes.len() < key.prefix_size() + MDC_SIZE {
            return Err(PayloadError::Damaged);
        }
        Ok(Self { key, bytes, sealing, ciphered: 0, digested: false })
    }

    /// Plaintext becomes ciphertext, as opposed to the other way round.
    pub fn is_sealing(&self) -> bool {
        self.sealing
    }

    /// Bytes of the body.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The key, if the cipher is AES.
    pub fn aes_key(&self) -> Option<&[u8]> {
        let aes = [SymmetricAlgorithm::AES128, SymmetricAlgorithm::AES192, SymmetricAlgorithm::AES256];
        aes.contains(&self.key.cipher).then_some(&self.key.key)
    }

    /// What SHA-1 runs over.
    pub fn hashed(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - (MDC_SIZE - MDC_HEADER.len())]
    }

    /// Takes the SHA-1 of [`hashed`](Self::hashed).
    ///
    /// # Errors
    /// `Damaged` when opening, if it is not the one that was sealed.
    pub fn put_digest(&mut self, digest: &[u8]) -> Result<(), PayloadError> {
        // Half a digest would be compared by half.
        if digest.len() != MDC_SIZE - MDC_HEADER.len() {
            return Err(PayloadError::Damaged);
        }
        let at = self.bytes.len() - MDC_SIZE;
        if self.sealing {
            self.bytes[at + MDC_HEADER.len()..].copy_from_slice(digest);
        } else {
            if self.ciphered < self.bytes.len() {
                return Err(PayloadError::Damaged);
            }
            check_mdc(digest, &self.bytes[at..]).map_err(|_| PayloadError::Damaged)?;
        }
        self.digested = true;
        Ok(())
    }

    /// Computes that hash here.
    pub fn digest(&mut self) -> Result<(), PayloadError> {
        let mut hash = sha1()?;
        hash.update(self.hashed());
        let digest = hash.into_digest().map_err(|_| PayloadError::Unsupported("SHA-1".into()))?;
        self.put_digest(&digest)
    }

    /// Plaintext that is still to be sealed. Ciphertext block `i` is plaintext block `i` XOR the encryption of
    /// ciphertext block `i - 1` (a block of zeros at first): what CBC yields, from an initialisation vector of zeros, for a block
    /// of zeros and then the plaintext, is the key stream.
    pub fn unsealed(&self) -> &[u8] {
        &self.bytes[self.ciphered..]
    }

    /// XORs the next bytes of the key stream: whole blocks, unless the end is reached.
    pub fn apply(&mut self, key_stream: &[u8]) {
        let n = key_stream.len().min(self.bytes.len() - self.ciphered);
        let next = &mut self.bytes[self.ciphered..][..n];
        next.iter_mut().zip(key_stream).for_each(|(byte, key)| *byte ^= key);
        self.ciphered += n;
    }

    /// Encrypts all of it here.
    pub fn seal(&mut self) -> Result<(), PayloadError> {
        let unsupported = |_| PayloadError::Unsupported(self.key.cipher.to_string());
        let mut sealed = Vec::with_capacity(self.bytes.len() + BLOCK_SIZE);
        let (cipher, key) = (self.key.cipher, &self.key.key);
        let mut encryptor =
            Encryptor::new(cipher, BlockCipherMode::CFB, PaddingMode::None, key, None, &mut sealed)
                .map_err(unsupported)?;
        encryptor.write_all(&self.bytes).map_err(PayloadError::Stopped)?;
        encryptor.finalize().map_err(unsupported)?;
        self.bytes = sealed;
        self.ciphered = self.bytes.len();
        Ok(())
    }

    /// Decrypts all of it here.
    pub fn decrypt(&mut self) -> Result<(), PayloadError> {
        if let Some(key) = self.aes_key().map(<[u8]>::to_vec).map(zeroize::Zeroizing::new)
            && aes_cfb::decrypt(&key, &mut self.bytes)
        {
            self.ciphered = self.bytes.len();
            return Ok(());
        }
        self.decrypt_by_runs()
    }

    /// What is not AES, on this build's own cipher.
    fn decrypt_by_runs(&mut self) -> Result<(), PayloadError> {
        let unsupported = |_| PayloadError::Unsupported(self.key.cipher.to_string());
        let block_size = self.key.prefix_size() - 2;
        let mut before = vec![0; block_size];
        let mut run = Vec::new();
        for bytes in self.bytes.chunks_mut(BATCH_SIZE) {
            run.clear();
            run.extend_from_slice(bytes);
            let source = buffered_reader::Memory::with_cookie(&run, Default::default());
            let mut decryptor = Decryptor::new(
                self.key.cipher,
                BlockCipherMode::CFB,
                UnpaddingMode::None,
                &self.key.key,
                Some(&before),
                source,
            )
            .map_err(unsupported)?;
            decryptor.read_exact(bytes).map_err(PayloadError::Stopped)?;
            drop(decryptor);
            before.copy_from_slice(&run[run.len().saturating_sub(block_size)..][..block_size.min(run.len())]);
        }
        self.ciphered = self.bytes.len();
        Ok(())
    }

    /// The whole body, sealed.
    pub(super) fn sealed(&self) -> Result<&[u8], PayloadError> {
        let done = self.sealing && self.digested && self.ciphered == self.bytes.len();
        if done { Ok(&self.bytes) } else { Err(PayloadError::Damaged) }
    }

    /// The whole body, opened, once its MDC was found to be right.
    pub(super) fn into_opened(self) -> Result<Opened, PayloadError> {
        if self.sealing || !self.digested {
            return Err(PayloadError::Damaged);
        }
        let (start, end) = (self.key.prefix_size(), self.bytes.len() - MDC_SIZE);
        Ok(Opened { start, end, chunk_size: usize::MAX, stride: usize::MAX, bytes: self.bytes })
    }
}
