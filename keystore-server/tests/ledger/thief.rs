// SPDX-License-Identifier: LGPL-2.0-or-later
//! Somebody with the database's password, and without a key.

use plombe_keystore::store::Location;
use sqlx::Connection as _;

/// Statements past the store, one after the other; how many rows the last one changed. What is written is understood by both databases.
pub(crate) async fn run(location: &Location, statements: &[&str]) -> u64 {
    let mut changed = 0;
    match location {
        Location::Sqlite(file) => {
            let url = format!("sqlite:{}", file.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            for statement in statements {
                let statement = sqlx::AssertSqlSafe((*statement).to_owned());
                changed = sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected();
            }
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            for statement in statements {
                let statement = sqlx::AssertSqlSafe((*statement).to_owned());
                changed = sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected();
            }
        }
    }
    changed
}

/// Each row of a table gets this column of another row of the same table. There are two.
pub(crate) fn swap(table: &str, column: &str, key: &str) -> [String; 2] {
    [
        format!("CREATE TABLE before AS SELECT * FROM {table}"),
        format!(
            "UPDATE {table} SET {column} = (SELECT b.{column} FROM before b WHERE b.{key} <> {table}.{key})"
        ),
    ]
}
