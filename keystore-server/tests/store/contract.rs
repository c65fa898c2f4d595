// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is written is read again, by whoever asks.

use plombe_keystore::store::{Batch, RecordRow};

use crate::{
    databases::Database,
    rows::{TENANT, blob, chain, commit, entry, head, load, read, record, request, tile, to, wrapped},
};

#[tokio::test]
async fn an_empty_database_holds_nothing_and_says_so() {
    for database in Database::each() {
        let store = database.open().await;
        assert_eq!(store.head().await.unwrap(), None);
        assert_eq!(load(&*store).await, (None, Vec::new()));
        assert_eq!(store.blob(&[1; 16]).await.unwrap(), None);
        assert_eq!(store.entries(0, 10).await.unwrap(), []);
        assert_eq!(store.entries_of(&[1; 16], 0, 10).await.unwrap(), []);
        assert_eq!(store.tile(0, 0).await.unwrap(), None);
        assert_eq!(store.wrapped_keys().await.unwrap(), []);
        assert_eq!(store.fact("log-name").await.unwrap(), None);
        assert_eq!(store.durability_findings().await.unwrap(), [""; 0]);
        let mut transaction = store.begin().await.unwrap();
        assert_eq!(transaction.head().await.unwrap(), None);
        assert_eq!(transaction.records_changed_after(0).await.unwrap(), []);
        assert_eq!(transaction.insert_proofs(&[]).await.unwrap(), [false; 0]);
        assert_eq!(transaction.requests(&[vec![1; 32]]).await.unwrap(), []);
        assert_eq!(transaction.chains(&[vec![1; 16]]).await.unwrap(), []);
        assert!(!transaction.has_sealed_otherwise(&TENANT, 1).await.unwrap());
    }
}

#[tokio::test]
async fn everything_of_a_batch_is_there_for_every_server() {
    for database in Database::each() {
        let (one, other) = (database.open().await, database.open().await);
        let batch = Batch {
            head: Some(head(3)),
            entries: vec![entry(0, &[1]), entry(1, &[1, 2]), entry(2, &[2])],
            tiles: vec![tile(0, 0), tile(1, 0)],
            records: vec![record(1, 1), record(2, 1)],
            blobs: vec![blob(1, 1)],
            chains: vec![chain(1, 2, 1)],
            requests: vec![request(1, 0, 100)],
            erased: Vec::new(),
        };
        commit(&*one, &batch).await.unwrap();
        assert_eq!(other.head().await.unwrap(), Some(head(3)));
        assert_eq!(load(&*other).await, (Some(head(3)), vec![record(1, 1), record(2, 1)]));
        assert_eq!(other.blob(&[1; 16]).await.unwrap(), Some(blob(1, 1)));
        assert_eq!(other.tile(1, 0).await.unwrap(), Some(tile(1, 0)));
        assert_eq!(other.tile(1, 1).await.unwrap(), None);
        let mut transaction = other.begin().await.unwrap();
        assert_eq!(transaction.head().await.unwrap(), Some(head(3)));
        assert_eq!(transaction.tile(0, 0).await.unwrap(), Some(tile(0, 0)));
        assert_eq!(transaction.blob(&[1; 16]).await.unwrap(), Some(blob(1, 1)));
        assert_eq!(transaction.chains(&[vec![1; 16], vec![2; 16]]).await.unwrap(), [chain(1, 2, 1)]);
        assert_eq!(transaction.requests(&[vec![1; 32], vec![2; 32]]).await.unwrap(), [request(1, 0, 100)]);
    }
}

#[tokio::test]
async fn entries_come_in_order_from_where_and_for_whom_they_were_asked() {
    for database in Database::each() {
        let store = database.open().await;
        // Both odd and even ones are in list 3.
        let entries: Vec<_> = (0..1200).map(|seq| entry(seq, &[u8::try_from(seq % 2).unwrap(), 3])).collect();
        commit(&*store, &Batch { entries, ..to(1200) }).await.unwrap();
        let some = store.entries(598, 4).await.unwrap();
        assert_eq!(some, (598..602).map(|seq| read(entry(seq, &[]))).collect::<Vec<_>>());
        assert_eq!(store.entries(1199, 10).await.unwrap().len(), 1);
        assert_eq!(store.entries(1200, 10).await.unwrap(), []);
        assert_eq!(store.entries(0, 0).await.unwrap(), []);
        let odd = store.entries_of(&[1; 16], 598, 3).await.unwrap();
        assert_eq!(odd.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [599, 601, 603]);
        assert_eq!(store.entries_of(&[3; 16], 0, 2000).await.unwrap().len(), 1200);
        assert_eq!(store.entries_of(&[4; 16], 0, 10).await.unwrap(), []);
    }
}

#[tokio::test]
async fn records_that_changed_are_told_by_the_position_of_their_batch() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { records: vec![record(1, 1), record(2, 1)], ..to(5) }).await.unwrap();
        commit(&*store, &Batch { records: vec![record(2, 2), record(3, 1)], ..to(8) }).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let mut changed = async |after| {
            let mut rows = transaction.records_changed_after(after).await.unwrap();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            rows
        };
        let changed = [changed(0).await, changed(4).await, changed(5).await, changed(8).await];
        let all = vec![record(1, 1), record(2, 2), record(3, 1)];
        assert_eq!(changed, [all.clone(), all, vec![record(2, 2), record(3, 1)], Vec::new()]);
    }
}

#[tokio::test]
async fn what_changes_is_the_newest_and_what_is_erased_is_gone() {
    for database in Database::each() {
        let store = database.open().await;
        let first = Batch {
            tiles: vec![tile(0, 0)],
            blobs: vec![blob(1, 1), blob(2, 1)],
            chains: vec![chain(1, 1, 0)],
            ..to(1)
        };
        commit(&*store, &first).await.unwrap();
        let longer = plombe_keystore::store::TileRow { hashes: vec![1; 96], ..tile(0, 0) };
        let second = Batch {
            tiles: vec![longer.clone()],
            blobs: vec![blob(1, 2)],
            erased: vec![vec![2; 16], vec![3; 16]],
            chains: vec![chain(1, 2, 7)],
            ..to(8)
        };
        commit(&*store, &second).await.unwrap();
        assert_eq!(store.tile(0, 0).await.unwrap(), Some(longer));
        assert_eq!(store.blob(&[1; 16]).await.unwrap(), Some(blob(1, 2)));
        assert_eq!(store.blob(&[2; 16]).await.unwrap(), None);
        assert_eq!(store.begin().await.unwrap().chains(&[vec![1; 16]]).await.unwrap(), [chain(1, 2, 7)]);
    }
}

#[tokio::test]
async fn facts_and_wrapped_keys_are_stated_and_replaced() {
    for database in Database::each() {
        let store = database.open().await;
        store.put_fact("log-name", "a").await.unwrap();
        store.put_fact("log-name", "b").await.unwrap();
        store.replace_fact("log-name", "a", "c").await.unwrap();
        assert_eq!(store.fact("log-name").await.unwrap().as_deref(), Some("b"), "it was not a any more");
        store.replace_fact("log-name", "b", "c").await.unwrap();
        assert_eq!(store.fact("log-name").await.unwrap().as_deref(), Some("c"));

        store.add_wrapped_key(&wrapped(1, "file:a")).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        transaction.add_wrapped_key(&wrapped(2, "file:a")).await.unwrap();
        transaction.add_wrapped_key(&wrapped(2, "file:b")).await.unwrap();
        transaction.drop_wrapped_key(&wrapped(1, "file:a")).await.unwrap();
        let both = vec![wrapped(2, "file:a"), wrapped(2, "file:b")];
        assert_eq!(transaction.wrapped_keys().await.unwrap(), both);
        transaction.commit().await.unwrap();
        assert_eq!(store.wrapped_keys().await.unwrap(), both);
    }
}

#[tokio::test]
async fn what_has_expired_is_forgotten_and_nothing_else() {
    for database in Database::each() {
        let store = database.open().await;
        let proofs = [(vec![1; 32], 100), (vec![2; 32], 101)];
        let mut transaction = store.begin().await.unwrap();
        assert_eq!(transaction.insert_proofs(&proofs).await.unwrap(), [true, true]);
        let requests = vec![request(1, 0, 100), request(2, 1, 101)];
        transaction.write(&Batch { requests, ..to(2) }).await.unwrap();
        transaction.commit().await.unwrap();

        store.forget_expired(101).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        assert_eq!(transaction.insert_proofs(&proofs).await.unwrap(), [true, false]);
        let left = transaction.requests(&[vec![1; 32], vec![2; 32]]).await.unwrap();
        assert_eq!(left, [request(2, 1, 101)]);
    }
}

#[tokio::test]
async fn a_copy_of_a_running_sqlite_database_is_whole_and_postgresql_has_its_own_tools() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { blobs: vec![blob(1, 1)], ..to(1) }).await.unwrap();
        let copy = Database::sqlite();
        let copied = store.copy_to(&copy.file()).await;
        if matches!(database.location, plombe_keystore::store::Location::Postgres(_)) {
            assert!(copied.unwrap_err().to_string().contains("pg_dump"));
            continue;
        }
        copied.unwrap();
        commit(&*store, &to(2)).await.unwrap();
        let copy = copy.open().await;
        assert_eq!(copy.head().await.unwrap(), Some(head(1)));
        assert_eq!(copy.blob(&[1; 16]).await.unwrap(), Some(blob(1, 1)));
    }
}

/// More than are read at once, of several kinds, ended ones among them.
#[tokio::test]
async fn every_record_is_read_once_and_by_kind_whatever_their_number() {
    for database in Database::each() {
        let store = database.open().await;
        let rows: Vec<_> = (0..2500u16)
            .map(|i| {
                let (kind, sealed) =
                    (i16::try_from(i % 3).unwrap(), if i % 5 == 0 { vec![] } else { vec![1] });
                RecordRow { kind, name: [i.to_be_bytes(); 8].concat(), sealed, ..record(0, 1) }
            })
            .collect();
        commit(&*store, &Batch { records: rows.clone(), ..to(1) }).await.unwrap();
        let mut expected = rows;
        expected.sort_by_key(|row| (row.kind, row.name.clone()));
        assert_eq!(load(&*store).await, (Some(head(1)), expected));
    }
}
