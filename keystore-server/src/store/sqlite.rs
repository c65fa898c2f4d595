// SPDX-License-Identifier: LGPL-2.0-or-later
//! SQLite: one file, one server (and administrators' commands beside it).

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    QueryBuilder, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Batch, BlobRow, ChainRow, EntryRow, HeadRow, Holds, Name, Place, RecordRow, RequestRow, Row, SealedRow,
    Snapshot, Store, StoreError, Table, TileRow, Transaction, Value, WrappedKeyRow,
    files::Files,
    implement::{implement, within},
    migrate,
};

#[path = "copying.rs"]
mod copying;
#[path = "queries.rs"]
mod queries;
#[path = "writing.rs"]
mod writing;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

type Db = sqlx::Sqlite;

/// Waiting for another process's write: an administrator's command, a backup.
const PATIENCE: Duration = Duration::from_secs(10);

/// Statements that stay prepared: a batch's differs by the number of its rows.
const STATEMENTS: usize = 500;

/// Takes the write lock at once: a transaction that reads first and wants to write later can fail in between.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// One writer, since SQLite has one lock; several readers, since WAL lets them read meanwhile.
pub(super) struct Sqlite {
    files: Files,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens `file`, and makes it when there is none and `create` is set; brings its schema up to date.
    pub(super) async fn open(file: &Path, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            // A reply promises that its record survives a power failure.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            .statement_cache_capacity(STATEMENTS)
            // Pages are copied from the log into the file: less often, and each of them for more batches.
            .pragma("wal_autocheckpoint", "4000")
            // What is erased is overwritten.
            .pragma("secure_delete", "ON")
            .foreign_keys(true);
        // Open for as long as the server runs, and with it the files that are compared.
        let writer = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let writer = writer.connect_with(options.clone()).await?;
        MIGRATIONS.run(&writer).await.map_err(|error| migrate::failed(error, &MIGRATIONS))?;
        let readers =
            SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        Ok(Self { files: Files::of(file), writer, readers })
    }

    fn still_there(&self) -> Result<(), StoreError> {
        self.files.still_there()
    }

    fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    async fn lock(&self) -> Result<sqlx::Transaction<'_, Db>, StoreError> {
        self.still_there()?;
        match self.writer.begin_with(BEGIN).await {
            // SQLite has ended a transaction itself, as it does when a disk is full, and this connection has lost count of it.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                // The last connection that closes takes the write-ahead log along.
                let _open = self.readers.acquire().await?;
                self.writer.acquire().await?.close().await?;
                Ok(self.writer.begin_with(BEGIN).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// A transaction that only reads: in WAL it sees one moment, and nobody waits for it.
    async fn read(&self) -> Result<sqlx::Transaction<'_, Db>, StoreError> {
        Ok(self.readers.begin().await?)
    }

    async fn findings(&self) -> Result<Vec<String>, StoreError> {
        let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(&self.writer).await?;
        let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&self.writer).await?;
        let mut findings = Vec::new();
        // SQLite opens what it may only read as readily as anything else. Nothing comes of this: there is no commit.
        let mut probe = self.lock().await?;
        let written =
            sqlx::query("INSERT INTO facts (name, value) VALUES ('probe', '')").execute(&mut *probe);
        if let Err(error) = written.await {
            findings.push(format!("SQLite cannot write to its file: {error}"));
        }
        drop(probe);
        if synchronous < 2 {
            findings.push("SQLite does not wait for the disk (synchronous is not FULL)".into());
        }
        if journal != "wal" {
            findings
                .push(format!("SQLite's journal is {journal}, not WAL; is the file system a network share?"));
        }
        Ok(findings)
    }

    async fn copy(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_str().ok_or_else(|| StoreError::Unfit("the file's name is not UTF-8".into()))?;
        sqlx::query("VACUUM INTO $1").bind(file).execute(&self.readers).await?;
        Ok(())
    }
}

/// What fails undoes its whole transaction here. So SQLite need not keep each page beside it that a statement changes, to undo the
/// statement alone.
const INSERT: &str = "INSERT OR FAIL INTO ";

/// Rows for an insert.
fn push_rows(query: &mut QueryBuilder<Db>, _: &[Holds], rows: Vec<Row>) {
    query.push_values(rows, |mut values, row| {
        for value in row {
            match value {
                Value::Null => values.push("NULL"),
                Value::Number(number) => values.push_bind(number),
                Value::Bytes(bytes) => values.push_bind(bytes),
                Value::Text(text) => values.push_bind(text),
            };
        }
    });
}

/// A condition that what stands before is one of these.
fn push_one_of(query: &mut QueryBuilder<Db>, names: &[Name]) {
    let mut list = query.push("IN (").separated(", ");
    names.iter().for_each(|name| _ = list.push_bind(name.clone()));
    query.push(")");
}

/// SQLite runs statements one after another that come as one text.
fn begin_part(query: &mut QueryBuilder<Db>, before: usize) {
    if before > 0 {
        query.push("; ");
    }
}

fn end_parts(_: &mut QueryBuilder<Db>) {}

implement!(Sqlite);
