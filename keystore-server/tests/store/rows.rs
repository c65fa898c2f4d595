// SPDX-License-Identifier: LGPL-2.0-or-later
//! Rows to write: content does not matter to a store.

use plombe_keystore::store::{
    Batch, BlobRow, ChainRow, EntryRow, HeadRow, RecordRow, RequestRow, Store, StoreError, TileRow,
    WrappedKeyRow,
};

pub(crate) const TENANT: [u8; 16] = [9; 16];

pub(crate) fn head(position: u64) -> HeadRow {
    HeadRow { position, sealed: vec![7; 60], checkpoint: format!("example.org/log\n{position}\n") }
}

pub(crate) fn record(name: u8, version: u64) -> RecordRow {
    RecordRow {
        kind: 2,
        name: vec![name; 16],
        version,
        tenant: TENANT.into(),
        sealed: vec![0, 0, 0, 0, 1, name],
    }
}

pub(crate) fn blob(name: u8, version: u64) -> BlobRow {
    BlobRow { name: vec![name; 16], version, tenant: TENANT.into(), sealed: vec![0, 0, 0, 0, 1, name] }
}

pub(crate) fn entry(seq: u64, lists: &[u8]) -> EntryRow {
    let lists = lists.iter().map(|list| vec![*list; 16]).collect();
    EntryRow { seq, tenant: TENANT.into(), sealed: Some(vec![0, 0, 0, 0, 1, 5]), lists }
}

/// As it is read: lists are for looking up.
pub(crate) fn read(entry: EntryRow) -> EntryRow {
    EntryRow { lists: Vec::new(), ..entry }
}

pub(crate) fn tile(level: u8, number: u64) -> TileRow {
    TileRow { level, number, hashes: vec![level; 64] }
}

pub(crate) fn chain(key: u8, counter: u64, last: u64) -> ChainRow {
    ChainRow { key: vec![key; 16], counter, last }
}

pub(crate) fn request(id: u8, seq: u64, expires: u64) -> RequestRow {
    RequestRow {
        id: vec![id; 32],
        digest: vec![1; 32],
        seq,
        tenant: TENANT.into(),
        answer: vec![0, 0, 0, 0, 1, id],
        expires,
    }
}

pub(crate) fn wrapped(generation: u32, root: &str) -> WrappedKeyRow {
    WrappedKeyRow { tenant: TENANT.into(), generation, root: root.into(), wrapped: vec![3; 60] }
}

/// A batch that moves the head, and nothing else.
pub(crate) fn to(position: u64) -> Batch {
    Batch { head: Some(head(position)), ..Batch::default() }
}

/// Writes and commits.
pub(crate) async fn commit(store: &dyn Store, batch: &Batch) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    transaction.write(batch).await?;
    transaction.commit().await
}

/// The head and every record, page by page.
pub(crate) async fn load(store: &dyn Store) -> (Option<HeadRow>, Vec<RecordRow>) {
    let mut snapshot = store.snapshot().await.unwrap();
    let head = snapshot.head().await.unwrap();
    let mut records: Vec<RecordRow> = Vec::new();
    loop {
        let page = snapshot.records(records.last()).await.unwrap();
        if page.is_empty() {
            return (head, records);
        }
        records.extend(page);
    }
}
