// SPDX-License-Identifier: LGPL-2.0-or-later
//! Every statement, once. This file is compiled by `sqlite.rs` and by `postgres.rs`, each with its own `Db`: both
//! databases understand this SQL, and neither is asked through a common denominator at run time.

use sqlx::{Database, QueryBuilder, Row};

use super::{Db, INSERT, push_one_of, push_rows};
use crate::store::{
    BlobRow, ChainRow, EntryRow, HeadRow, Holds, Name, Place, RecordRow, RequestRow, SealedRow, StoreError,
    TileRow, Value, WrappedKeyRow,
};

type Connection = <Db as Database>::Connection;
type AnyRow = <Db as Database>::Row;

/// Rows per statement: well below the number of parameters that either database takes.
const AT_ONCE: usize = 500;

/// Records that are read at once: few enough to lie in memory beside what they become.
const PAGE: i64 = 1000;

const PROOFS: [Holds; 2] = [Holds::Bytes, Holds::Number];

/// Databases count in `i64`. What does not fit is not written: another number in its place would be believed.
pub(super) fn number(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::TooLarge)
}

/// For looking things up: nothing lies beyond what can be written.
fn up_to(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    let n = row.try_get::<i64, _>(column)?;
    u64::try_from(n).map_err(|_| StoreError::Unfit(format!("{column} is negative")))
}

pub(super) async fn head(connection: &mut Connection) -> Result<Option<HeadRow>, StoreError> {
    let row = sqlx::query("SELECT position, sealed, checkpoint FROM head WHERE only_one = 1")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(HeadRow {
            position: unsigned(&row, "position")?,
            sealed: row.try_get("sealed")?,
            checkpoint: row.try_get("checkpoint")?,
        })
    })
    .transpose()
}

fn record(row: &AnyRow) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        version: unsigned(row, "version")?,
        tenant: row.try_get("tenant")?,
        sealed: row.try_get("sealed")?,
    })
}

pub(super) async fn records(
    connection: &mut Connection,
    after: Option<&RecordRow>,
) -> Result<Vec<RecordRow>, StoreError> {
    let (kind, name) = after.map_or((i16::MIN, &[][..]), |row| (row.kind, &row.name[..]));
    let rows = sqlx::query(
        "SELECT kind, name, version, tenant, sealed FROM records WHERE (kind, name) > ($1, $2) \
         ORDER BY kind, name LIMIT $3",
    )
    .bind(kind)
    .bind(name)
    .bind(PAGE)
    .fetch_all(connection)
    .await?;
    rows.iter().map(record).collect()
}

pub(super) async fn records_changed_after(
    connection: &mut Connection,
    position: u64,
) -> Result<Vec<RecordRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, name, version, tenant, sealed FROM records WHERE changed > $1 ORDER BY changed",
    )
    .bind(up_to(position))
    .fetch_all(connection)
    .await?;
    rows.iter().map(record).collect()
}

pub(super) async fn insert_proofs(
    connection: &mut Connection,
    proofs: &[(Name, u64)],
) -> Result<Vec<bool>, StoreError> {
    let mut fresh = std::collections::HashSet::new();
    for some in proofs.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new(INSERT);
        query.push("proofs (id, expires) ");
        let rows = some
            .iter()
            .map(|(id, expires)| Ok(vec![Value::Bytes(id.clone()), Value::Number(number(*expires)?)]));
        push_rows(&mut query, &PROOFS, rows.collect::<Result<_, StoreError>>()?);
        query.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
        for row in query.build().fetch_all(&mut *connection).await? {
            fresh.insert(row.try_get::<Vec<u8>, _>("id")?);
        }
    }
    // The same id twice in one batch: only the first is new.
    Ok(proofs.iter().map(|(id, _)| fresh.remove(id)).collect())
}

pub(super) async fn requests(
    connection: &mut Connection,
    ids: &[Name],
) -> Result<Vec<RequestRow>, StoreError> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT id, digest, seq, tenant, answer, expires FROM requests WHERE id ",
        );
        push_one_of(&mut query, some);
        for row in query.build().fetch_all(&mut *connection).await? {
            found.push(RequestRow {
                id: row.try_get("id")?,
                digest: row.try_get("digest")?,
                seq: unsigned(&row, "seq")?,
                tenant: row.try_get("tenant")?,
                answer: row.try_get("answer")?,
                expires: unsigned(&row, "expires")?,
            });
        }
    }
    Ok(found)
}

pub(super) async fn chains(connection: &mut Connection, keys: &[Name]) -> Result<Vec<ChainRow>, StoreError> {
    let mut found = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("SELECT key, counter, last FROM chains WHERE key ");
        push_one_of(&mut query, some);
        for row in query.build().fetch_all(&mut *connection).await? {
            found.push(ChainRow {
                key: row.try_get("key")?,
                counter: unsigned(&row, "counter")?,
                last: unsigned(&row, "last")?,
            });
        }
    }
    Ok(found)
}

pub(super) async fn tile(
    connection: &mut Connection,
    level: u8,
    at: u64,
) -> Result<Option<TileRow>, StoreError> {
    let Ok(place) = i64::try_from(at) else { return Ok(None) };
    let row = sqlx::query("SELECT hashes FROM tiles WHERE level = $1 AND number = $2")
        .bind(i16::from(level))
        .bind(place)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(TileRow { level, number: at, hashes: row.try_get("hashes")? })).transpose()
}

pub(super) async fn blob(connection: &mut Connection, name: &[u8]) -> Result<Option<BlobRow>, StoreError> {
    let row = sqlx::query("SELECT name, version, tenant, sealed FROM blobs WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(BlobRow {
            name: row.try_get("name")?,
            version: unsigned(&row, "version")?,
            tenant: row.try_get("tenant")?,
            sealed: row.try_get("sealed")?,
        })
    })
    .transpose()
}

fn entry(row: &AnyRow) -> Result<EntryRow, StoreError> {
    Ok(EntryRow {
        seq: unsigned(row, "seq")?,
        tenant: row.try_get("tenant")?,
        sealed: row.try_get("sealed")?,
        lists: Vec::new(),
    })
}

pub(super) async fn entries(
    connection: &mut Connection,
    from: u64,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let (Ok(first), Some(others)) = (i64::try_from(from), limit.checked_sub(1)) else {
        return Ok(Vec::new());
    };
    let rows =
        sqlx::query("SELECT seq, tenant, sealed FROM entries WHERE seq >= $1 AND seq <= $2 ORDER BY seq")
            .bind(first)
            .bind(first.saturating_add(i64::from(others)))
            .fetch_all(connection)
            .await?;
    rows.iter().map(entry).collect()
}

pub(super) async fn entries_of(
    connection: &mut Connection,
    who: &[u8],
    from: u64,
    limit: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let rows = sqlx::query(
        "SELECT e.seq, e.tenant, e.sealed FROM entries_of l JOIN entries e ON e.seq = l.seq \
         WHERE l.who = $1 AND l.seq >= $2 ORDER BY l.seq LIMIT $3",
    )
    .bind(who)
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(entry).collect()
}

pub(super) async fn wrapped_keys(connection: &mut Connection) -> Result<Vec<WrappedKeyRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT tenant, generation, root, wrapped FROM wrapped_keys ORDER BY tenant, generation, root",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(WrappedKeyRow {
                tenant: row.try_get("tenant")?,
                generation: u32::try_from(unsigned(row, "generation")?)
                    .map_err(|_| StoreError::Unfit("a key's generation is out of range".into()))?,
                root: row.try_get("root")?,
                wrapped: row.try_get("wrapped")?,
            })
        })
        .collect()
}

pub(super) async fn add_wrapped_key(
    connection: &mut Connection,
    row: &WrappedKeyRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO wrapped_keys (tenant, generation, root, wrapped) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant, generation, root) DO NOTHING",
    )
    .bind(&row.tenant[..])
    .bind(i64::from(row.generation))
    .bind(&row.root)
    .bind(&row.wrapped[..])
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn drop_wrapped_key(
    connection: &mut Connection,
    row: &WrappedKeyRow,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM wrapped_keys WHERE tenant = $1 AND generation = $2 AND root = $3")
        .bind(&row.tenant[..])
        .bind(i64::from(row.generation))
        .bind(&row.root)
        .execute(connection)
        .await?;
    Ok(())
}

/// The generation stands at the beginning of each sealed blob: `hierarchy/blob.rs`.
pub(super) async fn sealed_otherwise(
    connection: &mut Connection,
    place: Place,
    tenant: &[u8],
    generation: u32,
    after: Option<&SealedRow>,
    limit: u32,
) -> Result<Vec<SealedRow>, StoreError> {
    let query = match place {
        Place::Blobs => {
            "SELECT name AS id, version, sealed FROM blobs \
             WHERE tenant = $1 AND substr(sealed, 2, 4) <> $2 AND name > $3 ORDER BY name LIMIT $4"
        }
        Place::Entries => {
            "SELECT seq AS id, 0 AS version, sealed FROM entries \
             WHERE tenant = $1 AND substr(sealed, 2, 4) <> $2 AND seq > $3 ORDER BY seq LIMIT $4"
        }
        Place::Answers => {
            "SELECT id, seq AS version, answer AS sealed FROM requests \
             WHERE tenant = $1 AND substr(answer, 2, 4) <> $2 AND id > $3 ORDER BY id LIMIT $4"
        }
    };
    let query = sqlx::query(query).bind(tenant).bind(generation.to_be_bytes().to_vec());
    let query = match place {
        Place::Entries => query.bind(after.map_or(-1, |row| entry_number(&row.id))),
        _ => query.bind(after.map_or_else(Vec::new, |row| row.id.clone())),
    };
    let rows = query.bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let (id, version) = match place {
                Place::Entries => (unsigned(row, "id")?.to_be_bytes().to_vec(), 0),
                _ => (row.try_get("id")?, unsigned(row, "version")?),
            };
            Ok(SealedRow { id, version, sealed: row.try_get("sealed")? })
        })
        .collect()
}

fn entry_number(id: &[u8]) -> i64 {
    id.try_into().map_or(-1, i64::from_be_bytes)
}

pub(super) async fn replace_sealed(
    connection: &mut Connection,
    place: Place,
    rows: &[(SealedRow, Vec<u8>)],
) -> Result<(), StoreError> {
    // What was replaced or erased meanwhile stays as it is.
    let text = match place {
        Place::Blobs => "UPDATE blobs SET sealed = $1 WHERE name = $2 AND sealed = $3",
        Place::Entries => "UPDATE entries SET sealed = $1 WHERE seq = $2 AND sealed = $3",
        Place::Answers => "UPDATE requests SET answer = $1 WHERE id = $2 AND answer = $3",
    };
    for (row, new) in rows {
        let query = sqlx::query(text).bind(&new[..]);
        let query = match place {
            Place::Entries => query.bind(entry_number(&row.id)),
            _ => query.bind(&row.id[..]),
        };
        query.bind(&row.sealed[..]).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn has_sealed_otherwise(
    connection: &mut Connection,
    tenant: &[u8],
    generation: u32,
) -> Result<bool, StoreError> {
    for place in [
        // A record that ended has left an empty row.
        "SELECT 1 FROM records WHERE tenant = $1 AND length(sealed) > 0 AND substr(sealed, 2, 4) <> $2 LIMIT 1",
        "SELECT 1 FROM blobs WHERE tenant = $1 AND substr(sealed, 2, 4) <> $2 LIMIT 1",
        "SELECT 1 FROM entries WHERE tenant = $1 AND substr(sealed, 2, 4) <> $2 LIMIT 1",
        "SELECT 1 FROM requests WHERE tenant = $1 AND substr(answer, 2, 4) <> $2 LIMIT 1",
    ] {
        let query = sqlx::query(place).bind(tenant).bind(generation.to_be_bytes().to_vec());
        if query.fetch_optional(&mut *connection).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) async fn fact(connection: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT value FROM facts WHERE name = $1").bind(name).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get("value")).transpose()?)
}

pub(super) async fn put_fact(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn replace_fact(
    connection: &mut Connection,
    name: &str,
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE facts SET value = $1 WHERE name = $2 AND value = $3")
        .bind(new)
        .bind(name)
        .bind(old)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget_expired(connection: &mut Connection, now: u64) -> Result<(), StoreError> {
    for table in ["DELETE FROM proofs WHERE expires < $1", "DELETE FROM requests WHERE expires < $1"] {
        sqlx::query(table).bind(up_to(now)).execute(&mut *connection).await?;
    }
    Ok(())
}
