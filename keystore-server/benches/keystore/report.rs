// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tables, in Markdown.

use std::time::Duration;

use crate::{
    bare::Bare,
    load::Kind,
    stage::{Outcome, percentile},
};

/// The goals are for two cores.
const CORES: f64 = 2.0;

pub(crate) fn say(text: &str) {
    println!("{text}");
}

fn micros(time: Duration) -> String {
    format!("{:.0} µs", time.as_secs_f64() * 1e6)
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Unwrap => "unwrap",
        Kind::Sign => "sign",
    }
}

pub(crate) fn bare(bare: &Bare, http: Duration) {
    say("| part | time |\n|---|---|");
    for (part, time) in [
        ("device proof (parse, ES256, claims)", bare.proof),
        ("envelope (HPKE open, reply sealed)", bare.envelope),
        ("unwrap (X25519, AES key wrap)", bare.unwrap),
        ("sign (Ed25519)", bare.sign),
        ("HTTP echo of the same size", http),
    ] {
        say(&format!("| {part} | {} |", micros(time)));
    }
}

pub(crate) fn heading() {
    say(
        "| operation | connections | per second, measured | p50 | p99 | keystore and database, each | caller, each \
         | two cores allow | bare parts allow | part of that |\n|---|---|---|---|---|---|---|---|---|---|",
    );
}

/// `bare` is what one operation costs without a keystore around it.
pub(crate) fn full(kind: Kind, connections: usize, outcome: &Outcome, bare: Duration) {
    let per_second = |each: Duration| CORES / each.as_secs_f64().max(1e-9);
    let (allowed, ideal) = (per_second(outcome.server_each()), per_second(bare));
    say(&format!(
        "| {} | {connections} | {:.0} | {} | {} | {} | {} | {allowed:.0} | {ideal:.0} | {:.2} |",
        name(kind),
        outcome.rate(),
        millis(percentile(&outcome.latencies, 0.5)),
        millis(percentile(&outcome.latencies, 0.99)),
        micros(outcome.server_each()),
        micros(outcome.caller_each()),
        allowed / ideal,
    ));
}

/// At half load.
pub(crate) fn paced(kind: Kind, outcome: &Outcome, disk: Duration) {
    say(&format!(
        "| {}, half load | 8 | {:.0} | {} | {} | {} | {} | | | the disk's own sync, p99: {} |",
        name(kind),
        outcome.rate(),
        millis(percentile(&outcome.latencies, 0.5)),
        millis(percentile(&outcome.latencies, 0.99)),
        micros(outcome.server_each()),
        micros(outcome.caller_each()),
        millis(disk),
    ));
}
