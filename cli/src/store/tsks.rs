// SPDX-License-Identifier: LGPL-2.0-or-later
//! Our own TSKs: one armored file each, `<FINGERPRINT>.pgp`, readable by its owner only.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use plombe_core::{Fingerprint, cert::LockedTsk};

use super::unwritable;
use crate::{config::Paths, output::replace_file};

/// A handle to the folder of TSKs and the one of their revocation certificates.
pub(crate) struct Tsks {
    folder: PathBuf,
    revocations: PathBuf,
}

impl Tsks {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { folder: paths.tsks.clone(), revocations: paths.revocations.clone() }
    }

    /// Where the TSK with this fingerprint lies, or would lie.
    pub(crate) fn path(&self, fingerprint: &Fingerprint) -> PathBuf {
        self.folder.join(format!("{}.pgp", fingerprint.to_hex()))
    }

    /// Where its revocation certificate lies, or would lie.
    pub(crate) fn revocation_path(&self, fingerprint: &Fingerprint) -> PathBuf {
        self.revocations.join(format!("{}.rev", fingerprint.to_hex()))
    }

    pub(crate) fn by_fingerprint(&self, fingerprint: &Fingerprint) -> anyhow::Result<Option<LockedTsk>> {
        read(&self.path(fingerprint))
    }

    /// Every TSK, in the order of fingerprints. A file that is no TSK is an error that names it: one that went
    /// missing silently looks like mail that nobody can open.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<LockedTsk>> {
        Ok(self
            .files()?
            .iter()
            .map(|path| read(path))
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Every TSK that carries `address` in a user ID.
    pub(crate) fn by_address(&self, address: &str) -> anyhow::Result<Vec<LockedTsk>> {
        let address = address.to_ascii_lowercase();
        let mut tsks = self.all()?;
        tsks.retain(|tsk| tsk.certificate().unverified_addresses().contains(&address));
        Ok(tsks)
    }

    /// Files that should hold TSKs.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let unreadable = || format!("cannot read {}", self.folder.display());
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(unreadable)?,
        };
        let mut paths = Vec::new();
        for entry in listing {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "pgp") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// The TSK in one of [`Tsks::files`].
    pub(crate) fn read(&self, file: &Path) -> anyhow::Result<Option<LockedTsk>> {
        read(file)
    }

    /// Writes a TSK, replacing the file that is there.
    pub(crate) fn store(&self, tsk: &LockedTsk) -> anyhow::Result<()> {
        let path = self.path(&tsk.certificate().fingerprint());
        store_private(&path, tsk.to_armored().as_bytes())
    }

    /// Keeps the revocation certificate that was made with a TSK.
    pub(crate) fn store_revocation(
        &self,
        fingerprint: &Fingerprint,
        armored: &str,
    ) -> anyhow::Result<PathBuf> {
        let path = self.revocation_path(fingerprint);
        store_private(&path, armored.as_bytes())?;
        Ok(path)
    }
}

fn read(path: &Path) -> anyhow::Result<Option<LockedTsk>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => zeroize::Zeroizing::new(other.with_context(|| format!("cannot read {}", path.display()))?),
    };
    let mut tsks = LockedTsk::parse_all(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(tsks.pop())
}

fn store_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // It may have been there before with other people's eyes on it.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        replace_file(path, content)
    };
    Ok(write().map_err(|error| unwritable(path, &error))?)
}
