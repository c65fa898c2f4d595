// SPDX-License-Identifier: LGPL-2.0-or-later
//! A root key in a file that its owner alone can read.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plombe_core::secret::ResidentKey;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, secret_file, wrapping};
use crate::fresh;

/// First word of the file, with the format's version.
pub(super) const MAGIC: &str = "plombe-root-key-v1";

/// Held in memory while the server runs. Whoever has the file and the database has everything.
pub struct FileRootKey {
    key: ResidentKey,
    id: String,
}

impl FileRootKey {
    /// Makes a new key in a new file with mode 0600, durable when this returns.
    ///
    /// # Errors
    /// When the file exists, or cannot be written.
    pub fn create(file: &Path) -> Result<Self, RootKeyError> {
        let key = fresh::random::<32>();
        let text = Zeroizing::new(format!("{MAGIC} {}\n", STANDARD.encode(key.as_slice())));
        secret_file::create(file, &text)?;
        Ok(Self::new(&key))
    }

    /// Reads it. A link, or a file that others can read, is refused: the key may be known to somebody already.
    ///
    /// # Errors
    /// See [`RootKeyError`].
    pub fn open(file: &Path) -> Result<Self, RootKeyError> {
        let text = secret_file::read(file)?;
        let malformed = || RootKeyError::Malformed(file.to_owned());
        let encoded = text.trim_end().strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(' '));
        let bytes = Zeroizing::new(STANDARD.decode(encoded.ok_or_else(malformed)?).map_err(|_| malformed())?);
        let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        Ok(Self::new(key))
    }

    fn new(key: &[u8; 32]) -> Self {
        Self { key: ResidentKey::from_slice(key), id: format!("file:{}", short_hash(key)) }
    }
}

/// Tells keys apart and tells nothing about them.
pub(super) fn short_hash(key: &[u8; 32]) -> String {
    let hash = Sha256::digest(plombe_core::keystore::fields(&[b"plombe keystore root id v1", key]));
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl RootKey for FileRootKey {
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
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    #[test]
    fn a_root_key_is_read_again_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        let made = FileRootKey::create(&file).unwrap();
        let wrapped = made.wrap(b"x", &[7; 32]).unwrap();
        let read = FileRootKey::open(&file).unwrap();
        assert_eq!(read.id(), made.id());
        assert!(read.unwrap(b"x", &wrapped).unwrap().with(|key| *key == [7; 32]));
        assert!(matches!(FileRootKey::create(&file), Err(RootKeyError::File { .. })));
    }

    #[test]
    fn what_others_can_read_or_point_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        FileRootKey::create(&file).unwrap();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        assert!(matches!(FileRootKey::open(&link), Err(RootKeyError::File { .. })));
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(FileRootKey::open(&file), Err(RootKeyError::Readable(_))), "{mode:o}");
        }
    }

    #[test]
    fn other_files_are_not_root_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        for text in [
            "",
            "plombe-root-key-v1 ",
            "plombe-root-key-v1 AAAA",
            "plombe-root-key-v2 AAAA",
            &"x".repeat(2000),
        ] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(FileRootKey::open(&file), Err(RootKeyError::Malformed(_))), "{text}");
        }
    }
}
