// SPDX-License-Identifier: LGPL-2.0-or-later
//! A Web Key Directory on disk, for any web server that serves files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use plombe_core::{
    cert::Certificate,
    recipients::{Address, wkd},
};

use crate::output::{Durability, NewFile, Visibility};

/// The folder that a web server has as its root, for the domain and for its `openpgpkey` subdomain.
pub(crate) struct WkdTree<'a> {
    root: &'a Path,
}

impl<'a> WkdTree<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// Adds `certificate`, already cut down to `address`, in both layouts, and the policy files that clients look
    /// for. Returns the files. What the directory has for this address already stays, brought up to date.
    pub(crate) fn add(&self, address: &Address, certificate: &Certificate) -> io::Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for path in [wkd::advanced_path(address), wkd::direct_path(address)] {
            let file = self.root.join(path);
            let folder = file.parent().expect("it has three folders above it");
            fs::create_dir_all(folder)?;
            let content = with_what_is_there(&file, certificate)?;
            write(&file, &content)?;
            let policy = folder.parent().expect("hu lies in a folder").join("policy");
            if !policy.exists() {
                // Empty: nothing special asked of clients. It has to be there.
                write(&policy, b"")?;
            }
            written.push(file);
        }
        Ok(written)
    }
}

/// Binary, the new certificate first; but v4 before v6, since old programs stop at the first that they cannot read.
fn with_what_is_there(file: &Path, certificate: &Certificate) -> io::Result<Vec<u8>> {
    let mut all = vec![certificate.clone()];
    match fs::read(file) {
        Ok(bytes) => all.extend(Certificate::parse_all(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut all = Certificate::merge_all(all);
    all.sort_by_key(Certificate::version);
    Ok(all.iter().flat_map(Certificate::to_bytes).collect())
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut file = NewFile::create(path, true, Visibility::Everyone, Durability::Synced)?;
    file.write_all(content)?;
    file.release()
}
