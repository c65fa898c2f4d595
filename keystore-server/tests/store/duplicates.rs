// SPDX-License-Identifier: LGPL-2.0-or-later
//! What comes twice.

use plombe_keystore::store::{Batch, EntryRow, WrappedKeyRow};

use crate::{
    databases::Database,
    rows::{TENANT, commit, entry, request, to, wrapped},
};

#[tokio::test]
async fn a_proof_is_new_once_in_one_batch_in_two_and_on_two_servers() {
    for database in Database::each() {
        let (one, other) = (database.open().await, database.open().await);
        let mut transaction = one.begin().await.unwrap();
        let twice = [(vec![1; 32], 100), (vec![2; 32], 100), (vec![1; 32], 100)];
        assert_eq!(transaction.insert_proofs(&twice).await.unwrap(), [true, true, false]);
        assert_eq!(transaction.insert_proofs(&twice[..1]).await.unwrap(), [false]);
        transaction.commit().await.unwrap();
        let mut transaction = other.begin().await.unwrap();
        let again = [(vec![3; 32], 100), (vec![2; 32], 999)];
        assert_eq!(transaction.insert_proofs(&again).await.unwrap(), [true, false]);
    }
}

#[tokio::test]
async fn more_proofs_than_a_statement_takes_are_told_apart_too() {
    for database in Database::each() {
        let store = database.open().await;
        let mut proofs: Vec<_> = (0..1500_u32).map(|i| (i.to_be_bytes().to_vec(), 100)).collect();
        proofs.push(proofs[3].clone());
        let mut transaction = store.begin().await.unwrap();
        let fresh = transaction.insert_proofs(&proofs).await.unwrap();
        assert!(fresh[..1500].iter().all(|fresh| *fresh) && !fresh[1500]);
        let ids: Vec<_> = proofs.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(transaction.requests(&ids).await.unwrap(), []);
        assert_eq!(transaction.chains(&ids).await.unwrap(), []);
    }
}

#[tokio::test]
async fn the_first_answer_to_a_request_stays() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { requests: vec![request(1, 0, 100)], ..to(1) }).await.unwrap();
        let second = plombe_keystore::store::RequestRow { digest: vec![8; 32], ..request(1, 5, 900) };
        commit(&*store, &Batch { requests: vec![second], ..to(6) }).await.unwrap();
        let kept = store.begin().await.unwrap().requests(&[vec![1; 32]]).await.unwrap();
        assert_eq!(kept, [request(1, 0, 100)]);
    }
}

#[tokio::test]
async fn the_first_wrapping_of_a_generation_stays() {
    for database in Database::each() {
        let store = database.open().await;
        let second = WrappedKeyRow { wrapped: vec![4; 60], ..wrapped(1, "file:a") };
        store.add_wrapped_key(&wrapped(1, "file:a")).await.unwrap();
        store.add_wrapped_key(&second).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        transaction.add_wrapped_key(&second).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.wrapped_keys().await.unwrap(), [wrapped(1, "file:a")]);
    }
}

#[tokio::test]
async fn a_position_has_one_entry_and_a_list_each_entry_once() {
    for database in Database::each() {
        let store = database.open().await;
        commit(&*store, &Batch { entries: vec![entry(0, &[1, 1])], ..to(1) }).await.unwrap();
        let other = EntryRow { tenant: vec![1; 16], ..entry(0, &[]) };
        commit(&*store, &Batch { entries: vec![other], ..to(1) }).await.unwrap_err();
        let kept = store.entries_of(&[1; 16], 0, 10).await.unwrap();
        assert!(kept.len() == 1 && kept[0].tenant == TENANT);
    }
}
