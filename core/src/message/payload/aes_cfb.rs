// SPDX-License-Identifier: LGPL-2.0-or-later
//! CFB decryption with AES by software, many blocks at a time: where there is no AES in hardware, four blocks cost what one
//! costs, and the key stream of a ciphertext that is all there hangs on no plaintext.

use aes::{
    Aes128, Aes192, Aes256, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};

/// Small enough to stay in a cache.
const RUN_SIZE: usize = 1 << 14;

const BLOCK_SIZE: usize = 16;

/// In place, from an initialisation vector of zeros. False when no AES has such a key.
pub(super) fn decrypt(key: &[u8], bytes: &mut [u8]) -> bool {
    match key.len() {
        16 => decrypt_with::<Aes128>(key, bytes),
        24 => decrypt_with::<Aes192>(key, bytes),
        _ => decrypt_with::<Aes256>(key, bytes),
    }
}

fn decrypt_with<C>(key: &[u8], bytes: &mut [u8]) -> bool
where
    C: KeyInit + BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
{
    let Ok(cipher) = C::new_from_slice(key) else { return false };
    let mut before = Block::default();
    let mut key_stream = vec![Block::default(); RUN_SIZE / BLOCK_SIZE];
    for run in bytes.chunks_mut(RUN_SIZE) {
        let blocks = run.len().div_ceil(BLOCK_SIZE);
        let key_stream = &mut key_stream[..blocks];
        key_stream[0] = before;
        for (block, sealed) in key_stream[1..].iter_mut().zip(run.chunks_exact(BLOCK_SIZE)) {
            block.copy_from_slice(sealed);
        }
        // Only the last run may end within a block, and nothing comes after it.
        if let Some(last) = run.chunks_exact(BLOCK_SIZE).next_back() {
            before.copy_from_slice(last);
        }
        cipher.encrypt_blocks(key_stream);
        for (bytes, key) in run.chunks_mut(BLOCK_SIZE).zip(key_stream.iter()) {
            bytes.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        }
    }
    true
}
