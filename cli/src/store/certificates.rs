// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates of everybody, in the directory that OpenPGP programs share (pgp.cert.d).

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::Context as _;
use openpgp_cert_d::{CertD, MergeResult};
use plombe_core::{Fingerprint, KeyHandle, cert::Certificate, message::SignerCertificates};

use super::{index::Index, unwritable};
use crate::config::Paths;

/// A handle to the directory. Nothing is read before something is asked.
pub(crate) struct Certificates {
    directory: PathBuf,
    cache: PathBuf,
    /// Read once per run: a run sees one state.
    index: OnceLock<Index>,
}

/// What storing a certificate changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    Updated,
    Unchanged,
}

impl Certificates {
    pub(crate) fn new(paths: &Paths) -> Self {
        let cache = paths.cache.join("certificates.json");
        Self { directory: paths.certificates.clone(), cache, index: OnceLock::new() }
    }

    /// Where it lies.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn by_fingerprint(&self, fingerprint: &Fingerprint) -> anyhow::Result<Option<Certificate>> {
        self.read(&fingerprint.to_hex())
    }

    /// Every certificate that names `address` in a user ID. Whether it does so rightly is for the caller to check.
    pub(crate) fn by_address(&self, address: &str) -> anyhow::Result<Vec<Certificate>> {
        let index = self.index()?;
        self.read_all(index.with_address(address))
    }

    /// Every certificate that has a key answering to `handle`.
    pub(crate) fn by_key(&self, handle: &KeyHandle) -> anyhow::Result<Vec<Certificate>> {
        if let KeyHandle::Fingerprint(fingerprint) = handle {
            // Most signatures are made by a subkey, but asking for the primary costs one look.
            if let Some(certificate) = self.by_fingerprint(fingerprint)? {
                return Ok(vec![certificate]);
            }
        }
        let index = self.index()?;
        self.read_all(index.with_key(handle))
    }

    /// All of them, one after the other.
    pub(crate) fn all(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Certificate>> + '_> {
        let names = self.index()?.entries().map(|entry| entry.fingerprint.as_str());
        Ok(names.filter_map(|name| self.read(name).transpose()))
    }

    /// How many there are, unreadable ones included.
    pub(crate) fn count(&self) -> anyhow::Result<usize> {
        Ok(self.index()?.entries().count())
    }

    /// Files in the directory from which no certificate can be read.
    pub(crate) fn broken(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.index()?.broken().map(str::to_owned).collect())
    }

    /// Takes a certificate in; what is there already is kept and added to.
    pub(crate) fn store(&self, certificate: &Certificate) -> anyhow::Result<Stored> {
        let name = certificate.fingerprint().to_hex().to_lowercase();
        let mut stored = Stored::New;
        // The library makes folders inside, not the directory itself. Others need not see whom we write to.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
        made.map_err(|error| unwritable(&self.directory, &error))?;
        self.open()?
            .insert(&name, certificate.clone(), false, |new, old| {
                let old = old.and_then(|bytes| Certificate::parse_all(bytes).ok()?.into_iter().next());
                let Some(old) = old else { return Ok(MergeResult::Data(new.to_bytes())) };
                let before = old.to_bytes();
                let merged = old.merge(new).map_err(anyhow::Error::from)?.to_bytes();
                stored = if merged == before { Stored::Unchanged } else { Stored::Updated };
                Ok(if stored == Stored::Unchanged { MergeResult::Keep } else { MergeResult::Data(merged) })
            })
            .map_err(|error| match error {
                openpgp_cert_d::Error::IoError(error) => unwritable(&self.directory, &error).into(),
                other => anyhow::Error::from(other).context("cannot store the certificate"),
            })?;
        Ok(stored)
    }

    fn index(&self) -> anyhow::Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = Index::load(&self.cache, &self.directory)
            .with_context(|| format!("cannot read the certificates in {}", self.directory.display()))?;
        Ok(self.index.get_or_init(|| index))
    }

    fn read_all<'a>(&self, names: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<Certificate>> {
        names.filter_map(|name| self.read(name).transpose()).collect()
    }

    /// `None` when it is not there, or is there and cannot be read: `plombe doctor` tells of the latter.
    fn read(&self, name: &str) -> anyhow::Result<Option<Certificate>> {
        if !self.directory.is_dir() {
            return Ok(None);
        }
        let found = self.open()?.get(&name.to_lowercase());
        let found = found.with_context(|| format!("cannot read certificate {name}"))?;
        let certificate =
            found.and_then(|(_, bytes)| Certificate::parse_all(&bytes).ok()?.into_iter().next());
        // The name of a file proves nothing; anybody who writes here could exchange two files.
        Ok(certificate.filter(|certificate| certificate.fingerprint().to_hex().eq_ignore_ascii_case(name)))
    }

    fn open(&self) -> anyhow::Result<CertD> {
        CertD::with_base_dir(&self.directory)
            .with_context(|| format!("cannot use the certificate directory {}", self.directory.display()))
    }
}

impl SignerCertificates for Certificates {
    /// A directory that cannot be read knows no signer; the verdict says so.
    fn find(&self, handle: &KeyHandle) -> Vec<Certificate> {
        self.by_key(handle).unwrap_or_default()
    }
}
