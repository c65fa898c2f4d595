// SPDX-License-Identifier: LGPL-2.0-or-later
//! All of a batch or nothing, and nothing before its commit.

use plombe_keystore::store::{Batch, Store, TABLES, Transaction};

use crate::{
    databases::Database,
    rows::{blob, chain, commit, entry, head, load, record, request, tile, to, wrapped},
};

fn batch() -> Batch {
    Batch {
        head: Some(head(1)),
        entries: vec![entry(0, &[1])],
        tiles: vec![tile(0, 0)],
        records: vec![record(1, 1)],
        blobs: vec![blob(1, 1)],
        erased: Vec::new(),
        chains: vec![chain(1, 1, 0)],
        requests: vec![request(1, 0, 100)],
    }
}

/// Writes in every way that there is.
async fn write_everything(transaction: &mut dyn Transaction) {
    assert_eq!(transaction.insert_proofs(&[(vec![1; 32], 100)]).await.unwrap(), [true]);
    transaction.add_wrapped_key(&wrapped(1, "file:a")).await.unwrap();
    transaction.write(&batch()).await.unwrap();
}

async fn assert_nothing(store: &dyn Store) {
    assert_eq!(store.head().await.unwrap(), None);
    assert_eq!(store.entries(0, 10).await.unwrap(), []);
    assert_eq!(store.entries_of(&[1; 16], 0, 10).await.unwrap(), []);
    assert_eq!(store.tile(0, 0).await.unwrap(), None);
    assert_eq!(store.blob(&[1; 16]).await.unwrap(), None);
    assert_eq!(store.wrapped_keys().await.unwrap(), []);
}

#[tokio::test]
async fn nothing_is_seen_before_its_commit_and_everything_after() {
    for database in Database::each() {
        let (one, other) = (database.open().await, database.open().await);
        let mut transaction = one.begin().await.unwrap();
        write_everything(&mut *transaction).await;
        assert_nothing(&*other).await;
        assert_nothing(&*one).await;
        // Whoever wrote it sees it.
        assert_eq!(transaction.head().await.unwrap(), Some(head(1)));
        transaction.commit().await.unwrap();
        for store in [one, other] {
            assert_eq!(load(&*store).await, (Some(head(1)), vec![record(1, 1)]));
            assert_eq!(store.entries_of(&[1; 16], 0, 10).await.unwrap().len(), 1);
            assert_eq!(store.wrapped_keys().await.unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    for database in Database::each() {
        let store = database.open().await;
        let mut transaction = store.begin().await.unwrap();
        write_everything(&mut *transaction).await;
        drop(transaction);
        assert_nothing(&*store).await;
        // Neither proofs, requests, chains nor records, which are only read under the lock.
        let mut transaction = store.begin().await.unwrap();
        assert_eq!(transaction.requests(&[vec![1; 32]]).await.unwrap(), []);
        assert_eq!(transaction.chains(&[vec![1; 16]]).await.unwrap(), []);
        assert_eq!(transaction.records_changed_after(0).await.unwrap(), []);
        write_everything(&mut *transaction).await;
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_with_a_row_that_does_not_fit_leaves_nothing() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { entries: vec![entry(0, &[])], ..to(1) }).await.unwrap();
        // There is an entry 0, so the third one is refused by the database.
        let entries = vec![entry(1, &[2]), entry(2, &[2]), entry(0, &[2])];
        let bad = Batch { entries, blobs: vec![blob(1, 1)], ..to(4) };
        commit(&*store, &bad).await.unwrap_err();
        assert_eq!(store.head().await.unwrap(), Some(head(1)));
        assert_eq!(store.entries(0, 10).await.unwrap().len(), 1);
        assert_eq!(store.entries_of(&[2; 16], 0, 10).await.unwrap(), []);
        assert_eq!(store.blob(&[1; 16]).await.unwrap(), None);
        commit(&*store, &to(2)).await.unwrap();
    }
}

#[tokio::test]
async fn a_snapshot_stays_as_it_was_while_others_write_and_holds_nobody_up() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { entries: (0..3).map(|seq| entry(seq, &[])).collect(), ..to(3) })
            .await
            .unwrap();
        let mut snapshot = store.snapshot().await.unwrap();
        commit(&*store, &Batch { entries: vec![entry(3, &[])], ..to(4) }).await.unwrap();
        let entries = TABLES.iter().find(|table| table.name == "entries").unwrap();
        let mut after = None;
        let mut seen = 0;
        loop {
            let page = snapshot.page(entries, after.as_ref()).await.unwrap();
            seen += page.len();
            match page.into_iter().next_back() {
                Some(row) => after = Some(row),
                None => break,
            }
        }
        assert_eq!(seen, 3);
        assert_eq!(store.head().await.unwrap(), Some(head(4)));
    }
}
