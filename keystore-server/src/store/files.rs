// SPDX-License-Identifier: LGPL-2.0-or-later
//! The files of a SQLite database, to be recognised.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::StoreError;

/// Which files were opened. SQLite goes on writing to a file that somebody has deleted or put another one in the place of, and what it
/// acknowledges then is gone with the process.
pub(super) struct Files(Vec<(PathBuf, Option<Inode>)>);

type Inode = (u64, u64);

impl Files {
    /// Those of an open database: itself, its log of changes, and the memory that processes share.
    pub(super) fn of(database: &Path) -> Self {
        let files = ["", "-wal", "-shm"].map(|end| {
            let mut name = database.as_os_str().to_owned();
            name.push(end);
            let file = PathBuf::from(name);
            let inode = inode(&file);
            (file, inode)
        });
        Self(files.into())
    }

    /// Are they still what their names lead to? Three calls to the kernel, no disk.
    pub(super) fn still_there(&self) -> Result<(), StoreError> {
        match self.0.iter().find(|(file, opened)| opened.is_some() && inode(file) != *opened) {
            Some((file, _)) => Err(StoreError::Replaced(file.clone())),
            None => Ok(()),
        }
    }
}

fn inode(file: &Path) -> Option<Inode> {
    fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
}
