// SPDX-License-Identifier: LGPL-2.0-or-later
//! One writer at a time, over all servers; and nobody who holds the others up for ever.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use plombe_keystore::store::{Batch, Location, StoreError};
use sqlx::Connection as _;

use crate::{
    databases::Database,
    rows::{commit, entry, head, to},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_second_writer_waits_and_goes_on_from_what_the_first_left() {
    for database in Database::each() {
        let (one, other) = (database.open().await, database.open().await);
        let mut first = one.begin().await.unwrap();
        let is_done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_done);
        let second = tokio::spawn(async move {
            let mut second = other.begin().await.unwrap();
            assert!(flag.load(Ordering::SeqCst), "it did not wait");
            second.head().await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!second.is_finished());
        first.write(&to(1)).await.unwrap();
        is_done.store(true, Ordering::SeqCst);
        first.commit().await.unwrap();
        assert_eq!(second.await.unwrap(), Some(head(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_servers_that_read_and_move_the_head_none_loses_a_step() {
    for database in Database::each() {
        let mut servers = Vec::new();
        for _ in 0..4 {
            let store = database.open().await;
            servers.push(tokio::spawn(async move {
                for _ in 0..10 {
                    let mut transaction = store.begin().await.unwrap();
                    let seq = transaction.head().await.unwrap().map_or(0, |head| head.position);
                    let batch = Batch { entries: vec![entry(seq, &[1])], ..to(seq + 1) };
                    transaction.write(&batch).await.unwrap();
                    transaction.commit().await.unwrap();
                }
            }));
        }
        for server in servers {
            server.await.unwrap();
        }
        let store = database.open().await;
        assert_eq!(store.head().await.unwrap(), Some(head(40)));
        assert_eq!(store.entries_of(&[1; 16], 0, 100).await.unwrap().len(), 40);
    }
}

/// A server that is frozen in the middle of a batch (its machine sleeps, its disk hangs) holds the lock of the log's head.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_freezes_with_the_lock_loses_it_and_its_batch() {
    let Some(database) = Database::postgres() else { return };
    let (frozen, other) = (database.open().await, database.open().await);
    let mut batch = frozen.begin().await.unwrap();
    batch.write(&to(1)).await.unwrap();
    // Nothing more is heard of it, and the other one goes on.
    commit(&*other, &Batch { entries: vec![entry(0, &[])], ..to(1) }).await.unwrap();
    batch.commit().await.unwrap_err();
    assert_eq!(other.head().await.unwrap(), Some(head(1)));
    // It is as good as new.
    commit(&*frozen, &Batch { entries: vec![entry(1, &[])], ..to(2) }).await.unwrap();
}

/// Somebody else's session, which no limit of ours ends.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_for_the_lock_is_told_and_may_come_again() {
    let Some(database) = Database::postgres() else { return };
    let store = database.open().await;
    let Location::Postgres(url) = &database.location else { unreachable!("it is one") };
    let mut holder = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(0x706c_6f6d_6265_i64).execute(&mut holder).await.unwrap();
    let told = store.begin().await.map(drop);
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    // Reading waits for nobody.
    assert_eq!(store.head().await.unwrap(), None);
    holder.close().await.unwrap();
    commit(&*store, &to(1)).await.unwrap();
}
