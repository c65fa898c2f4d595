// SPDX-License-Identifier: LGPL-2.0-or-later
//! Writing to the database is not owning it: whoever can, and has no keys, grants himself nothing and is noticed.

use std::{fs, path::Path};

use plombe_core::keystore::calls::login::DeviceState;
use plombe_keystore::{
    access_policy::{Action, Refusal},
    instance::InstanceError,
    ledger::{Act, AskError, Effects, Halt, Scene, StartError},
};
use sqlx::{Connection as _, SqliteConnection};

use crate::stage::{EndDevice, Person, START, Server, SetCode, Stage};

/// Somebody with the database's password.
async fn database(stage: &Stage) -> SqliteConnection {
    let url = format!("sqlite:{}", stage.database().display());
    SqliteConnection::connect(&url).await.unwrap()
}

async fn run(stage: &Stage, statement: &'static str) -> u64 {
    let mut connection = database(stage).await;
    sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected()
}

/// A stage where Alice's device was revoked, with a copy of the rows from before.
async fn after_a_revocation() -> (Stage, Person) {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    run(&stage, "CREATE TABLE before AS SELECT * FROM records").await;
    server.ask(&alice.actor, EndDevice(alice.device)).await.unwrap();
    assert!(server.ask(&alice.actor, SetCode([1; 32])).await.is_err());
    (stage, alice)
}

fn halt(result: Result<Server, InstanceError>) -> Option<Halt> {
    match result {
        Err(InstanceError::Start(StartError::Halt(halt))) => Some(halt),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

const UNDO: &str = "UPDATE records SET version = (SELECT version FROM before b WHERE b.kind = records.kind AND b.name = \
    records.name), sealed = (SELECT sealed FROM before b WHERE b.kind = records.kind AND b.name = records.name) WHERE \
    EXISTS (SELECT 1 FROM before b WHERE b.kind = records.kind AND b.name = records.name AND b.version < records.version)";

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_is_taken_back_in_the_database_keeps_the_server_from_starting() {
    let (stage, _) = after_a_revocation().await;
    assert!(run(&stage, UNDO).await > 0);
    assert_eq!(halt(stage.try_server().await), Some(Halt::Tampered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_does_not_read_what_was_put_back() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    run(&stage, "CREATE TABLE before AS SELECT * FROM records").await;
    server.ask(&alice.actor, EndDevice(alice.device)).await.unwrap();
    assert!(run(&stage, UNDO).await > 0);
    assert!(server.ask(&alice.actor, SetCode([1; 32])).await.is_err());
    assert_eq!(server.ledger.registry().device(alice.device).unwrap().state, DeviceState::Revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_removed_copied_or_changed_are_noticed() {
    for statement in [
        "DELETE FROM records WHERE kind = 4",
        "DELETE FROM records WHERE rowid = (SELECT MAX(rowid) FROM records)",
        "UPDATE records SET version = version + 1 WHERE kind = 2",
        "UPDATE records SET name = zeroblob(16) WHERE kind = 5",
        "UPDATE records SET sealed = (SELECT sealed FROM records WHERE kind = 2 LIMIT 1) WHERE kind = 4",
        "UPDATE records SET sealed = x'' WHERE kind = 4",
        "UPDATE records SET kind = 2 WHERE kind = 4",
        "UPDATE head SET position = position - 1",
        "UPDATE head SET sealed = zeroblob(200)",
        "UPDATE head SET checkpoint = replace(checkpoint, 'example.org', 'example.com')",
        "DELETE FROM head",
    ] {
        let stage = Stage::new().await;
        let server = stage.server().await;
        server.person("alice@example.org").await;
        drop(server);
        assert!(run(&stage, statement).await > 0, "{statement}: changes nothing");
        assert_eq!(halt(stage.try_server().await), Some(Halt::Tampered), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_database_starts() {
    let stage = Stage::new().await;
    stage.server().await.person("alice@example.org").await;
    assert_eq!(halt(stage.try_server().await), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_back_under_a_running_server_stops_it() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    run(&stage, "CREATE TABLE head_before AS SELECT * FROM head").await;
    run(&stage, "CREATE TABLE before AS SELECT * FROM records").await;
    server.ask(&alice.actor, EndDevice(alice.device)).await.unwrap();
    // Everything as it was, consistently: sealed, genuine and out of date.
    run(&stage, "DELETE FROM records").await;
    run(&stage, "INSERT INTO records SELECT * FROM before").await;
    run(&stage, "DELETE FROM head").await;
    run(&stage, "INSERT INTO head SELECT * FROM head_before").await;
    let stopped = server.ask(&alice.actor, SetCode([1; 32])).await;
    assert!(matches!(stopped, Err(AskError::Halted(Halt::RolledBack))));
    // And it stays stopped.
    let stopped = server.ask(&alice.actor, SetCode([1; 32])).await;
    assert!(matches!(stopped, Err(AskError::Halted(Halt::RolledBack))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_went_back_and_grew_past_a_server_is_another_history() {
    went_back_and_grew(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_were_put_back_do_not_hide_another_history() {
    went_back_and_grew(true).await;
}

/// With the hashes that the server knows in the tiles, or with those of the other history.
async fn went_back_and_grew(with_known_tiles: bool) {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    let file = stage.folder().join("older.db");
    stage.store(false).await.copy_to(&file).await.unwrap();
    let older = stage.copy_with(&file);
    // Entries that change no record, so that no digest tells: refusals of a session that has run out. More of them on the older state.
    stage.set_time(START + 3601);
    assert!(server.ask(&alice.actor, SetCode([1; 32])).await.is_err());
    let other = older.server().await;
    for _ in 0..3 {
        assert!(matches!(other.ask(&alice.actor, SetCode([2; 32])).await, Err(AskError::Refused(_))));
    }
    drop(other);
    let known = server.ledger.checkpoint().unwrap();
    let tile: Vec<u8> = first_tile(&mut database(&stage).await).await;
    // In one go: the server never sees a shorter log.
    put_in_place(&stage, &older.database()).await;
    if with_known_tiles {
        let mut connection = database(&stage).await;
        let grown = first_tile(&mut connection).await;
        assert!(grown.len() > tile.len());
        sqlx::query("UPDATE tiles SET hashes = $1 WHERE level = 0 AND number = 0")
            .bind([&tile[..], &grown[tile.len()..]].concat())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let stopped = server.ask(&alice.actor, SetCode([3; 32])).await;
    assert!(matches!(stopped, Err(AskError::Halted(Halt::Forked))));
    if with_known_tiles {
        return;
    }

    // What the server knew is on record now. So it is still stopped when it starts again, and so is any other of this database.
    let lost = server.ask(&alice.actor, Renew).await;
    assert!(matches!(lost, Err(AskError::Refused(refusal)) if refusal.rule == "history-lost"));
    let another = stage.server().await;
    let tenant = another.ledger.registry().tenants().next().unwrap().id;
    assert_eq!(another.ledger.registry().stops(tenant).unwrap().note, known.note());
    let refused = another.ask(&alice.actor, Renew).await;
    assert!(matches!(refused, Err(AskError::Refused(refusal)) if refusal.rule == "history-lost"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_puts_the_database_back_twice_does_not_take_the_record_of_the_first_loss_away() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    let file = stage.folder().join("older.db");
    stage.store(false).await.copy_to(&file).await.unwrap();
    stage.set_time(START + 3601);
    for _ in 0..5 {
        assert!(server.ask(&alice.actor, SetCode([1; 32])).await.is_err());
    }
    let known = server.ledger.checkpoint().unwrap();
    for _ in 0..2 {
        put_in_place(&stage, &file).await;
        // Whoever notices first: the server by itself, or because somebody asks.
        let _ = server.ask(&alice.actor, Renew).await;
        let lost = server.ask(&alice.actor, Renew).await;
        assert!(matches!(lost, Err(AskError::Refused(refusal)) if refusal.rule == "history-lost"));
        let registry = server.ledger.registry();
        assert!(registry.losses().any(|loss| loss.note == known.note()));
    }
}

/// Everything that is in the other database, in one go.
async fn put_in_place(stage: &Stage, other: &std::path::Path) {
    const TABLES: [&str; 7] = ["head", "records", "entries", "entries_of", "tiles", "chains", "requests"];
    let mut statements = format!("ATTACH '{}' AS older; BEGIN IMMEDIATE;", other.display());
    for table in TABLES {
        statements += &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM older.{table};");
    }
    let mut connection = database(stage).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements + "COMMIT;")).execute(&mut connection).await.unwrap();
}

async fn first_tile(connection: &mut SqliteConnection) -> Vec<u8> {
    sqlx::query_scalar("SELECT hashes FROM tiles WHERE level = 0 AND number = 0")
        .fetch_one(connection)
        .await
        .unwrap()
}

/// What a session that has run out may still ask for.
struct Renew;

impl Act for Renew {
    type Answer = ();

    fn action(&self) -> Action {
        Action::RenewSession
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects::none(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_raised_beside_the_seal_is_noticed() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    run(&stage, "UPDATE head SET position = position + 1000").await;
    let stopped = server.ask(&alice.actor, SetCode([1; 32])).await;
    assert!(matches!(stopped, Err(AskError::Halted(Halt::Tampered))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_for_a_while_is_no_reason_to_stop() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    run(&stage, "ALTER TABLE entries RENAME TO elsewhere").await;
    let failed = server.ask(&alice.actor, SetCode([1; 32])).await;
    assert!(matches!(failed, Err(AskError::Unavailable)));
    assert_eq!(server.ledger.registry().principal(alice.principal).unwrap().recovery, None);
    run(&stage, "ALTER TABLE elsewhere RENAME TO entries").await;
    server.ask(&alice.actor, SetCode([2; 32])).await.unwrap();
    assert_eq!(server.ledger.registry().principal(alice.principal).unwrap().recovery, Some([2; 32]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_name_and_no_address() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    server.person("alice@example.org").await;
    drop(server);
    let mut looked = false;
    for entry in fs::read_dir(stage.folder()).unwrap() {
        let path = entry.unwrap().path();
        if !is_database(&path) {
            continue;
        }
        // The journal goes when the last connection does.
        let content = fs::read(&path).unwrap_or_default();
        let holds = |word: &str| content.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!holds("alice") && !holds("confirmed"), "{}", path.display());
        looked |= holds("CREATE TABLE");
    }
    assert!(looked);
}

fn is_database(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("keystore.db"))
}
