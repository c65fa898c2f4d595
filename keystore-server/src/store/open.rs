// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which database, by what the configuration says.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use url::Url;

use super::{Store, StoreError, postgres::Postgres, sqlite::Sqlite};

/// `sqlite:FILE`, or `postgres://…` as PostgreSQL spells it.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// One file.
    Sqlite(PathBuf),
    /// A connection string, which may hold a password.
    Postgres(String),
}

impl Location {
    /// Does it hold a password, in either of the places that a connection string has for one?
    pub fn has_password(&self) -> bool {
        let Self::Postgres(text) = self else { return false };
        // What is no URL connects to nothing.
        Url::parse(text).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
    }
}

/// Says nothing of the connection string, which may hold a password.
impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl FromStr for Location {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(file) = text.strip_prefix("sqlite:").filter(|file| !file.is_empty()) {
            Ok(Self::Sqlite(file.into()))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Self::Postgres(text.to_owned()))
        } else {
            Err(StoreError::Unfit("a database is sqlite:FILE or postgres://USER@HOST/NAME".into()))
        }
    }
}

/// Opens the database; makes a new SQLite file only when `create` is set.
pub async fn open(location: &Location, create: bool) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match location {
        Location::Sqlite(file) => Arc::new(Sqlite::open(file, create).await?),
        Location::Postgres(url) => Arc::new(Postgres::open(url).await?),
    })
}
