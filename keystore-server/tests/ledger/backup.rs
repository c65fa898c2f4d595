// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore in one file, and back.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use plombe_core::keystore::calls::login::DeviceState;
use plombe_keystore::{
    access_policy::{Action, Refusal},
    backup::{self, BackupError, Restored},
    instance::{self, InstanceError},
    ledger::{Act, Blob, Effects, Scene},
    root_key::FileRootKey,
    store::{Location, TABLES},
};
use plombe_tests::{Postgres, peers};
use sqlx::{Connection as _, Row as _};
use zeroize::Zeroizing;

use crate::stage::{EndDevice, START, SetCode, Stage};

const PLANTED: &[u8; 32] = b"a secret key that nobody exports";

/// A blob like a secret key in custody.
struct Plant;

impl Act for Plant {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let tenant = scene.registry.tenants().next().unwrap().id;
        let plaintext = Some(Zeroizing::new(PLANTED.to_vec()));
        let blob = Blob { kind: "tsk", id: b"planted".to_vec(), tenant, version: 1, plaintext };
        Ok(Effects { blobs: vec![blob], ..Effects::none(()) })
    }
}

async fn make(stage: &Stage, name: &str) -> PathBuf {
    let file = stage.folder().join(name);
    let header = backup::make(&*stage.store(false).await, &stage.root_key(), START, &file).await.unwrap();
    assert!(header.checkpoint.starts_with("example.org/plombe-log\n"));
    file
}

async fn restore(into: &Stage, file: &Path) -> Result<Restored, BackupError> {
    backup::restore(&*into.store(true).await, Arc::new(into.root_key()), file).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_either_database_is_restored_into_either() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        server.ledger.ask(plombe_keystore::instance::by_server(Plant)).await.unwrap();
        for code in 0..20 {
            server.ask(&alice.actor, SetCode([code; 32])).await.unwrap();
        }
        let bob = server.person("bob@example.org").await;
        server.ask(&bob.actor, EndDevice(bob.device)).await.unwrap();
        let file = make(&stage, "backup").await;
        let size = server.size();
        for empty in stage.empty_ones() {
            let restored = restore(&empty, &file).await.unwrap();
            assert_eq!(restored.entries, size);
            let again = empty.server().await;
            let store = empty.store(false).await;
            let restored_at = || backup::restored_at(&*store, &again.keychain);
            assert_eq!(restored_at().await.unwrap(), Some(size));
            // Who writes to the database says nothing of how much is lost.
            let fact = store.fact("restored-at").await.unwrap().unwrap();
            for forged in [fact.replacen(&size.to_string(), "1", 1), size.to_string(), String::new()] {
                store.put_fact("restored-at", &forged).await.unwrap();
                assert_eq!(restored_at().await.unwrap(), None, "{forged}");
            }
            store.put_fact("restored-at", &fact).await.unwrap();
            assert_eq!(again.ledger.registry().principal(alice.principal).unwrap().recovery, Some([19; 32]));
            assert_eq!(again.ledger.registry().device(bob.device).unwrap().state, DeviceState::Revoked);
            again.ask(&alice.actor, SetCode([99; 32])).await.unwrap();
            // And once more from there: a backup of what was restored is one like any other.
            let file = make(&empty, "second").await;
            assert!(matches!(restore(&empty, &file).await, Err(BackupError::NotEmpty("head"))));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_of_one_moment() {
    for stage in Stage::on_each().await {
        let server = Arc::new(stage.server().await);
        let alice = server.person("alice@example.org").await;
        let (busy, actor) = (Arc::clone(&server), alice.actor.clone());
        let load = tokio::spawn(async move {
            for code in 0..=255 {
                busy.ask(&actor, SetCode([code; 32])).await.unwrap();
            }
        });
        for number in 0..3 {
            let file = make(&stage, &format!("backup-{number}")).await;
            let empty = stage.empty_ones().remove(0);
            // Restoring checks every record against the head, and the head against the tree.
            let restored = restore(&empty, &file).await.unwrap();
            assert!(restored.entries <= server.size());
        }
        load.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_whole_backup_of_this_root_key_leaves_the_database_empty() {
    let stage = Stage::new().await;
    stage.server().await.person("alice@example.org").await;
    let file = make(&stage, "backup").await;
    let whole = fs::read(&file).unwrap();
    let other = stage.empty_ones().remove(0);

    let damaged = other.folder().join("damaged");
    for (content, wanted) in [
        (whole[..whole.len() - 1].to_vec(), "damaged"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (
            whole.iter().enumerate().map(|(i, b)| if i == whole.len() / 2 { b ^ 1 } else { *b }).collect(),
            "damaged",
        ),
        (b"SQLite format 3\0".repeat(10), "not a backup"),
        (Vec::new(), "not a backup"),
    ] {
        fs::write(&damaged, content).unwrap();
        let error = restore(&other, &damaged).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let root = Arc::new(FileRootKey::create(&other.folder().join("other.key")).unwrap());
    let refused = backup::restore(&*other.store(true).await, root, &file).await;
    assert!(matches!(refused, Err(BackupError::OtherRoot(_))));

    // Nothing of all that is in the database.
    restore(&other, &file).await.unwrap();
    assert!(matches!(restore(&other, &file).await, Err(BackupError::NotEmpty(_))));
    // And no backup takes the place of a file.
    let again = backup::make(&*stage.store(false).await, &stage.root_key(), START, &file).await;
    assert!(matches!(again, Err(BackupError::File(_))));
    assert!(fs::read(&file).unwrap() == whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_out_wrong_after_it_was_read_is_taken_out_again_and_no_server_works_on_it_before() {
    for stage in Stage::on_each().await {
        stage.server().await.person("alice@example.org").await;
        let sound = make(&stage, "sound").await;
        // Whoever held the keys made it, and what is in it does not fit together.
        let store = stage.store(false).await;
        let mut transaction = store.begin().await.unwrap();
        let tiles = TABLES.iter().find(|table| table.name == "tiles").unwrap();
        transaction.clear(tiles).await.unwrap();
        transaction.commit().await.unwrap();
        let wrong = make(&stage, "wrong").await;
        for empty in stage.empty_ones() {
            assert!(restore(&empty, &wrong).await.is_err());
            restore(&empty, &sound).await.unwrap();
            // As it is left by who was killed in between.
            let store = empty.store(false).await;
            store.put_fact("restored-at", "unfinished").await.unwrap();
            let origin = "https://keys.example.org".parse().unwrap();
            let keys = instance::keychain(&*store, Arc::new(empty.root_key()), origin).await;
            assert!(matches!(keys, Err(InstanceError::Unfinished)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_gives_away_no_key_and_no_name_and_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new().await;
    let server = stage.server().await;
    server.person("alice@example.org").await;
    server.ledger.ask(plombe_keystore::instance::by_server(Plant)).await.unwrap();
    let file = make(&stage, "backup").await;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).unwrap();
    let root = fs::read_to_string(stage.folder().join("root.key")).unwrap();
    // Nor the rows as the database has them: how many there are of what is nobody's business.
    let rows: Vec<Vec<u8>> =
        stage.store(false).await.wrapped_keys().await.unwrap().into_iter().map(|row| row.wrapped).collect();
    assert_eq!(rows.len(), 2);
    let secret = root.lines().last().unwrap().as_bytes();
    for part in [&PLANTED[..], b"alice", b"entries_of", secret, &rows[0], &rows[1]] {
        assert!(memchr::memmem::find(&bytes, part).is_none(), "{}", String::from_utf8_lossy(part));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_column_is_in_a_backup() {
    let known = || {
        let columns = TABLES.iter().flat_map(|table| {
            table.columns.iter().map(move |(column, _)| format!("{}.{column}", table.name))
        });
        let mut columns: Vec<String> = columns.collect();
        columns.sort();
        columns
    };
    let stage = Stage::new().await;
    let url = format!("sqlite:{}", stage.database().display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let rows = sqlx::query(
        "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY 1",
    );
    let rows = rows.fetch_all(&mut database).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), known());

    let Some(postgres) = Postgres::shared() else { return peers::skip("PostgreSQL") };
    let url = postgres.database();
    plombe_keystore::store::open(&Location::Postgres(url.clone()), false).await.unwrap();
    let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
    let rows = sqlx::query(
        "SELECT table_name || '.' || column_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    );
    let rows = rows.fetch_all(&mut database).await.unwrap();
    let mut columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    columns.sort();
    assert_eq!(columns, known());
}
