// SPDX-License-Identifier: LGPL-2.0-or-later
//! PostgreSQL: any number of servers on one database.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    Batch, BlobRow, ChainRow, EntryRow, HeadRow, Name, Place, RecordRow, RequestRow, Row, SealedRow,
    Snapshot, Store, StoreError, Table, TileRow, Transaction, WrappedKeyRow, implement::implement,
};

#[path = "copying.rs"]
mod copying;
#[path = "queries.rs"]
mod queries;

type Db = sqlx::Postgres;

/// Waiting for a connection before a request is told that the database is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Number of the advisory lock that stands for the log's head; any constant will do. A lock on the row would not hold
/// before there is a row.
const HEAD_LOCK: i64 = 0x706c_6f6d_6265;

pub(super) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    /// Connects and brings the schema up to date.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("plombe-keystore");
        let pool =
            PgPoolOptions::new().max_connections(8).acquire_timeout(PATIENCE).connect_with(options).await?;
        sqlx::migrate!("migrations/postgres")
            .run(&pool)
            .await
            .map_err(|e| StoreError::Unfit(e.to_string()))?;
        Ok(Self { pool })
    }

    fn reader(&self) -> &PgPool {
        &self.pool
    }

    fn writer(&self) -> &PgPool {
        &self.pool
    }

    async fn lock(&self) -> Result<sqlx::Transaction<'_, Db>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(HEAD_LOCK).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// A transaction that only reads, and sees one moment.
    async fn read(&self) -> Result<sqlx::Transaction<'_, Db>, StoreError> {
        Ok(self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
    }

    async fn findings(&self) -> Result<Vec<String>, StoreError> {
        let mut findings = Vec::new();
        for (setting, bad, why) in [
            ("fsync", &["off"][..], "the database can be destroyed by a power failure"),
            ("full_page_writes", &["off"], "pages can be torn by a power failure"),
            ("synchronous_commit", &["off"], "acknowledged records can be lost by a power failure"),
        ] {
            let (value,): (String,) =
                sqlx::query_as("SELECT current_setting($1)").bind(setting).fetch_one(&self.pool).await?;
            if bad.contains(&value.as_str()) {
                findings.push(format!("PostgreSQL has {setting} = {value}: {why}"));
            }
        }
        Ok(findings)
    }

    async fn copy(&self, _file: &Path) -> Result<(), StoreError> {
        Err(StoreError::Unfit("PostgreSQL is backed up by its own tools (pg_dump, pg_basebackup)".into()))
    }
}

implement!(Postgres);
