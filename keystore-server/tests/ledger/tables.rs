// SPDX-License-Identifier: LGPL-2.0-or-later
//! What no digest covers is sealed for its own place, on each database: in another one it is nothing.

use plombe_keystore::ledger::AskError;

use crate::{
    stage::{Server, SetCode, Stage},
    thief::{run, swap},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_another_requests_id_is_given_to_nobody() {
    for stage in Stage::on_each().await {
        let server = stage.server().await;
        let alice = server.person("alice@example.org").await;
        let bob = server.person("bob@example.org").await;
        let of_alice = || Server::repeatable(&alice.actor, SetCode([1; 32]), 1, 1);
        let of_bob = || Server::repeatable(&bob.actor, SetCode([2; 32]), 2, 2);
        let hers = server.ledger.ask(of_alice()).await.unwrap().answer;
        let his = server.ledger.ask(of_bob()).await.unwrap().answer;
        assert_ne!(hers, his);
        // As it is, each gets their own again.
        assert_eq!(server.ledger.ask(of_alice()).await.unwrap().answer, hers);

        let [copy, answers] = swap("requests", "answer", "seq");
        run(stage.location(), &[&copy, &answers]).await;
        for ask in [of_alice(), of_bob()] {
            assert!(matches!(server.ledger.ask(ask).await, Err(AskError::Unavailable)));
        }
        // The whole row, too: his answer with all that belongs to it, under the id and the digest of her request.
        let whole = "UPDATE requests SET answer = (SELECT b.answer FROM before b WHERE b.seq <> requests.seq), seq = (SELECT b.seq FROM \
                     before b WHERE b.seq <> requests.seq), tenant = (SELECT b.tenant FROM before b WHERE b.seq <> requests.seq)";
        let back = "UPDATE requests SET answer = (SELECT b.answer FROM before b WHERE b.seq = requests.seq)";
        assert_eq!(run(stage.location(), &[back, whole]).await, 2);
        for ask in [of_alice(), of_bob()] {
            assert!(matches!(server.ledger.ask(ask).await, Err(AskError::Unavailable)));
        }
        // What was taken away is not done a second time by itself: it is asked for anew, and recorded.
        let size = server.size();
        run(stage.location(), &["DELETE FROM requests"]).await;
        assert!(server.ledger.ask(of_alice()).await.unwrap().answer >= size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_own_keys_and_facts_as_they_were_a_server_does_not_start() {
    let swapped = swap("wrapped_keys", "wrapped", "tenant");
    let secret = "SELECT value FROM facts WHERE name = 'instance-secrets'";
    let spoilt =
        format!("UPDATE facts SET value = 'ff' || substr(({secret}), 3) WHERE name = 'instance-secrets'");
    for statements in [
        vec![swapped[0].as_str(), swapped[1].as_str()],
        vec!["UPDATE wrapped_keys SET generation = generation + 1"],
        vec!["UPDATE wrapped_keys SET root = 'file:another'"],
        vec!["UPDATE wrapped_keys SET tenant = wrapped"],
        vec![
            "DELETE FROM wrapped_keys WHERE tenant = (SELECT tenant FROM wrapped_keys ORDER BY tenant LIMIT 1)",
        ],
        vec![
            "DELETE FROM wrapped_keys WHERE tenant = (SELECT tenant FROM wrapped_keys ORDER BY tenant DESC LIMIT 1)",
        ],
        vec![&spoilt],
        vec!["UPDATE facts SET value = '' WHERE name = 'instance-secrets'"],
        vec!["DELETE FROM facts WHERE name = 'instance-secrets'"],
        vec!["UPDATE facts SET value = 'example.com/log' WHERE name = 'log-name'"],
        vec!["DELETE FROM facts WHERE name = 'log-name'"],
    ] {
        for stage in Stage::on_each().await {
            let server = stage.server().await;
            server.person("alice@example.org").await;
            drop(server);
            drop(stage.server().await);
            assert!(run(stage.location(), &statements).await > 0, "{statements:?} change nothing");
            assert!(stage.try_server().await.is_err(), "{statements:?}");
        }
    }
}
