// SPDX-License-Identifier: LGPL-2.0-or-later
//! Databases of every schema that there was come up; newer ones are left alone.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::SystemTime};

use plombe_keystore::{
    instance,
    root_key::FileRootKey,
    store::{self, Location, StoreError},
};

use crate::databases::Database;

/// A keystore as it was under each schema: `schema/v1` and so on, for each database a dump and its root key.
const DUMPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/schema");

fn versions(database: &str) -> usize {
    let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keystore_of_every_earlier_schema_comes_up_with_all_that_was_in_it() {
    // The newest schema is what is made anew each time; it gets its dump with the next one.
    let dumps = fs::read_dir(DUMPS).unwrap().count();
    assert!(dumps + 1 >= versions("sqlite").max(versions("postgres")), "a schema has no dump");
    for version in 1..=dumps {
        for database in Database::each() {
            let kind = match database.location {
                Location::Sqlite(_) => "sqlite",
                Location::Postgres(_) => "postgres",
            };
            let dump = Path::new(DUMPS).join(format!("v{version}")).join(kind);
            database.run(&fs::read_to_string(dump.join("dump.sql")).unwrap()).await;
            let root = database.file().with_file_name("root.key");
            fs::copy(dump.join("root.key"), &root).unwrap();
            fs::set_permissions(&root, fs::Permissions::from_mode(0o600)).unwrap();

            let store = database.open().await;
            let root = Arc::new(FileRootKey::open(&root).unwrap());
            let origin = "http://127.0.0.1:7420".parse().unwrap();
            let (_, ledger) = instance::start(store, root, origin, Arc::new(SystemTime::now)).await.unwrap();
            let registry = ledger.registry();
            assert!(registry.principal_of_address("alice@example.org").is_some());
            assert_eq!(ledger.checkpoint().unwrap().head().size, 4);
        }
    }
}

#[tokio::test]
async fn a_database_that_a_newer_program_has_changed_is_refused_and_left_as_it_is() {
    for database in Database::each() {
        drop(database.open().await);
        // Both databases write a blob like this.
        let checksum = match database.location {
            Location::Sqlite(_) => "x'00'",
            Location::Postgres(_) => "'\\x00'",
        };
        database
            .run(&format!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (999, 'later', TRUE, {checksum}, 0); CREATE TABLE later (n BIGINT)"
            ))
            .await;
        let Err(StoreError::Unfit(why)) = store::open(&database.location, false).await else {
            panic!("it was opened")
        };
        assert!(why.contains("newer plombe-keystore") && why.contains("schema 999"), "{why}");
        database.run("INSERT INTO later VALUES (1)").await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_one_that_is_missing_is_not_made() {
    let database = Database::sqlite();
    let missing = store::open(&database.location, false).await;
    assert!(missing.is_err() && !database.file().exists());
    fs::write(database.file(), "not a database, and longer than the header of one would be\n".repeat(40))
        .unwrap();
    assert!(store::open(&database.location, true).await.is_err());
}
