// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore in one file: made while servers run, put into an empty database of either kind.
//!
//! * [`make()`], [`restore()`]: the two ways.
//! * [`Header`], [`archive`]: the file's bytes.
//!
//! What lies in the database is sealed already. The file is sealed once more, because how many people, keys and uses there
//! are can be counted from the rows, and nobody who keeps backups has to know. Without the root key it gives nothing away
//! but its header: when it was made, of which log, and how far that had grown.

pub mod archive;
mod make;
mod restore;
mod rows;

use std::io;

pub use archive::Header;
pub use make::make;
pub use restore::{Restored, is_unfinished, restore, restored_at};

use crate::{ledger::StartError, root_key::RootKeyError, store::StoreError, tenant_keys::TenantKeysError};

/// Why a backup is not made, or not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key.
    #[error(transparent)]
    Root(#[from] RootKeyError),
    /// The keys in the database.
    #[error(transparent)]
    Keys(#[from] TenantKeysError),
    /// The file.
    #[error("cannot read or write the backup")]
    File(#[from] io::Error),
    /// Something else, or of a later version.
    #[error("this is not a backup that this program can read")]
    NotABackup,
    /// A bit has changed, or the end is missing.
    #[error("this backup is damaged or cut off")]
    Damaged,
    /// Made under another root key.
    #[error("this backup was made under another root key ({0}); find the one that the keystore had then")]
    OtherRoot(String),
    /// There is something in the database.
    #[error("this database is not empty (there are rows in {0}); restore into a new one")]
    NotEmpty(&'static str),
    /// The file opens, and what was in it is not one keystore.
    #[error("what the backup holds does not fit together: {0}")]
    Unfit(#[from] StartError),
    /// The log's tree is not the one that its checkpoint has signed.
    #[error("the log in this backup is not the one that its checkpoint has signed")]
    OtherLog,
}
