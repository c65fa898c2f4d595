// SPDX-License-Identifier: LGPL-2.0-or-later
//! Numbers and values at the edge of what a database holds.

use plombe_keystore::store::{Batch, BlobRow, EntryRow, Place, StoreError};

use crate::{
    databases::Database,
    rows::{TENANT, blob, chain, commit, entry, head, load, read, record, request, tile, to},
};

const LARGEST: u64 = i64::MAX as u64;

#[tokio::test]
async fn the_largest_numbers_come_back_as_they_were() {
    for database in Database::each() {
        let store = database.open().await;
        let batch = Batch {
            entries: vec![entry(LARGEST, &[1]), entry(LARGEST - 1, &[1])],
            tiles: vec![tile(255, LARGEST)],
            records: vec![record(1, LARGEST)],
            blobs: vec![blob(1, LARGEST)],
            chains: vec![chain(1, LARGEST, LARGEST)],
            requests: vec![request(1, LARGEST, LARGEST)],
            ..to(LARGEST)
        };
        commit(&*store, &batch).await.unwrap();
        assert_eq!(load(&*store).await, (Some(head(LARGEST)), vec![record(1, LARGEST)]));
        assert_eq!(store.blob(&[1; 16]).await.unwrap(), Some(blob(1, LARGEST)));
        assert_eq!(store.tile(255, LARGEST).await.unwrap(), Some(tile(255, LARGEST)));
        assert_eq!(store.entries(LARGEST, u32::MAX).await.unwrap(), [read(entry(LARGEST, &[]))]);
        assert_eq!(store.entries_of(&[1; 16], LARGEST, 9).await.unwrap(), [read(entry(LARGEST, &[]))]);
        let mut transaction = store.begin().await.unwrap();
        let proofs = [(vec![1; 32], LARGEST)];
        assert_eq!(transaction.insert_proofs(&proofs).await.unwrap(), [true]);
        assert_eq!(transaction.chains(&[vec![1; 16]]).await.unwrap(), [chain(1, LARGEST, LARGEST)]);
        assert_eq!(transaction.requests(&[vec![1; 32]]).await.unwrap(), [request(1, LARGEST, LARGEST)]);
        assert_eq!(transaction.records_changed_after(LARGEST - 1).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_number_beyond_is_refused_by_name_and_nothing_of_its_batch_is_written() {
    let beyond = LARGEST + 1;
    let bad = [
        to(beyond),
        Batch { entries: vec![entry(beyond, &[])], ..to(1) },
        Batch { entries: vec![entry(beyond, &[1])], ..to(1) },
        Batch { tiles: vec![tile(0, beyond)], ..to(1) },
        Batch { records: vec![record(1, beyond)], ..to(1) },
        Batch { blobs: vec![blob(1, beyond)], ..to(1) },
        Batch { chains: vec![chain(1, beyond, 0)], ..to(1) },
        Batch { chains: vec![chain(1, 0, beyond)], ..to(1) },
        Batch { requests: vec![request(1, beyond, 0)], ..to(1) },
        Batch { requests: vec![request(1, 0, u64::MAX)], ..to(1) },
    ];
    for database in Database::each() {
        let store = database.open().await;
        for batch in &bad {
            let refused = commit(&*store, batch).await;
            assert!(matches!(refused, Err(StoreError::TooLarge)), "{batch:?}: {refused:?}");
            assert_eq!(load(&*store).await, (None, Vec::new()));
        }
        let mut transaction = store.begin().await.unwrap();
        let proofs = transaction.insert_proofs(&[(vec![1; 32], beyond)]).await;
        assert!(matches!(proofs, Err(StoreError::TooLarge)));
    }
}

#[tokio::test]
async fn nothing_is_found_beyond_what_can_be_written() {
    for database in Database::each() {
        let store = database.open().await;
        let batch =
            Batch { entries: vec![entry(LARGEST, &[1])], tiles: vec![tile(0, LARGEST)], ..to(LARGEST) };
        commit(&*store, &batch).await.unwrap();
        for beyond in [LARGEST + 1, u64::MAX] {
            assert_eq!(store.entries(beyond, 10).await.unwrap(), []);
            assert_eq!(store.entries_of(&[1; 16], beyond, 10).await.unwrap(), []);
            assert_eq!(store.tile(0, beyond).await.unwrap(), None);
            let mut transaction = store.begin().await.unwrap();
            assert_eq!(transaction.records_changed_after(beyond).await.unwrap(), []);
        }
        // What somebody claims to be far in the future forgets everything, and breaks nothing.
        store.forget_expired(u64::MAX).await.unwrap();
    }
}

#[tokio::test]
async fn a_negative_number_that_somebody_wrote_is_no_number() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { blobs: vec![blob(1, 1)], ..to(1) }).await.unwrap();
        database.run("UPDATE head SET position = -1; UPDATE blobs SET version = -1").await;
        assert!(matches!(store.head().await, Err(StoreError::Unfit(_))));
        assert!(matches!(store.blob(&[1; 16]).await, Err(StoreError::Unfit(_))));
    }
}

#[tokio::test]
async fn large_values_and_many_rows_come_back_whole() {
    for database in Database::each() {
        let store = database.open().await;
        let large: Vec<u8> = (0..8 << 20).map(|i: u32| (i % 251) as u8).collect();
        let large_blob = BlobRow { sealed: large.clone(), ..blob(1, 1) };
        let large_entry = EntryRow { sealed: Some(large[..1 << 20].to_vec()), ..entry(0, &[]) };
        let mut batch =
            Batch { blobs: vec![large_blob.clone()], entries: vec![large_entry.clone()], ..to(2000) };
        batch.entries.extend((1..2000).map(|seq| entry(seq, &[1, 2, 3])));
        batch.chains = (0..2000_u64).map(chain_of).collect();
        commit(&*store, &batch).await.unwrap();
        assert_eq!(store.blob(&[1; 16]).await.unwrap(), Some(large_blob));
        assert_eq!(store.entries(0, 1).await.unwrap(), [large_entry]);
        assert_eq!(store.entries_of(&[3; 16], 0, 5000).await.unwrap().len(), 1999);
        let keys: Vec<_> = batch.chains.iter().map(|chain| chain.key.clone()).collect();
        let mut chains = store.begin().await.unwrap().chains(&keys).await.unwrap();
        chains.sort_by_key(|chain| chain.counter);
        assert_eq!(chains, batch.chains);
    }
}

fn chain_of(i: u64) -> plombe_keystore::store::ChainRow {
    plombe_keystore::store::ChainRow { key: i.to_be_bytes().to_vec(), counter: i, last: i }
}

#[tokio::test]
async fn empty_values_and_erased_entries_are_not_missing_ones() {
    for database in Database::each() {
        let store = database.open().await;
        let ended = plombe_keystore::store::RecordRow { sealed: Vec::new(), ..record(1, 2) };
        let erased = EntryRow { sealed: None, ..entry(0, &[]) };
        let batch = Batch { records: vec![ended.clone()], entries: vec![erased.clone()], ..to(1) };
        commit(&*store, &batch).await.unwrap();
        assert_eq!(load(&*store).await.1, [ended]);
        assert_eq!(store.entries(0, 1).await.unwrap(), [erased]);
        // Neither is anything that has to be sealed anew.
        assert_eq!(store.sealed_otherwise(Place::Entries, &TENANT, 2, None, 9).await.unwrap(), []);
        assert!(!store.begin().await.unwrap().has_sealed_otherwise(&TENANT, 2).await.unwrap());
    }
}
