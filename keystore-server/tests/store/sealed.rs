// SPDX-License-Identifier: LGPL-2.0-or-later
//! Rows that are sealed anew, place by place.

use plombe_keystore::store::{Batch, Place, Store};

use crate::{
    databases::Database,
    rows::{TENANT, blob, commit, entry, record, request, to},
};

const PLACES: [Place; 3] = [Place::Blobs, Place::Entries, Place::Answers];

/// Two blobs, entries and answers of generation 1, as `hierarchy/blob.rs` writes it.
async fn filled(store: &dyn Store) {
    let batch = Batch {
        entries: vec![entry(0, &[]), entry(1, &[])],
        blobs: vec![blob(1, 4), blob(2, 5)],
        requests: vec![request(1, 0, 100), request(2, 1, 100)],
        ..to(2)
    };
    commit(store, &batch).await.unwrap();
}

#[tokio::test]
async fn what_another_generation_sealed_is_found_page_by_page_and_replaced() {
    for database in Database::each() {
        let store = database.open().await;
        filled(&*store).await;
        for place in PLACES {
            let first = store.sealed_otherwise(place, &TENANT, 2, None, 1).await.unwrap();
            let second = store.sealed_otherwise(place, &TENANT, 2, Some(&first[0]), 10).await.unwrap();
            assert_eq!((first.len(), second.len()), (1, 1), "{place:?}");
            assert_ne!(first[0].id, second[0].id, "{place:?}");
            assert_eq!(store.sealed_otherwise(place, &TENANT, 1, None, 10).await.unwrap(), []);
            assert_eq!(store.sealed_otherwise(place, &[8; 16], 2, None, 10).await.unwrap(), []);

            let anew = vec![0, 0, 0, 0, 2, 77];
            let rows = [first, second].concat().into_iter().map(|row| (row, anew.clone()));
            store.replace_sealed(place, &rows.collect::<Vec<_>>()).await.unwrap();
            assert_eq!(store.sealed_otherwise(place, &TENANT, 2, None, 10).await.unwrap(), []);
            let back = store.sealed_otherwise(place, &TENANT, 1, None, 10).await.unwrap();
            assert!(back.len() == 2 && back.iter().all(|row| row.sealed == anew), "{place:?}");
        }
        assert!(!store.begin().await.unwrap().has_sealed_otherwise(&TENANT, 2).await.unwrap());
    }
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_replaced() {
    for database in Database::each() {
        let store = database.open().await;
        filled(&*store).await;
        for place in PLACES {
            let mut rows = store.sealed_otherwise(place, &TENANT, 2, None, 1).await.unwrap();
            rows[0].sealed = vec![0, 0, 0, 0, 1, 99];
            let rows = vec![(rows.remove(0), vec![0, 0, 0, 0, 2, 1])];
            store.replace_sealed(place, &rows).await.unwrap();
            assert_eq!(store.sealed_otherwise(place, &TENANT, 2, None, 10).await.unwrap().len(), 2);
        }
    }
}

#[tokio::test]
async fn each_place_counts_when_it_is_asked_whether_anything_is_left() {
    let left = [
        Batch { records: vec![record(1, 1)], ..to(1) },
        Batch { blobs: vec![blob(1, 1)], ..to(1) },
        Batch { entries: vec![entry(0, &[])], ..to(1) },
        Batch { requests: vec![request(1, 0, 100)], ..to(1) },
    ];
    for batch in left {
        for database in Database::each() {
            let store = database.open().await;
            commit(&*store, &batch).await.unwrap();
            let mut transaction = store.begin().await.unwrap();
            assert!(transaction.has_sealed_otherwise(&TENANT, 2).await.unwrap(), "{batch:?}");
            assert!(!transaction.has_sealed_otherwise(&TENANT, 1).await.unwrap(), "{batch:?}");
        }
    }
}
