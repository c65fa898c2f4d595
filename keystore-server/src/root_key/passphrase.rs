// SPDX-License-Identifier: LGPL-2.0-or-later
//! A root key in a file, under a passphrase that is not on the disk.
//!
//! ```text
//! file   = "plombe-root-key-passphrase-v1 " ‖ base64(header ‖ wrapped) ‖ "\n"
//! header = memory in KiB u32be ‖ passes u32be ‖ lanes u32be ‖ salt (16)
//! ```
//!
//! The root key is random and wrapped under Argon2id of the passphrase, so a new passphrase does not touch the database.
//! The wrapping covers the header: nobody makes the next start cheap to guess at by changing the numbers.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use plombe_core::secret::{Passphrase, ResidentKey};
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, file, secret_file, wrapping};
use crate::fresh;

/// First word of the file, with the format's version.
pub(super) const MAGIC: &str = "plombe-root-key-passphrase-v1";
const SALT_LEN: usize = 16;
const HEADER_LEN: usize = 12 + SALT_LEN;

/// What one guess costs: RFC 9106's second recommendation, with one lane.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
/// What a file may ask of the machine that reads it.
const LARGEST: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 8 };
/// What a file may not go below: it was not written by this program then.
const SMALLEST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Held in memory while the server runs, like that of [`super::FileRootKey`]; the file alone is worth a guess at the passphrase.
pub struct PassphraseRootKey {
    key: ResidentKey,
    id: String,
}

impl PassphraseRootKey {
    /// Makes a new key in a new file with mode 0600, durable when this returns.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn create(file: &Path, passphrase: &Passphrase) -> Result<Self, RootKeyError> {
        let key = fresh::random::<32>();
        secret_file::create(file, &text(&key, passphrase))?;
        Ok(Self::new(&key))
    }

    /// Reads it; takes a fraction of a second, which is what a guess costs too.
    ///
    /// # Errors
    /// See [`RootKeyError`].
    pub fn open(file: &Path, passphrase: &Passphrase) -> Result<Self, RootKeyError> {
        let malformed = || RootKeyError::Malformed(file.to_owned());
        let text = secret_file::read(file)?;
        let encoded = text.trim_end().strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(' '));
        let bytes = STANDARD.decode(encoded.ok_or_else(malformed)?).map_err(|_| malformed())?;
        let (header, wrapped) = bytes.split_first_chunk::<HEADER_LEN>().ok_or_else(malformed)?;
        let cost = Cost::from_header(header).ok_or_else(malformed)?;
        let kek = cost.derive(passphrase, &header[12..]).ok_or_else(malformed)?;
        let key = wrapping::unwrap(&kek, &purpose(header), wrapped)
            .map_err(|_| RootKeyError::WrongPassphrase(file.to_owned()))?;
        Ok(key.with(Self::new))
    }

    fn new(key: &[u8; 32]) -> Self {
        Self { key: ResidentKey::from_slice(key), id: format!("passphrase:{}", file::short_hash(key)) }
    }
}

fn text(key: &[u8; 32], passphrase: &Passphrase) -> String {
    let salt = fresh::random::<SALT_LEN>();
    let header = COST.to_header(&salt);
    let kek = COST.derive(passphrase, salt.as_slice()).expect("these are Argon2's own limits kept");
    let wrapped = wrapping::wrap(&kek, &purpose(&header), key);
    format!("{MAGIC} {}\n", STANDARD.encode([&header[..], &wrapped].concat()))
}

fn purpose(header: &[u8]) -> Vec<u8> {
    plombe_core::keystore::fields(&[b"plombe keystore root under passphrase v1", header])
}

impl Cost {
    fn to_header(self, salt: &[u8; SALT_LEN]) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let numbers = [self.memory_kib, self.passes, self.lanes];
        numbers
            .iter()
            .zip(header.chunks_exact_mut(4))
            .for_each(|(n, at)| at.copy_from_slice(&n.to_be_bytes()));
        header[12..].copy_from_slice(salt);
        header
    }

    fn from_header(header: &[u8; HEADER_LEN]) -> Option<Self> {
        let ([memory_kib, passes, lanes, ..], _) = header.as_chunks::<4>() else { return None };
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(|bytes| u32::from_be_bytes(*bytes));
        let bounded = (SMALLEST.memory_kib..=LARGEST.memory_kib).contains(&memory_kib)
            && (SMALLEST.passes..=LARGEST.passes).contains(&passes)
            && (SMALLEST.lanes..=LARGEST.lanes).contains(&lanes);
        bounded.then_some(Self { memory_kib, passes, lanes })
    }

    fn derive(self, passphrase: &Passphrase, salt: &[u8]) -> Option<ResidentKey> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(ResidentKey::LEN)).ok()?;
        let mut key = Zeroizing::new([0; ResidentKey::LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), salt, key.as_mut_slice())
            .ok()?;
        Some(ResidentKey::from_slice(&key))
    }
}

impl RootKey for PassphraseRootKey {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn wrap(&self, purpose: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, RootKeyError> {
        Ok(wrapping::wrap(&self.key, purpose, key))
    }

    fn unwrap(&self, purpose: &[u8], wrapped: &[u8]) -> Result<ResidentKey, RootKeyError> {
        wrapping::unwrap(&self.key, purpose, wrapped)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_passphrase_opens_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        let made = PassphraseRootKey::create(&file, &Passphrase::new("correct horse")).unwrap();
        let wrapped = made.wrap(b"x", &[7; 32]).unwrap();
        let read = PassphraseRootKey::open(&file, &Passphrase::new("correct horse")).unwrap();
        assert_eq!(read.id(), made.id());
        assert!(read.unwrap(b"x", &wrapped).unwrap().with(|key| *key == [7; 32]));
        for wrong in ["", "correct horse ", "Correct horse"] {
            let result = PassphraseRootKey::open(&file, &Passphrase::new(wrong));
            assert!(matches!(result, Err(RootKeyError::WrongPassphrase(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_cannot_ask_for_less_work_or_for_all_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        PassphraseRootKey::create(&file, &Passphrase::new("x")).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let bytes = STANDARD.decode(text.trim_end().strip_prefix(MAGIC).unwrap().trim()).unwrap();
        let open_with = |at: usize, number: u32| {
            let mut changed = bytes.clone();
            changed[at..at + 4].copy_from_slice(&number.to_be_bytes());
            fs::write(&file, format!("{MAGIC} {}\n", STANDARD.encode(changed))).unwrap();
            PassphraseRootKey::open(&file, &Passphrase::new("x"))
        };
        for (at, number) in [(0, 1024), (0, u32::MAX), (4, 1), (4, 1000), (8, 0), (8, 9)] {
            assert!(matches!(open_with(at, number), Err(RootKeyError::Malformed(_))), "{at} {number}");
        }
        // Within the limits, but not what was written.
        assert!(matches!(open_with(4, 2), Err(RootKeyError::WrongPassphrase(_))));
    }
}
