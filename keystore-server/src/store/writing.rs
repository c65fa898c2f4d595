// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a batch writes: as a rule one statement, since each is a way to the database and back while everybody waits. Compiled once per
//! database, like `queries.rs`.

use sqlx::{Database, QueryBuilder};

use super::{Db, INSERT, begin_part, end_parts, push_rows, queries::number};
use crate::store::{
    Batch,
    Holds::{self, Bytes, Number, Text},
    Row, StoreError, Value,
};

type Connection = <Db as Database>::Connection;

/// Values of one statement: both databases take more.
const VALUES: usize = 6000;

/// Where rows go, and what is done where there is one already.
struct Into {
    table: &'static str,
    columns: &'static [Holds],
    conflict: &'static str,
}

const ENTRIES: Into =
    Into { table: "entries (seq, tenant, sealed)", columns: &[Number, Bytes, Bytes], conflict: "" };
const LISTS: Into = Into {
    table: "entries_of (who, seq)",
    columns: &[Bytes, Number],
    conflict: "ON CONFLICT (who, seq) DO NOTHING",
};
const TILES: Into = Into {
    table: "tiles (level, number, hashes)",
    columns: &[Number, Number, Bytes],
    conflict: "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
};
const RECORDS: Into = Into {
    table: "records (kind, name, version, changed, tenant, sealed)",
    columns: &[Number, Bytes, Number, Number, Bytes, Bytes],
    conflict: "ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version, changed = excluded.changed, \
        tenant = excluded.tenant, sealed = excluded.sealed",
};
const CHAINS: Into = Into {
    table: "chains (key, counter, last)",
    columns: &[Bytes, Number, Number],
    conflict: "ON CONFLICT (key) DO UPDATE SET counter = excluded.counter, last = excluded.last",
};
const REQUESTS: Into = Into {
    table: "requests (id, digest, seq, tenant, answer, expires)",
    columns: &[Bytes, Bytes, Number, Bytes, Bytes, Number],
    conflict: "ON CONFLICT (id) DO NOTHING",
};
const HEAD: Into = Into {
    table: "head (only_one, position, sealed, checkpoint)",
    columns: &[Number, Number, Bytes, Text],
    conflict: "ON CONFLICT (only_one) DO UPDATE SET position = excluded.position, sealed = excluded.sealed, \
        checkpoint = excluded.checkpoint",
};

/// Nothing in it comes twice, blobs apart.
pub(super) async fn write(connection: &mut Connection, batch: &Batch) -> Result<(), StoreError> {
    let mut together = Together::default();
    for (into, rows) in rows_of(batch)? {
        for some in rows.chunks(VALUES / into.columns.len()) {
            if together.values + some.len() * into.columns.len() > VALUES {
                std::mem::take(&mut together).execute(connection).await?;
            }
            together.add(into, some);
        }
    }
    together.execute(connection).await?;
    for blob in &batch.blobs {
        sqlx::query(
            "INSERT INTO blobs (name, version, tenant, sealed) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET version = excluded.version, tenant = excluded.tenant, \
             sealed = excluded.sealed",
        )
        .bind(&blob.name[..])
        .bind(number(blob.version)?)
        .bind(&blob.tenant[..])
        .bind(&blob.sealed[..])
        .execute(&mut *connection)
        .await?;
    }
    for name in &batch.erased {
        sqlx::query("DELETE FROM blobs WHERE name = $1").bind(&name[..]).execute(&mut *connection).await?;
    }
    Ok(())
}

fn rows_of(batch: &Batch) -> Result<[(&'static Into, Vec<Row>); 7], StoreError> {
    let bytes = |bytes: &Vec<u8>| Value::Bytes(bytes.clone());
    let count = |n: u64| Ok::<_, StoreError>(Value::Number(number(n)?));
    let (mut entries, mut lists) = (Vec::new(), Vec::new());
    for entry in &batch.entries {
        let sealed = entry.sealed.as_ref().map_or(Value::Null, bytes);
        entries.push(vec![count(entry.seq)?, bytes(&entry.tenant), sealed]);
        for who in &entry.lists {
            lists.push(vec![bytes(who), count(entry.seq)?]);
        }
    }
    let tiles = batch
        .tiles
        .iter()
        .map(|tile| Ok(vec![Value::Number(tile.level.into()), count(tile.number)?, bytes(&tile.hashes)]));
    let position = batch.head.as_ref().map_or(0, |head| head.position);
    let records = batch.records.iter().map(|record| {
        let (kind, name) = (Value::Number(record.kind.into()), bytes(&record.name));
        let (version, changed) = (count(record.version)?, count(position)?);
        Ok(vec![kind, name, version, changed, bytes(&record.tenant), bytes(&record.sealed)])
    });
    let chains = batch
        .chains
        .iter()
        .map(|chain| Ok(vec![bytes(&chain.key), count(chain.counter)?, count(chain.last)?]));
    let requests = batch.requests.iter().map(|request| {
        let (id, digest, seq) = (bytes(&request.id), bytes(&request.digest), count(request.seq)?);
        Ok(vec![id, digest, seq, bytes(&request.tenant), bytes(&request.answer), count(request.expires)?])
    });
    let head = batch.head.iter().map(|head| {
        let checkpoint = Value::Text(head.checkpoint.clone());
        Ok(vec![Value::Number(1), count(head.position)?, bytes(&head.sealed), checkpoint])
    });
    Ok([
        (&ENTRIES, entries),
        (&LISTS, lists),
        (&TILES, tiles.collect::<Result<_, StoreError>>()?),
        (&RECORDS, records.collect::<Result<_, StoreError>>()?),
        (&CHAINS, chains.collect::<Result<_, StoreError>>()?),
        (&REQUESTS, requests.collect::<Result<_, StoreError>>()?),
        (&HEAD, head.collect::<Result<_, StoreError>>()?),
    ])
}

/// Inserts that go to the database together.
struct Together {
    query: QueryBuilder<Db>,
    parts: usize,
    values: usize,
}

impl Default for Together {
    fn default() -> Self {
        Self { query: QueryBuilder::new(""), parts: 0, values: 0 }
    }
}

impl Together {
    fn add(&mut self, into: &Into, rows: &[Row]) {
        begin_part(&mut self.query, self.parts);
        self.query.push(INSERT).push(into.table).push(" ");
        push_rows(&mut self.query, into.columns, rows.to_vec());
        self.query.push(" ").push(into.conflict);
        self.parts += 1;
        self.values += rows.len() * into.columns.len();
    }

    async fn execute(mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.parts > 0 {
            end_parts(&mut self.query);
            self.query.build().execute(connection).await?;
        }
        Ok(())
    }
}
