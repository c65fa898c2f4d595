// SPDX-License-Identifier: LGPL-2.0-or-later
//! Any table's rows, read and written as they are: for backups. Compiled once per database, like `queries.rs`.

use sqlx::{Database, QueryBuilder, Row as _};

use super::Db;
use crate::store::{Holds, Row, StoreError, Table, Value};

type Connection = <Db as Database>::Connection;
type AnyRow = <Db as Database>::Row;

/// Parameters per statement: both databases take more.
const PARAMETERS: usize = 6000;

fn joined(columns: &[(&str, Holds)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

pub(super) async fn page(
    connection: &mut Connection,
    table: &Table,
    after: Option<&Row>,
) -> Result<Vec<Row>, StoreError> {
    let read = |(name, holds): &(&str, Holds)| match holds {
        // Small numbers have a type of their own in PostgreSQL.
        Holds::Number => format!("CAST({name} AS BIGINT) AS {name}"),
        _ => (*name).to_owned(),
    };
    let columns: Vec<String> = table.columns.iter().map(read).collect();
    let key = joined(&table.columns[..table.key]);
    let mut query = QueryBuilder::<Db>::new(format!("SELECT {} FROM {}", columns.join(", "), table.name));
    if let Some(after) = after {
        query.push(format!(" WHERE ({key}) > ("));
        let mut values = query.separated(", ");
        for value in after.iter().take(table.key) {
            match value {
                Value::Null => values.push("NULL"),
                Value::Number(number) => values.push_bind(*number),
                Value::Bytes(bytes) => values.push_bind(bytes.clone()),
                Value::Text(text) => values.push_bind(text.clone()),
            };
        }
        query.push(")");
    }
    // By the columns as they are stored, so that the key's index gives the order.
    let order: Vec<String> =
        table.columns[..table.key].iter().map(|(name, _)| format!("{}.{name}", table.name)).collect();
    query.push(format!(" ORDER BY {} LIMIT {}", order.join(", "), table.page));
    let rows = query.build().fetch_all(connection).await?;
    rows.iter().map(|row| values(table, row)).collect()
}

fn values(table: &Table, row: &AnyRow) -> Result<Row, StoreError> {
    let value = |(name, holds): &(&str, Holds)| -> Result<Value, sqlx::Error> {
        Ok(match holds {
            Holds::Number => row.try_get::<Option<i64>, _>(*name)?.map_or(Value::Null, Value::Number),
            Holds::Bytes => row.try_get::<Option<Vec<u8>>, _>(*name)?.map_or(Value::Null, Value::Bytes),
            Holds::Text => row.try_get::<Option<String>, _>(*name)?.map_or(Value::Null, Value::Text),
        })
    };
    table.columns.iter().map(|column| Ok(value(column)?)).collect()
}

pub(super) async fn is_empty(connection: &mut Connection, table: &Table) -> Result<bool, StoreError> {
    let mut query = QueryBuilder::<Db>::new(format!("SELECT 1 FROM {} LIMIT 1", table.name));
    Ok(query.build().fetch_optional(connection).await?.is_none())
}

pub(super) async fn clear(connection: &mut Connection, table: &Table) -> Result<(), StoreError> {
    QueryBuilder::<Db>::new(format!("DELETE FROM {}", table.name)).build().execute(connection).await?;
    Ok(())
}

pub(super) async fn insert(
    connection: &mut Connection,
    table: &Table,
    rows: &[Row],
) -> Result<(), StoreError> {
    for some in rows.chunks(PARAMETERS / table.columns.len()) {
        let mut query =
            QueryBuilder::<Db>::new(format!("INSERT INTO {} ({}) ", table.name, joined(table.columns)));
        query.push_values(some, |mut values, row| {
            for (value, (_, holds)) in row.iter().zip(table.columns) {
                match (value, holds) {
                    (Value::Number(number), _) => values.push_bind(*number),
                    (Value::Bytes(bytes), _) => values.push_bind(bytes.clone()),
                    (Value::Text(text), _) => values.push_bind(text.clone()),
                    (Value::Null, Holds::Number) => values.push_bind(None::<i64>),
                    (Value::Null, Holds::Bytes) => values.push_bind(None::<Vec<u8>>),
                    (Value::Null, Holds::Text) => values.push_bind(None::<String>),
                };
            }
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
