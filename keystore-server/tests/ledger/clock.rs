// SPDX-License-Identifier: LGPL-2.0-or-later
//! A clock that jumps by a day, in either direction.

use std::time::{Duration, SystemTime};

use plombe_keystore::{
    access_policy::seconds,
    instance::by_server,
    ledger::{AskError, Jumped},
};

use crate::stage::{Person, Put, START, Server, SetCode, Stage};

const DAY: u64 = 24 * 3600;

/// What the log says of its newest entry.
fn log_time(server: &Server) -> u64 {
    server.ledger.checkpoint().unwrap().checkpoint().time.map(seconds).unwrap()
}

async fn use_by(server: &Server, person: &Person) -> Result<u64, AskError> {
    server.ask(&person.actor, SetCode([1; 32])).await.map(|granted| granted.permit.position())
}

fn has_jumped<T>(told: &Result<T, AskError>) -> bool {
    matches!(told, Err(AskError::Clock(Jumped)))
}

fn rule<T>(told: Result<T, AskError>) -> String {
    match told {
        Err(AskError::Refused(refusal)) => refusal.rule.into_owned(),
        _ => "none".to_owned(),
    }
}

/// Until the writer has looked at the clock.
async fn looked(server: &Server, is_good: bool) {
    for _ in 0..100 {
        if server.ledger.time().is_ok() == is_good {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody looks at the clock");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_by_a_day_stops_everything_and_ends_and_forgets_nothing() {
    for stage in Stage::on_each().await {
        for clock in [START + DAY, START - DAY] {
            let server = stage.lively_server().await;
            let alice = server.person("alice@example.org").await;
            let ask = Server::asking(&alice.actor, SetCode([7; 32]));
            let once = ask.once.clone();
            server.ledger.ask(ask).await.unwrap();

            stage.set_clock(clock);
            assert!(has_jumped(&use_by(&server, &alice).await));
            assert!(has_jumped(&server.ledger.ask(by_server(Put(Vec::new()))).await));
            looked(&server, false).await;
            let size = server.size();
            // Some heartbeats go by, which would end each session that has run out.
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(has_jumped(&use_by(&server, &alice).await));
            assert_eq!(server.size(), size, "something was recorded");

            stage.set_clock(START);
            use_by(&server, &alice).await.unwrap();
            looked(&server, true).await;
            assert_eq!(log_time(&server), START);
            let mut replay = Server::asking(&alice.actor, SetCode([7; 32]));
            replay.once = once;
            assert_eq!(rule(server.ledger.ask(replay).await), "proof-replayed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_stays_where_it_was_set_is_believed_in_the_end() {
    for stage in Stage::on_each().await {
        for (clock, then) in [(START - DAY, START), (START + DAY, START + DAY)] {
            stage.set_clock(START);
            let server = stage.server().await;
            stage.set_clock(clock);
            let ask = async || server.ledger.ask(by_server(Put(Vec::new()))).await;
            assert!(has_jumped(&ask().await));
            stage.pass(14 * 60);
            assert!(has_jumped(&ask().await));
            // Set again meanwhile: it has to wait anew.
            stage.set_clock(clock + 7200);
            stage.pass(2 * 60);
            assert!(has_jumped(&ask().await));
            stage.set_clock(clock);
            assert!(has_jumped(&ask().await));
            stage.pass(15 * 60);
            ask().await.unwrap();
            // What the log says does not run backwards, whatever the clock does.
            assert!((then..then + 3600).contains(&log_time(&server)), "{}", log_time(&server));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_steps_and_time_that_goes_by_are_no_jumps() {
    let stage = Stage::new().await;
    let server = stage.server().await;
    let alice = server.person("alice@example.org").await;
    for clock in [START + 200, START, START + 290] {
        stage.set_clock(clock);
        use_by(&server, &alice).await.unwrap();
    }
    // The machine slept for a week.
    stage.pass(7 * DAY);
    assert_eq!(rule(use_by(&server, &alice).await), "session-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_with_a_clock_behind_the_log_waits_for_it() {
    let stage = Stage::new().await;
    let alice = stage.server().await.person("alice@example.org").await;
    stage.set_clock(START - DAY);
    let server = stage.server().await;
    assert!(has_jumped(&use_by(&server, &alice).await));
    stage.set_clock(START);
    use_by(&server, &alice).await.unwrap();
}

/// A server that starts with a clock that is ahead looks like one that did not run for a day. It makes no session last longer once
/// the clock is right, and keeps nobody out for a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_ahead_lengthens_nothing_and_locks_nobody_out() {
    for stage in Stage::on_each().await {
        let (right, alice) = (stage.server().await, stage.server().await.person("alice@example.org").await);
        stage.set_clock(START + DAY);
        let ahead = stage.server().await;
        ahead.ledger.ask(by_server(Put(Vec::new()))).await.unwrap();
        assert_eq!(log_time(&ahead), START + DAY);
        stage.set_clock(START);

        // One that knew the time all along goes on at once, by its own clock.
        use_by(&right, &alice).await.unwrap();
        assert_eq!(log_time(&right), START + DAY);
        // One that starts waits a quarter of an hour.
        let new = stage.server().await;
        assert!(has_jumped(&use_by(&new, &alice).await));
        stage.pass(15 * 60);
        use_by(&new, &alice).await.unwrap();
        // Alice's session lasts an hour, not a day and an hour.
        stage.set_time(START + 3601);
        for server in [&new, &right] {
            assert_eq!(rule(use_by(server, &alice).await), "session-expired");
        }
        assert!(server_time(&new) < START + DAY);
    }
}

fn server_time(server: &Server) -> u64 {
    server.ledger.time().map_or(0, |time: SystemTime| seconds(time))
}
