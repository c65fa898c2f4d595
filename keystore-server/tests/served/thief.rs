// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whoever can write to the database, and has no key: what the people whose keys and entries are there see of it. On each database.

use plombe_client::{ClientError, Session};
use plombe_core::{
    keystore::{
        KeyFingerprint,
        calls::{
            audit::{ListEntries, Scope},
            keys::KeyInfo,
        },
    },
    log::{Alarm, ChainFollower, Disclosure, SignedCheckpoint, VerifierKey, entry::Entry},
};
use plombe_keystore::store::Location;
use plombe_tests::{Postgres, peers};
use tokio::runtime::Runtime;

use crate::{
    keystore::TestKeystore,
    mail::{generate, open, seal_for},
    statements,
    tenants::auditor,
};

/// Alice and Bob, each with a key and a mail for it.
struct Story {
    keystore: TestKeystore,
    location: Location,
    alice: (Session, KeyInfo, Vec<u8>),
    bob: (Session, KeyInfo, Vec<u8>),
}

impl Story {
    fn on_each() -> Vec<Self> {
        let sqlite = TestKeystore::start();
        let file = sqlite.config().with_file_name("keystore.db");
        let mut stories = vec![Self::begin(sqlite, Location::Sqlite(file))];
        match Postgres::shared() {
            Some(postgres) => {
                let url = postgres.database();
                let keystore = TestKeystore::start_with(&["--database", &url]);
                stories.push(Self::begin(keystore, Location::Postgres(url)));
            }
            None => peers::skip("PostgreSQL"),
        }
        stories
    }

    fn begin(keystore: TestKeystore, location: Location) -> Self {
        let person = |address: &str| {
            let mut session = keystore.user(address);
            let key = generate(&mut session, address);
            let mail = seal_for(&key.certificate);
            (session, key, mail)
        };
        let (alice, bob) = (person("alice@example.org"), person("bob@example.org"));
        Self { keystore, location, alice, bob }
    }

    /// The server ends, somebody writes, and it starts again.
    fn write(&mut self, written: &[&str]) {
        self.keystore.stop();
        let changed = Runtime::new().unwrap().block_on(statements::run(&self.location, written));
        assert!(changed > 0, "{written:?} changes nothing");
        self.keystore.start_again();
    }
}

fn use_key(of: &mut (Session, KeyInfo, Vec<u8>)) -> Result<u64, ClientError> {
    open(&mut of.0, &of.1.fingerprint, &of.2)
}

/// What the log says about a key to its owner.
fn about(session: &mut Session, key: &KeyFingerprint) -> Result<Vec<(u64, Entry)>, ClientError> {
    read(session, Scope::Key(key.clone()))
}

/// What can be read of the log. Each entry is proven to be in it.
fn read(session: &mut Session, scope: Scope) -> Result<Vec<(u64, Entry)>, ClientError> {
    let page = session.call(&ListEntries { scope, after: None, limit: 500 })?;
    let verifier: VerifierKey = session.keystore().identity().log_verifier.parse().unwrap();
    let checkpoint = SignedCheckpoint::open(&page.checkpoint, &verifier).unwrap();
    let read = page.entries.iter().map(|entry| match entry.verify(checkpoint.head()).unwrap() {
        Disclosure::Whole { body, .. } => (entry.position, serde_json::from_slice(&body).unwrap()),
        _ => panic!("nothing was erased"),
    });
    Ok(read.collect())
}

/// Goes through a key's entries as its owner's program does.
fn check_chain(entries: &[(u64, Entry)]) -> Result<(), Alarm> {
    let mut chain = ChainFollower::default();
    entries.iter().try_for_each(|(position, entry)| chain.next(*position, entry.chain.as_ref().unwrap()))
}

#[test]
fn a_key_in_the_place_of_another_is_used_by_nobody() {
    for mut story in Story::on_each() {
        use_key(&mut story.alice).unwrap();
        let [copy, swap] = statements::swap("blobs", "sealed", "name");
        story.write(&[&copy, &swap]);
        // Neither with the right to hers nor with the right to his.
        for who in [&mut story.alice, &mut story.bob] {
            assert!(matches!(use_key(who), Err(ClientError::Refused(_))));
        }
        story.write(&["UPDATE blobs SET sealed = (SELECT b.sealed FROM before b WHERE b.name = blobs.name)"]);
        use_key(&mut story.alice).unwrap();
        use_key(&mut story.bob).unwrap();
    }
}

#[test]
fn counters_that_went_back_are_a_hole_that_the_owner_sees() {
    for mut story in Story::on_each() {
        let key = story.alice.1.fingerprint.clone();
        for _ in 0..3 {
            use_key(&mut story.alice).unwrap();
        }
        check_chain(&about(&mut story.alice.0, &key).unwrap()).unwrap();
        story.write(&["UPDATE chains SET counter = counter - 1, last = last - 1 WHERE counter > 1"]);
        use_key(&mut story.alice).unwrap();
        let alarm = check_chain(&about(&mut story.alice.0, &key).unwrap());
        assert!(matches!(alarm, Err(Alarm::Gap { .. })), "{alarm:?}");
    }
}

/// Whoever also takes the use out of her list shows her none: then it is auditors who see it, since all leaves are theirs.
#[test]
fn a_use_that_is_taken_out_of_the_owners_list_and_its_counter_is_a_hole_that_auditors_see() {
    for mut story in Story::on_each() {
        let mut admin = story.keystore.log_in(story.keystore.admin_code());
        let mut auditor = auditor(&story.keystore, &mut admin, "auditor@example.org");
        let key = story.alice.1.fingerprint.clone();
        let uses: Vec<_> = (0..3).map(|_| use_key(&mut story.alice).unwrap()).collect();
        let everything = |auditor: &mut Session| {
            let mut all = read(auditor, Scope::All).unwrap();
            all.retain(|(_, entry)| entry.about.key.as_ref() == Some(&key) && entry.chain.is_some());
            check_chain(&all)
        };
        everything(&mut auditor).unwrap();
        let list = format!("DELETE FROM entries_of WHERE seq = {}", uses[2]);
        let counters =
            format!("UPDATE chains SET counter = counter - 1, last = {} WHERE last = {}", uses[1], uses[2]);
        story.write(&[&list, &counters]);
        use_key(&mut story.alice).unwrap();
        let alarm = everything(&mut auditor);
        assert!(matches!(alarm, Err(Alarm::Gap { .. })), "{alarm:?}");
    }
}

#[test]
fn an_entry_in_the_place_of_another_is_read_as_nothing() {
    for mut story in Story::on_each() {
        let key = story.alice.1.fingerprint.clone();
        let (first, second) = (use_key(&mut story.alice).unwrap(), use_key(&mut story.alice).unwrap());
        let of = |seq: u64| format!("(SELECT b.sealed FROM before b WHERE b.seq = {seq})");
        let exchange = format!(
            "UPDATE entries SET sealed = CASE WHEN seq = {first} THEN {} ELSE {} END WHERE seq IN ({first}, {second})",
            of(second),
            of(first)
        );
        story.write(&["CREATE TABLE before AS SELECT * FROM entries", &exchange]);
        assert!(matches!(about(&mut story.alice.0, &key), Err(ClientError::Refused(_))));
        // One that is gone leaves its hole.
        let back = format!(
            "UPDATE entries SET sealed = CASE WHEN seq = {first} THEN {} ELSE {} END WHERE seq IN ({first}, {second})",
            of(first),
            of(second)
        );
        story.write(&[&back]);
        check_chain(&about(&mut story.alice.0, &key).unwrap()).unwrap();
        let gone = format!("DELETE FROM entries WHERE seq = {first}");
        story.write(&[&gone]);
        let alarm = check_chain(&about(&mut story.alice.0, &key).unwrap());
        assert!(matches!(alarm, Err(Alarm::Gap { .. })), "{alarm:?}");
    }
}
