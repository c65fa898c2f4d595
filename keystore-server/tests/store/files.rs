// SPDX-License-Identifier: LGPL-2.0-or-later
//! A database's file that somebody deletes or replaces while it is in use.

use std::{fs, path::PathBuf};

use plombe_keystore::store::StoreError;

use crate::{
    databases::Database,
    rows::{commit, head, to},
};

fn beside(database: &Database, end: &str) -> PathBuf {
    let mut name = database.file().into_os_string();
    name.push(end);
    name.into()
}

#[tokio::test]
async fn a_database_whose_file_was_deleted_takes_nothing_until_it_is_back() {
    for end in ["", "-wal", "-shm"] {
        let database = Database::sqlite();
        let store = database.open().await;
        commit(&*store, &to(1)).await.unwrap();
        let (file, aside) = (beside(&database, end), beside(&database, ".aside"));
        fs::rename(&file, &aside).unwrap();
        for told in [commit(&*store, &to(2)).await, store.head().await.map(drop)] {
            let told = told.unwrap_err();
            assert!(matches!(told, StoreError::Replaced(_)), "{end}: {told:?}");
            assert!(told.to_string().contains("deleted or replaced"), "{told}");
        }
        fs::rename(&aside, &file).unwrap();
        assert_eq!(store.head().await.unwrap(), Some(head(1)), "{end}");
        commit(&*store, &to(2)).await.unwrap();
    }
}

#[tokio::test]
async fn another_file_in_its_place_is_not_taken_for_it() {
    let database = Database::sqlite();
    let store = database.open().await;
    commit(&*store, &to(1)).await.unwrap();
    let copy = beside(&database, ".copy");
    store.copy_to(&copy).await.unwrap();
    commit(&*store, &to(2)).await.unwrap();
    fs::rename(&copy, database.file()).unwrap();
    assert!(matches!(commit(&*store, &to(3)).await, Err(StoreError::Replaced(_))));
}

#[tokio::test]
async fn what_is_committed_into_a_file_that_goes_meanwhile_is_not_acknowledged() {
    let database = Database::sqlite();
    let store = database.open().await;
    let mut transaction = store.begin().await.unwrap();
    transaction.write(&to(1)).await.unwrap();
    fs::remove_file(database.file()).unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Replaced(_))));
}
