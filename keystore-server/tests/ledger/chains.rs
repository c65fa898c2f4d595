// SPDX-License-Identifier: LGPL-2.0-or-later
//! The uses of one key are counted without a gap, whoever of several servers records them.

use plombe_core::{
    keystore::KeyFingerprint,
    log::entry::{Chain, Entry},
};
use plombe_keystore::{
    access_policy::{Action, Refusal},
    hierarchy::BlobName,
    instance,
    ledger::{Act, Effects, Scene},
    registry::{Key, KeyState, Record},
};

use crate::stage::{Put, START, Stage};

struct UseKey(KeyFingerprint);

impl Act for UseKey {
    type Answer = ();

    fn action(&self) -> Action {
        Action::Unwrap { key: self.0.clone() }
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects::none(()))
    }
}

/// Each remembers the newest link that it wrote, and has to notice that the other has gone on.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_take_turns_make_one_chain_of_a_keys_uses() {
    for stage in Stage::on_each().await {
        let (one, other) = (stage.server().await, stage.server().await);
        let alice = one.person("alice@example.org").await;
        let tenant = one.ledger.registry().tenants().next().unwrap().id;
        let id: KeyFingerprint = "AB".repeat(20).parse().unwrap();
        let key = Key {
            id: id.clone(),
            tenant,
            owner: alice.principal,
            certificate: Vec::new().into(),
            unwrapping: vec![id.clone()].into(),
            signing: Vec::new().into(),
            state: KeyState::Active,
            blob_version: 1,
            since: START,
        };
        one.ledger.ask(instance::by_server(Put(vec![Record::Key(key)]))).await.unwrap();
        let mut positions = Vec::new();
        for server in [&one, &one, &other, &other, &one, &other, &one] {
            let granted = server.ask(&alice.actor, UseKey(id.clone())).await.unwrap();
            positions.push(granted.permit.position());
        }
        let store = stage.store(false).await;
        let mut previous = None;
        for (counter, position) in (1..).zip(positions) {
            let row = store.entries(position, 1).await.unwrap().remove(0);
            let name = BlobName { kind: "entry", id: &position.to_be_bytes(), version: 0 };
            let content = one.keychain.open(tenant, &name, &row.sealed.unwrap()).unwrap();
            let entry: Entry = serde_json::from_slice(&content[32..]).unwrap();
            assert_eq!(entry.chain, Some(Chain { counter, previous }));
            previous = Some(position);
        }
    }
}
