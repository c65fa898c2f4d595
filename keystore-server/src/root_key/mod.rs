// SPDX-License-Identifier: LGPL-2.0-or-later
//! The key that everything else hangs on, kept outside of the database. It does one thing: it wraps tenants' keys.

mod file;
mod open;
mod passphrase;
mod pkcs11;
mod secret_file;
mod wrapping;

use std::path::PathBuf;

use plombe_core::secret::ResidentKey;

pub use self::{
    file::FileRootKey,
    open::{RootKeyConfig, create, open, open_or_create},
    passphrase::PassphraseRootKey,
    pkcs11::{Pkcs11Config, Pkcs11RootKey, TokenProblem, default_label},
};

/// Wraps and unwraps tenants' keys.
pub trait RootKey: Send + Sync {
    /// Tells this root key from others. No secret.
    fn id(&self) -> String;

    /// Wraps a key for `purpose`.
    ///
    /// # Errors
    /// When the key's holder (a token, say) fails.
    fn wrap(&self, purpose: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, RootKeyError>;

    /// Unwraps what was wrapped for the same purpose.
    ///
    /// # Errors
    /// `Unwrap` when it was not, or by another root key.
    fn unwrap(&self, purpose: &[u8], wrapped: &[u8]) -> Result<ResidentKey, RootKeyError>;
}

/// Why a root key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootKeyError {
    /// The file.
    #[error("cannot use the root key {}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the root key {} can be read by others; run: chmod 600 {}", .0.display(), .0.display())]
    Readable(PathBuf),
    /// A passphrase or a PIN is asked for, and there is nothing in its file.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// The passphrase, or the file was changed.
    #[error("the passphrase does not open the root key {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// Nobody to ask for the passphrase.
    #[error("the root key {} is under a passphrase; start at a terminal, or set root_key.passphrase_file", .0.display())]
    NoPassphrase(PathBuf, #[source] std::io::Error),
    /// The configuration names none.
    #[error("no root key is configured: give root_key.file or root_key.pkcs11")]
    NotConfigured,
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenProblem),
    /// Not what this program writes.
    #[error("{} is not a root key", .0.display())]
    Malformed(PathBuf),
    /// Not wrapped by this root key, or for something else.
    #[error("this root key does not unwrap the keystore's keys")]
    Unwrap,
}
