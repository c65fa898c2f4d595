// SPDX-License-Identifier: LGPL-2.0-or-later
//! What stands before what, and what happens once.

use std::{collections::BTreeSet, sync::Arc};

use plombe_core::{
    keystore::{CodeId, calls::login::DeviceState},
    log::entry::Entry,
};
use plombe_keystore::{
    access_policy::{Action, Actor, Refusal, seconds},
    fresh,
    hierarchy::BlobName,
    instance::by_server,
    ledger::{Act, AskError, Effects, Scene},
    registry::{Code, INSTANCE, Record, RecordKey},
};

use crate::stage::{Admit, EndDevice, Put, START, Server, SetCode, Stage};

/// Of a session; what becomes of its value is another test's.
struct Renew;

impl Act for Renew {
    type Answer = ();

    fn action(&self) -> Action {
        Action::RenewSession
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        scene.who().map(|_| Effects::none(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_on_record_like_everything_else() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        stage.set_time(START + 3601);
        let before = server.size();
        let refused = server.ask(&alice.actor, SetCode([1; 32])).await;
        assert!(matches!(refused, Err(AskError::Refused(refusal)) if refusal.rule == "session-expired"));
        assert_eq!(server.size(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_permitted_after_the_position_of_a_revocation() {
    for stage in Stage::on_each().await {
        let server = Arc::new(stage.server().await);
        let alice = server.person("alice@example.org").await;
        let mut uses = Vec::new();
        for i in 0..60_u8 {
            let (server, alice) = (Arc::clone(&server), alice.clone());
            uses.push(tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(u64::from(i) / 4)).await;
                server.ask(&alice.actor, SetCode([i; 32])).await.map(|granted| granted.permit.position()).ok()
            }));
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let revoked = server.ask(&alice.actor, EndDevice(alice.device)).await.unwrap().permit.position();
        let (mut before, mut refused) = (0, 0);
        for one in uses {
            match one.await.unwrap() {
                Some(position) => {
                    assert!(position < revoked, "a use at {position} after the revocation at {revoked}");
                    before += 1;
                }
                None => refused += 1,
            }
        }
        assert_eq!(before + refused, 60);
        assert!(server.ask(&alice.actor, SetCode([9; 32])).await.is_err());
        assert_eq!(server.ledger.registry().device(alice.device).unwrap().state, DeviceState::Revoked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_the_same_entry_and_another_under_its_id_is_refused() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        let first =
            server.ledger.ask(Server::repeatable(&alice.actor, SetCode([1; 32]), 7, 1)).await.unwrap();
        let size = server.size();
        let again =
            server.ledger.ask(Server::repeatable(&alice.actor, SetCode([1; 32]), 7, 1)).await.unwrap();
        assert_eq!((again.answer, again.permit.position()), (first.answer, first.permit.position()));
        assert_eq!(server.size(), size);
        let other = server.ledger.ask(Server::repeatable(&alice.actor, SetCode([2; 32]), 7, 2)).await;
        assert!(matches!(other, Err(AskError::RequestIdReused)));
    }
}

/// The first time it took the address, so the second time it is taken: by nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_cannot_be_done_twice_is_answered_twice_while_its_session_stands() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let admin = server.admin("boss@example.org").await;
        let admit = |address: &str| Admit(address.to_owned());
        let first = server.ledger.ask(Server::repeatable(&admin.actor, admit("new@example.org"), 7, 1)).await;
        let first = first.unwrap().answer;
        let size = server.size();
        let again = server.ledger.ask(Server::repeatable(&admin.actor, admit("new@example.org"), 7, 1)).await;
        assert_eq!((again.unwrap().answer, server.size()), (first, size));
        // Another request for it is refused, and so is another one under the same id.
        for (id, digest) in [(8, 1), (7, 2)] {
            let other = server
                .ledger
                .ask(Server::repeatable(&admin.actor, admit("new@example.org"), id, digest))
                .await;
            assert!(
                matches!(&other, Err(AskError::Refused(refusal)) if refusal.rule == "address-unfit"),
                "{:?}",
                other.err()
            );
        }
        // Nothing is given again to who may not do it any more.
        server.ask(&admin.actor, EndDevice(admin.device)).await.unwrap();
        let late = server.ledger.ask(Server::repeatable(&admin.actor, admit("new@example.org"), 7, 1)).await;
        assert!(matches!(late, Err(AskError::Refused(refusal)) if refusal.rule == "device-revoked"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_good_once_on_all_servers_together() {
    for stage in Stage::on_each().await {
        let (one, other) = (stage.server().await, stage.server().await);
        let alice = one.person("alice@example.org").await;
        let ask = Server::asking(&alice.actor, SetCode([1; 32]));
        let once = ask.once.clone();
        one.ledger.ask(ask).await.unwrap();
        let mut replay = Server::asking(&alice.actor, SetCode([1; 32]));
        replay.once = once;
        let refused = other.ledger.ask(replay).await;
        assert!(matches!(refused, Err(AskError::Refused(refusal)) if refusal.rule == "proof-replayed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_are_one_log() {
    for stage in Stage::on_each().await {
        let (one, other) = (Arc::new(stage.server().await), Arc::new(stage.server().await));
        let alice = one.person("alice@example.org").await;
        let mut asked = Vec::new();
        for i in 0..40_u8 {
            let server = Arc::clone(if i % 2 == 0 { &one } else { &other });
            let alice = alice.clone();
            asked.push(tokio::spawn(async move {
                server.ask(&alice.actor, SetCode([i; 32])).await.unwrap().permit.position()
            }));
        }
        let mut positions = BTreeSet::new();
        for one in asked {
            assert!(positions.insert(one.await.unwrap()), "two entries at one position");
        }
        // A revocation by one server holds on the other with its very next act.
        one.ask(&alice.actor, EndDevice(alice.device)).await.unwrap();
        assert!(other.ask(&alice.actor, SetCode([0; 32])).await.is_err());
    }
}

/// Ends a record.
struct End(RecordKey);

impl Act for End {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects { ended: vec![self.0], ..Effects::none(()) })
    }
}

/// The other server does not look while it ends and is there again: to it, that must not be an older row put back.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_ended_and_is_made_anew_stops_no_other_server() {
    for stage in Stage::on_each().await {
        let (one, other) = (stage.server().await, stage.server().await);
        let alice = one.person("alice@example.org").await;
        for code in 1..4 {
            one.ask(&alice.actor, SetCode([code; 32])).await.unwrap();
        }
        other.ask(&alice.actor, SetCode([4; 32])).await.unwrap();
        let record = Record::Principal(other.ledger.registry().principal(alice.principal).unwrap().clone());
        one.ledger.ask(by_server(End(record.key()))).await.unwrap();
        one.ledger.ask(by_server(Put(vec![record]))).await.unwrap();
        other.ask(&alice.actor, SetCode([5; 32])).await.unwrap();
        one.ask(&alice.actor, SetCode([6; 32])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_hears_what_others_did_within_moments() {
    for stage in Stage::on_each().await {
        let (one, idle) = (stage.server().await, stage.server().await);
        let alice = one.person("alice@example.org").await;
        let knows = || idle.ledger.registry().device(alice.device).map(|device| device.state);
        for wanted in [DeviceState::Confirmed, DeviceState::Revoked] {
            if wanted == DeviceState::Revoked {
                one.ask(&alice.actor, EndDevice(alice.device)).await.unwrap();
            }
            let mut waits = 0;
            while knows() != Some(wanted) {
                waits += 1;
                assert!(waits < 100, "an idle server does not hear that a device is {wanted:?}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        server.ask(&alice.actor, SetCode([5; 32])).await.unwrap();
        let size = server.size();
        drop(server);
        let server = stage.server().await;
        assert_eq!(server.size(), size);
        assert_eq!(server.ledger.registry().principal(alice.principal).unwrap().recovery, Some([5; 32]));
    }
}

/// Her session's value is good for an hour, and her log-in for two.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_renewed_until_its_log_in_ends_and_not_a_second_longer() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        stage.set_time(START + 7199);
        let used = server.ask(&alice.actor, SetCode([1; 32])).await;
        assert!(matches!(used, Err(AskError::Refused(refusal)) if refusal.rule == "session-expired"));
        server.ask(&alice.actor, Renew).await.unwrap();
        stage.set_time(START + 7200);
        let late = server.ask(&alice.actor, Renew).await;
        assert!(matches!(late, Err(AskError::Refused(refusal)) if refusal.rule == "session-expired"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_log_says_that_it_is_alive_and_ends_what_ran_out() {
    for stage in Stage::on_each().await {
        let server = stage.lively_server().await;
        let alice = server.person("alice@example.org").await;
        let Actor::Device(claimed) = &alice.actor else { panic!("she has a device") };
        let (device, tenant) = {
            let registry = server.ledger.registry();
            (
                registry.device(alice.device).unwrap().clone(),
                registry.principal(alice.principal).unwrap().tenant,
            )
        };
        let code = Code {
            id: CodeId(fresh::random_uuid()),
            hash: [3; 32],
            tenant,
            principal: alice.principal,
            expires: START + 60,
        };
        let (id, session) = (code.id, claimed.session);
        server.ledger.ask(by_server(Put(vec![Record::Code(code)]))).await.unwrap();
        let newest = || server.ledger.checkpoint().unwrap();
        let time = || newest().checkpoint().time.map(seconds).unwrap();
        let before = (newest().head().size, time());
        stage.set_time(START + 7200);
        let mut waits = 0;
        while newest().head().size < before.0 + 2 || time() < START + 7200 {
            waits += 1;
            assert!(waits < 400, "an idle log says nothing");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(before.1 < START + 7200);
        // Nobody asked for anything, and that is what stands there.
        let rows = stage.store(false).await.entries(before.0, 2).await.unwrap();
        assert_eq!(rows.len(), 2);
        for row in rows {
            let name = BlobName { kind: "entry", id: &row.seq.to_be_bytes(), version: 0 };
            let content = server.keychain.open(INSTANCE, &name, &row.sealed.unwrap()).unwrap();
            let entry: Entry = serde_json::from_slice(&content[32..]).unwrap();
            assert_eq!(entry.action, "heartbeat");
        }
        let registry = server.ledger.registry();
        assert!(registry.session(session).is_none() && registry.code(id).is_none());
        // The device is still hers.
        assert_eq!(registry.device(alice.device), Some(&device));
    }
}
