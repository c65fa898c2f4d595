// SPDX-License-Identifier: LGPL-2.0-or-later
//! CFB at the speed of the modes that processors are built for.
//!
//! CFB computes `C[i] = P[i] ^ E(C[i-1])`. Opening needs `E` of every ciphertext block, all of which are there: that is
//! ECB, which AES-NI runs eight blocks wide and which can begin anywhere. Sealing is a chain; but with
//! `X[i] = E(C[i]) = E(P[i] ^ X[i-1])` the chain is CBC over the plaintext, and `C[i] = P[i] ^ X[i-1]`. OpenSSL's CBC is
//! a third faster than its CFB.

use std::io;

use openssl::{
    cipher::{Cipher, CipherRef},
    cipher_ctx::CipherCtx,
    error::ErrorStack,
};
use sequoia_openpgp::types::SymmetricAlgorithm;

use super::super::V1Key;

pub(super) const BLOCK: usize = 16;

/// Worked on at a time, so that the key stream stays in the processor's cache.
const PIECE: usize = 1 << 14;

pub(super) struct Modes {
    ecb: &'static CipherRef,
    cbc: &'static CipherRef,
}

/// `None` for anything but AES.
pub(super) fn modes(key: &V1Key) -> Option<Modes> {
    Some(match key.cipher {
        SymmetricAlgorithm::AES128 => Modes { ecb: Cipher::aes_128_ecb(), cbc: Cipher::aes_128_cbc() },
        SymmetricAlgorithm::AES192 => Modes { ecb: Cipher::aes_192_ecb(), cbc: Cipher::aes_192_cbc() },
        SymmetricAlgorithm::AES256 => Modes { ecb: Cipher::aes_256_ecb(), cbc: Cipher::aes_256_cbc() },
        _ => return None,
    })
}

/// Key stream buffers are longer by one block, which OpenSSL's wrapper asks for.
const STREAM: usize = PIECE + BLOCK;

/// Seals a message from its beginning, in order.
pub(super) struct CfbSeal {
    cbc: CipherCtx,
    /// `X[i-1]`: what the next block is XORed with.
    chain: [u8; BLOCK],
    stream: Box<[u8; STREAM]>,
}

impl CfbSeal {
    pub(super) fn new(key: &V1Key, modes: &Modes) -> Result<Self, ErrorStack> {
        let mut ecb = ecb(key, modes)?;
        let mut encrypted_iv = [0; 2 * BLOCK];
        ecb.cipher_update(&[0; BLOCK], Some(&mut encrypted_iv))?;
        let mut chain = [0; BLOCK];
        chain.copy_from_slice(&encrypted_iv[..BLOCK]);
        let mut cbc = CipherCtx::new()?;
        cbc.encrypt_init(Some(modes.cbc), Some(&key.key), Some(&chain))?;
        cbc.set_padding(false);
        Ok(Self { cbc, chain, stream: Box::new([0; STREAM]) })
    }

    /// All but the last call take whole blocks.
    pub(super) fn seal(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        for piece in bytes.chunks_mut(PIECE) {
            let whole = piece.len() / BLOCK * BLOCK;
            self.cbc.cipher_update(&piece[..whole], Some(&mut self.stream[..]))?;
            let first = piece.len().min(BLOCK);
            xor(&mut piece[..first], &self.chain);
            if whole > 0 {
                xor(&mut piece[first..], &self.stream[..]);
                self.chain.copy_from_slice(&self.stream[whole - BLOCK..whole]);
            }
        }
        Ok(())
    }
}

/// Opens runs of whole blocks in any order.
pub(super) struct CfbOpen {
    ecb: CipherCtx,
    stream: Box<[u8; STREAM]>,
}

impl CfbOpen {
    pub(super) fn new(key: &V1Key, modes: &Modes) -> Result<Self, ErrorStack> {
        Ok(Self { ecb: ecb(key, modes)?, stream: Box::new([0; STREAM]) })
    }

    /// `before` is the ciphertext block before `bytes`, zeros at the beginning.
    pub(super) fn open(&mut self, mut before: [u8; BLOCK], bytes: &mut [u8]) -> io::Result<()> {
        for piece in bytes.chunks_mut(PIECE) {
            self.ecb.cipher_update(&before, Some(&mut self.stream[..2 * BLOCK]))?;
            let inner = (piece.len().div_ceil(BLOCK) - 1) * BLOCK;
            self.ecb.cipher_update(&piece[..inner], Some(&mut self.stream[BLOCK..]))?;
            if piece.len() >= BLOCK {
                before.copy_from_slice(&piece[piece.len() - BLOCK..]);
            }
            xor(piece, &self.stream[..]);
        }
        Ok(())
    }
}

fn ecb(key: &V1Key, modes: &Modes) -> Result<CipherCtx, ErrorStack> {
    let mut ecb = CipherCtx::new()?;
    ecb.encrypt_init(Some(modes.ecb), Some(&key.key), None)?;
    ecb.set_padding(false);
    Ok(ecb)
}

fn xor(bytes: &mut [u8], stream: &[u8]) {
    for (byte, key) in bytes.iter_mut().zip(stream) {
        *byte ^= key;
    }
}
