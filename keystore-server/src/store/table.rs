// SPDX-License-Identifier: LGPL-2.0-or-later
//! The tables as they are, for copying everything from one database to another: both have the same.

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, as in an entry that was erased.
    Null,
    /// Any integer.
    Number(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// [`Value::Number`].
    Number,
    /// [`Value::Bytes`].
    Bytes,
    /// [`Value::Text`].
    Text,
}

/// A row's values, in the order of its table's columns.
pub type Row = Vec<Value>;

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of the primary key come first.
    pub columns: &'static [(&'static str, Holds)],
    /// How many columns the primary key has.
    pub key: usize,
    /// Rows that are read at once: few where they are large.
    pub page: u32,
}

use Holds::{Bytes, Number, Text};

/// Every table of the schema. Their places in this list are in backups and never change; new ones come at the end.
pub const TABLES: &[Table] = &[
    Table {
        name: "head",
        columns: &[("only_one", Number), ("position", Number), ("sealed", Bytes), ("checkpoint", Text)],
        key: 1,
        page: 1,
    },
    Table {
        name: "records",
        columns: &[
            ("kind", Number),
            ("name", Bytes),
            ("version", Number),
            ("changed", Number),
            ("tenant", Bytes),
            ("sealed", Bytes),
        ],
        key: 2,
        page: 200,
    },
    Table {
        name: "blobs",
        columns: &[("name", Bytes), ("version", Number), ("tenant", Bytes), ("sealed", Bytes)],
        key: 1,
        page: 16,
    },
    Table {
        name: "entries",
        columns: &[("seq", Number), ("tenant", Bytes), ("sealed", Bytes)],
        key: 1,
        page: 500,
    },
    Table { name: "entries_of", columns: &[("who", Bytes), ("seq", Number)], key: 2, page: 1000 },
    Table {
        name: "tiles",
        columns: &[("level", Number), ("number", Number), ("hashes", Bytes)],
        key: 2,
        page: 200,
    },
    Table {
        name: "chains",
        columns: &[("key", Bytes), ("counter", Number), ("last", Number)],
        key: 1,
        page: 1000,
    },
    Table { name: "proofs", columns: &[("id", Bytes), ("expires", Number)], key: 1, page: 1000 },
    Table {
        name: "requests",
        columns: &[
            ("id", Bytes),
            ("digest", Bytes),
            ("seq", Number),
            ("tenant", Bytes),
            ("answer", Bytes),
            ("expires", Number),
        ],
        key: 1,
        page: 100,
    },
    Table {
        name: "wrapped_keys",
        columns: &[("tenant", Bytes), ("generation", Number), ("root", Text), ("wrapped", Bytes)],
        key: 3,
        page: 100,
    },
    Table { name: "facts", columns: &[("name", Text), ("value", Text)], key: 1, page: 100 },
];
