// SPDX-License-Identifier: LGPL-2.0-or-later
//! PostgreSQL: any number of servers on one database.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection as _, PgConnection, PgPool, QueryBuilder,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    Batch, BlobRow, ChainRow, EntryRow, HeadRow, Holds, Name, Place, RecordRow, RequestRow, Row, SealedRow,
    Snapshot, Store, StoreError, Table, TileRow, Transaction, Value, WrappedKeyRow,
    implement::{implement, within},
    migrate,
};

#[path = "copying.rs"]
mod copying;
#[path = "queries.rs"]
mod queries;
#[path = "writing.rs"]
mod writing;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

type Db = sqlx::Postgres;

/// Waiting for a connection before a request is told that the database is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the database does for us, so that a server which is frozen, or whose machine is gone, does not hold up the others: it loses
/// its transaction (and so the lock of the log's head) before those that wait give up. Each that gives up records nothing,
/// says so, and tries again with the next request.
const LIMITS: [(&str, &str); 7] = [
    ("idle_in_transaction_session_timeout", "5s"),
    ("lock_timeout", "8s"),
    ("statement_timeout", "30s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25s"),
];

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
        // Without limits: a migration may take its time, and another server's is waited for.
        let mut migrating = PgConnection::connect_with(&options).await?;
        MIGRATIONS.run(&mut migrating).await.map_err(|error| migrate::failed(error, &MIGRATIONS))?;
        migrating.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .connect_with(options.options(LIMITS))
            .await?;
        Ok(Self { pool })
    }

    /// A database server looks after its files itself.
    fn still_there(&self) -> Result<(), StoreError> {
        Ok(())
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
        let mut transaction = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // It holds nobody up, and may wait for a slow disk.
        sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *transaction).await?;
        Ok(transaction)
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

const INSERT: &str = "INSERT INTO ";

/// Rows for an insert, column by column: so the text is the same for any number of rows, and is prepared once.
fn push_rows(query: &mut QueryBuilder<Db>, columns: &[Holds], rows: Vec<Row>) {
    let mut values: Vec<Vec<Value>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        values.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    query.push("SELECT * FROM unnest(");
    for (i, (holds, column)) in columns.iter().zip(values).enumerate() {
        query.push(if i > 0 { ", " } else { "" });
        let column = column.into_iter();
        match holds {
            Holds::Number => {
                let number = |value| if let Value::Number(number) = value { Some(number) } else { None };
                query.push_bind(column.map(number).collect::<Vec<_>>()).push("::bigint[]")
            }
            Holds::Bytes => {
                let bytes = |value| if let Value::Bytes(bytes) = value { Some(bytes) } else { None };
                query.push_bind(column.map(bytes).collect::<Vec<_>>()).push("::bytea[]")
            }
            Holds::Text => {
                let text = |value| if let Value::Text(text) = value { Some(text) } else { None };
                query.push_bind(column.map(text).collect::<Vec<_>>()).push("::text[]")
            }
        };
    }
    query.push(")");
}

/// A condition that what stands before is one of these.
fn push_one_of(query: &mut QueryBuilder<Db>, names: &[Name]) {
    query.push("= ANY(").push_bind(names.to_vec()).push(")");
}

/// PostgreSQL takes one statement with parameters; the inserts are parts of it.
fn begin_part(query: &mut QueryBuilder<Db>, before: usize) {
    query.push(if before == 0 { "WITH " } else { "), " }).push(format!("part{before} AS ("));
}

fn end_parts(query: &mut QueryBuilder<Db>) {
    query.push(") SELECT 1");
}

implement!(Postgres);
