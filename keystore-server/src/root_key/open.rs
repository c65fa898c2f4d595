// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which root key the configuration means.

use std::{
    io,
    path::{Path, PathBuf},
};

use plombe_core::secret::Passphrase;
use serde::Deserialize;

use super::{
    FileRootKey, PassphraseRootKey, Pkcs11Config, Pkcs11RootKey, RootKey, RootKeyError, TokenProblem, file,
    passphrase, secret_file,
};

/// Where the root key is: in `file`, or in a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootKeyConfig {
    /// A file with mode 0600, made by `init`. Keep a copy where the database's backups are not.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// For a root key under a passphrase: a file with mode 0600 that holds it, a systemd credential for example
    /// (`/run/credentials/plombe-keystore.service/passphrase`). Left out, it is asked for at each start.
    #[serde(default)]
    pub passphrase_file: Option<PathBuf>,
    /// A key in a PKCS#11 token, in place of `file`.
    #[serde(default)]
    pub pkcs11: Option<Pkcs11Config>,
}

impl RootKeyConfig {
    /// Makes paths absolute.
    pub fn resolve(&mut self, folder: &Path) {
        self.file.iter_mut().chain(&mut self.passphrase_file).for_each(|path| *path = folder.join(&*path));
        self.pkcs11.iter_mut().for_each(|pkcs11| pkcs11.resolve(folder));
    }

    /// Files that nobody else may read.
    pub fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let pin = self.pkcs11.as_ref().map(|token| token.pin_file.as_path());
        self.file.iter().chain(&self.passphrase_file).map(PathBuf::as_path).chain(pin)
    }

    /// What is wrong with it.
    pub fn finding(&self) -> Option<&'static str> {
        match (&self.file, &self.pkcs11) {
            (Some(_), None) => None,
            (None, Some(_)) if self.passphrase_file.is_none() => None,
            (None, Some(_)) => Some("passphrase_file goes with file; a token has a pin_file"),
            _ => Some("give either file or pkcs11"),
        }
    }
}

/// Opens the configured root key. One under a passphrase asks for it when no file holds it.
///
/// # Errors
/// See [`RootKeyError`].
pub fn open(config: &RootKeyConfig) -> Result<Box<dyn RootKey>, RootKeyError> {
    match (&config.file, &config.pkcs11) {
        (Some(file), _) if is_under_passphrase(file)? => {
            let passphrase = passphrase(config, file, "Passphrase of the root key: ")?;
            Ok(Box::new(PassphraseRootKey::open(file, &passphrase)?))
        }
        (Some(file), _) => Ok(Box::new(FileRootKey::open(file)?)),
        (None, Some(pkcs11)) => Ok(Box::new(Pkcs11RootKey::open(pkcs11.clone())?)),
        (None, None) => Err(RootKeyError::NotConfigured),
    }
}

/// Makes the configured root key, which is not there yet. `under_passphrase` is about files.
///
/// # Errors
/// See [`RootKeyError`].
pub fn create(config: &RootKeyConfig, under_passphrase: bool) -> Result<Box<dyn RootKey>, RootKeyError> {
    match (&config.file, &config.pkcs11) {
        (Some(file), _) if under_passphrase || config.passphrase_file.is_some() => {
            let passphrase = passphrase(config, file, "New passphrase for the root key: ")?;
            Ok(Box::new(PassphraseRootKey::create(file, &passphrase)?))
        }
        (Some(file), _) => Ok(Box::new(FileRootKey::create(file)?)),
        (None, Some(pkcs11)) => Ok(Box::new(Pkcs11RootKey::create(pkcs11.clone())?)),
        (None, None) => Err(RootKeyError::NotConfigured),
    }
}

/// Opens the configured root key, and makes it when it is not there.
///
/// # Errors
/// See [`RootKeyError`].
pub fn open_or_create(
    config: &RootKeyConfig,
    under_passphrase: bool,
) -> Result<Box<dyn RootKey>, RootKeyError> {
    match open(config) {
        Err(RootKeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(config, under_passphrase)
        }
        Err(RootKeyError::Token(TokenProblem::NoKey { .. })) => create(config, under_passphrase),
        result => result,
    }
}

fn is_under_passphrase(file: &Path) -> Result<bool, RootKeyError> {
    let text = secret_file::read(file)?;
    match text.split(' ').next() {
        Some(passphrase::MAGIC) => Ok(true),
        Some(file::MAGIC) => Ok(false),
        _ => Err(RootKeyError::Malformed(file.to_owned())),
    }
}

fn passphrase(config: &RootKeyConfig, file: &Path, prompt: &str) -> Result<Passphrase, RootKeyError> {
    if let Some(from) = &config.passphrase_file {
        return Ok(Passphrase::new(secret_file::read_line(from)?.as_bytes()));
    }
    let typed = rpassword::prompt_password(prompt)
        .map_err(|error| RootKeyError::NoPassphrase(file.to_owned(), error))?;
    Ok(Passphrase::new(typed))
}
