// SPDX-License-Identifier: LGPL-2.0-or-later
use std::collections::BTreeMap;

use super::*;
use crate::log::{Checkpoint, Frontier, KeyKind, NodeHash, NodeId, TreeHead};

const NAME: &str = "keys.example.org/log";
const SEED: [u8; 32] = [21; 32];
const PATIENCE: Duration = Duration::from_secs(300);

fn key() -> VerifierKey {
    VerifierKey::of_seed(NAME, KeyKind::Log, &SEED).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

/// One history: its entries are told apart by a name.
struct Log {
    nodes: BTreeMap<NodeId, NodeHash>,
    heads: Vec<TreeHead>,
}

impl Log {
    /// A history of `size` entries that leaves the honest one after `honest` of them.
    fn forked_after(honest: u64, size: u64) -> Self {
        let mut frontier = Frontier::new();
        let mut log = Self { nodes: BTreeMap::new(), heads: vec![frontier.head()] };
        for seq in 0..size {
            let name = if seq < honest { "honest" } else { "forged" };
            log.nodes.extend(frontier.append(NodeHash::leaf(format!("{name} {seq}").as_bytes())));
            log.heads.push(frontier.head());
        }
        log
    }

    fn honest(size: u64) -> Self {
        Self::forked_after(size, size)
    }

    fn note(&self, size: u64, signed: SystemTime) -> String {
        let checkpoint =
            Checkpoint { origin: NAME.into(), head: self.heads[size as usize], time: Some(signed) };
        checkpoint.sign(&key(), &SEED).note().to_owned()
    }

    fn proof(&mut self, old: u64, new: u64) -> ConsistencyProof {
        ConsistencyProof::build(&mut self.nodes, old, new).unwrap().unwrap()
    }
}

/// Has seen the honest log at 10 entries, signed and arrived at second 0.
fn follower(log: &Log) -> Follower {
    Follower::start(key(), &log.note(10, at(0)), at(0)).unwrap()
}

#[test]
fn a_log_that_grows_and_beats_is_followed() {
    let mut log = Log::honest(20);
    let mut follower = follower(&log);
    let none = ConsistencyProof::default();
    let to_20 = log.proof(10, 20);
    assert_eq!(follower.advance(&log.note(10, at(60)), &none, at(61)), Ok(Progress::Heartbeat));
    assert_eq!(follower.advance(&log.note(20, at(120)), &to_20, at(121)), Ok(Progress::Grown(10)));
    assert_eq!(follower.check_silence(PATIENCE, at(420)), Ok(()));
    assert_eq!(follower.last().head(), &log.heads[20]);
}

#[test]
fn an_overtaken_reply_is_no_rollback() {
    let mut log = Log::honest(20);
    let mut follower = follower(&log);
    let older = log.note(7, at(0));
    assert_eq!(follower.advance(&older, &log.proof(7, 10), at(5)), Ok(Progress::Older));
    assert_eq!(follower.last().head().size, 10);
    // The same tree, but signed before what is kept: it must not count as a sign of life.
    let same = log.note(10, at(0));
    assert_eq!(follower.advance(&same, &ConsistencyProof::default(), at(1000)), Ok(Progress::Older));
    assert_eq!(follower.check_silence(PATIENCE, at(1000)), Err(Alarm::Silence { since: at(0) }));
}

#[test]
fn a_smaller_tree_signed_later_is_a_rollback() {
    let mut log = Log::honest(10);
    let mut follower = follower(&log);
    let (kept, now) = (log.note(10, at(0)), log.note(9, at(1)));
    let alarm = follower.advance(&now, &log.proof(9, 10), at(2)).unwrap_err();
    assert_eq!(alarm, Alarm::Rollback { kept: kept.clone(), now: Some(now) });
    assert_eq!(follower.last().note(), kept, "the log has to answer for it again");
}

#[test]
fn another_tree_of_the_same_size_is_a_fork_with_its_evidence() {
    let log = Log::honest(10);
    let forged = Log::forked_after(9, 10).note(10, at(1));
    let alarm = follower(&log).advance(&forged, &ConsistencyProof::default(), at(2)).unwrap_err();
    let Alarm::Fork { kept, now: Some(now) } = alarm else { panic!("{alarm:?}") };
    for note in [kept, now] {
        SignedCheckpoint::open(&note, &key()).unwrap();
    }
}

#[test]
fn a_tree_that_does_not_extend_the_kept_one_finds_no_proof() {
    let mut log = Log::honest(20);
    for forked_after in [0, 5, 9] {
        let mut forged = Log::forked_after(forked_after, 20);
        let note = forged.note(20, at(1));
        for proof in [forged.proof(10, 20), log.proof(10, 20), ConsistencyProof::default()] {
            let alarm = follower(&log).advance(&note, &proof, at(2)).unwrap_err();
            assert!(matches!(alarm, Alarm::Unproven { .. }), "{alarm:?}");
        }
        // The past is not taken on trust either.
        let older = Log::forked_after(0, 7).note(7, at(0));
        let alarm = follower(&log).advance(&older, &log.proof(7, 10), at(2)).unwrap_err();
        assert!(matches!(alarm, Alarm::Unproven { .. }), "{alarm:?}");
    }
    // A fork behind what was seen extends it, and cannot be told from growth.
    let mut later = Log::forked_after(10, 20);
    let proof = later.proof(10, 20);
    assert_eq!(follower(&log).advance(&later.note(20, at(1)), &proof, at(2)), Ok(Progress::Grown(10)));
}

#[test]
fn silence_counts_from_signing_or_arrival_whichever_is_earlier() {
    let log = Log::honest(10);
    let since = |signed, arrived| {
        let follower = Follower::start(key(), &log.note(10, at(signed)), at(arrived)).unwrap();
        assert_eq!(follower.check_silence(PATIENCE, at(signed.min(arrived) + 300)), Ok(()));
        follower.check_silence(PATIENCE, at(signed.min(arrived) + 301)).unwrap_err()
    };
    assert_eq!(since(100, 130), Alarm::Silence { since: at(100) });
    // Signed for next year: that would keep a dead log alive.
    assert_eq!(since(30_000_000, 130), Alarm::Silence { since: at(130) });
}

#[test]
fn foreign_and_forged_notes_raise_the_alarm() {
    let mut log = Log::honest(20);
    let mut follower = follower(&log);
    let proof = log.proof(10, 20);
    let good = log.note(20, at(1));
    let forged = good.replace("\n20\n", "\n19\n");
    assert_eq!(follower.advance(&forged, &proof, at(2)), Err(Alarm::BadSignature));
    assert_eq!(follower.advance("", &proof, at(2)), Err(Alarm::BadSignature));
    let theirs = VerifierKey::of_seed("mallory.example", KeyKind::Log, &SEED).unwrap();
    let other = Checkpoint { origin: "mallory.example".into(), head: log.heads[20], time: None };
    let foreign = other.sign(&theirs, &SEED);
    assert_eq!(follower.advance(foreign.note(), &proof, at(2)), Err(Alarm::WrongOrigin));
    assert_eq!(follower.advance(&good, &proof, at(2)), Ok(Progress::Grown(10)));
}

#[test]
fn what_is_kept_is_taken_up_again_and_checked() {
    let log = Log::honest(10);
    let kept = follower(&log).kept();
    let json = serde_json::to_string(&kept).unwrap();
    let resumed = Follower::resume(key(), &serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(resumed.kept(), kept);
    let changed = Kept { note: kept.note.replace("\n10\n", "\n11\n"), ..kept };
    assert_eq!(Follower::resume(key(), &changed).unwrap_err(), Alarm::BadSignature);
}

#[test]
fn a_log_that_is_shown_what_it_no_longer_has_stops() {
    let honest = Log::honest(20);
    let mut restored = Log::honest(15);
    let mut judge = |note: &str| judge_shown(note, &key(), 15, &mut restored.nodes).unwrap();
    for size in 0..=15 {
        assert_eq!(judge(&honest.note(size, at(0))), Ok(()), "{size}");
    }
    let lost = honest.note(16, at(0));
    assert_eq!(judge(&lost), Err(Alarm::Rollback { kept: lost.clone(), now: None }));
    for size in 1..=15 {
        let forked = Log::forked_after(size - 1, size).note(size, at(0));
        assert_eq!(judge(&forked), Err(Alarm::Fork { kept: forked.clone(), now: None }));
    }
    // Garbage by anybody says nothing about the log.
    assert_eq!(judge(&lost.replace("16", "99")), Err(Alarm::BadSignature));
}

#[test]
fn a_restored_log_that_grew_again_is_a_fork() {
    let before = Log::honest(20).note(20, at(0));
    let mut restored = Log::forked_after(15, 25);
    let verdict = judge_shown(&before, &key(), 25, &mut restored.nodes).unwrap();
    assert!(matches!(verdict, Err(Alarm::Fork { .. })));
}

fn chain(counter: u64, previous: Option<u64>) -> Chain {
    Chain { counter, previous }
}

#[test]
fn a_list_without_holes_is_accepted_with_erased_entries_too() {
    let mut list = ChainFollower::default();
    list.next(4, &chain(1, None)).unwrap();
    list.next(9, &chain(2, Some(4))).unwrap();
    list.next_erased(11);
    list.next(30, &chain(4, Some(11))).unwrap();
    assert_eq!(list.counter(), 4);
}

#[test]
fn every_hole_in_a_list_shows() {
    let mut list = ChainFollower::default();
    assert_eq!(list.next(9, &chain(2, Some(4))), Err(Alarm::Gap { after: 0, found: 2 }));
    list.next(4, &chain(1, None)).unwrap();
    for (seq, wrong) in [
        (9, chain(3, Some(7))),
        // Renumbered, but it names an entry that is not in the list.
        (9, chain(2, Some(5))),
        (9, chain(2, None)),
        // Twice, or out of order.
        (4, chain(1, None)),
        (3, chain(2, Some(4))),
    ] {
        let found = wrong.counter;
        assert_eq!(list.next(seq, &wrong), Err(Alarm::Gap { after: 1, found }), "{wrong:?}");
    }
    list.next(9, &chain(2, Some(4))).unwrap();
}
