// SPDX-License-Identifier: LGPL-2.0-or-later
//! A folder for files that programs exchange; gone when the test ends.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A temporary folder with a few conveniences.
pub struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// A new one. The name is short, because gpg-agent's socket path must stay under 108 bytes.
    pub fn new() -> Self {
        let dir =
            tempfile::Builder::new().prefix("plombe-").tempdir().expect("the temporary folder is writable");
        Self { dir }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Path of a file in it, which need not exist.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and says where it is.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// Reads a file that some program should have written.
    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.file(name);
        fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// Names of everything in it, sorted: to show that a refused operation left nothing behind.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("it exists as long as this value");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}
