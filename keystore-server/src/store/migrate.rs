// SPDX-License-Identifier: LGPL-2.0-or-later
//! What came of bringing a schema up to date, in words for an administrator.

use sqlx::migrate::{MigrateError, Migrator};

use super::StoreError;

/// Nothing was changed, except by migrations that came to their end before.
pub(super) fn failed(error: MigrateError, known: &Migrator) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => {
            let newest = known.iter().map(|migration| migration.version).max().unwrap_or(0);
            StoreError::Unfit(format!(
                "a newer plombe-keystore has changed it (schema {version}, and this one knows {newest}); \
                 run that one, or restore a backup from before"
            ))
        }
        MigrateError::VersionMismatch(version) => {
            StoreError::Unfit(format!("its schema {version} is not the one that this program makes"))
        }
        // Gone, full, read-only: it may come back.
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            StoreError::Unavailable(error)
        }
        other => StoreError::Unfit(other.to_string()),
    }
}
