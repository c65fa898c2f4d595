// SPDX-License-Identifier: LGPL-2.0-or-later
//! An empty database of each kind.

use std::{path::PathBuf, sync::Arc};

use plombe_keystore::store::{self, Location, Store};
use plombe_tests::{Postgres, peers};

/// A database that nobody else uses. Its file goes with it.
pub(crate) struct Database {
    pub(crate) location: Location,
    folder: tempfile::TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { location: Location::Sqlite(folder.path().join("keystore.db")), folder }
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let Some(postgres) = Postgres::shared() else {
            peers::skip("PostgreSQL");
            return None;
        };
        let location = Location::Postgres(postgres.database());
        Some(Self { location, folder: tempfile::tempdir().unwrap() })
    }

    /// One of each kind.
    pub(crate) fn each() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres()].into_iter().flatten().collect()
    }

    /// As a server opens it. Each time is another server.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.location, true).await.unwrap()
    }

    /// Of a SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("keystore.db")
    }

    /// Statements by somebody else, past the store.
    pub(crate) async fn run(&self, statements: &str) {
        let text = sqlx::AssertSqlSafe(statements.to_owned());
        match &self.location {
            Location::Sqlite(file) => {
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                sqlx::raw_sql(text).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Location::Postgres(url) => {
                let pool = sqlx::PgPool::connect(url).await.unwrap();
                sqlx::raw_sql(text).execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
    }
}
