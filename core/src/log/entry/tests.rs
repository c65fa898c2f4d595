// SPDX-License-Identifier: LGPL-2.0-or-later
use super::*;
use crate::keystore::calls::custody::Purpose;

const KEY: &str = "C4BC2DDB38CCE96485EBE9C2F20691179038E5C6";
const ALICE: &str = "018f8fad-5bd9-7b69-8165-70867728950e";
const LAPTOP: &str = "018f8fad-5bd9-7b69-8165-70867728950f";

fn unwrap_by_alice() -> Entry {
    let claims = Context {
        message_id: Some("<1@example.org>".into()),
        sender: Some("bob@example.org".into()),
        purpose: Purpose::ReadMail,
    };
    Entry {
        version: BodyVersion,
        time: 1_800_000_000,
        tenant: None,
        request_id: Some(ALICE.parse().unwrap()),
        actor: ActorEntry::Device {
            principal: ALICE.parse().unwrap(),
            device: LAPTOP.parse().unwrap(),
            session: None,
            roles: vec!["user".into()],
        },
        action: "unwrap".into(),
        target: Target { key: Some(KEY.parse().unwrap()), ..Target::default() },
        decision: DecisionEntry::permitted("owner", "the key is the caller's own"),
        context: Some(ContextEntry::claimed(&claims)),
        details: BTreeMap::new(),
        chain: Some(Chain { key: KEY.parse().unwrap(), counter: 3, previous: Some(17) }),
    }
}

fn text(entry: &Entry) -> String {
    String::from_utf8(entry.to_body().unwrap()).unwrap()
}

#[test]
fn a_body_has_the_documented_bytes() {
    let expected = concat!(
        r#"{"v":1,"time":1800000000,"request_id":"ALICE","#,
        r#""actor":{"kind":"device","principal":"ALICE","device":"LAPTOP","roles":["user"]},"#,
        r#""action":"unwrap","target":{"key":"KEY"},"#,
        r#""decision":{"outcome":"permitted","rule":"owner","explanation":"the key is the caller's own"},"#,
        r#""context":{"message_id":"<1@example.org>","sender":"bob@example.org","purpose":"read-mail"},"#,
        r#""chain":{"key":"KEY","counter":3,"previous":17}}"#
    );
    assert_eq!(
        text(&unwrap_by_alice()),
        expected.replace("ALICE", ALICE).replace("LAPTOP", LAPTOP).replace("KEY", KEY)
    );
}

#[test]
fn garbage_by_nobody_is_one_short_entry() {
    let counted = Entry {
        request_id: None,
        actor: ActorEntry::Anonymous { count: 1_000_000 },
        action: "refused-anonymous".into(),
        target: Target::default(),
        decision: DecisionEntry::refused("no-session", ""),
        context: None,
        chain: None,
        ..unwrap_by_alice()
    };
    assert_eq!(
        text(&counted),
        r#"{"v":1,"time":1800000000,"actor":{"kind":"anonymous","count":1000000},"action":"refused-anonymous","#
            .to_owned()
            + r#""decision":{"outcome":"refused","rule":"no-session"}}"#
    );
}

#[test]
fn every_actor_comes_back() {
    let actors = [
        ActorEntry::Server,
        ActorEntry::Anonymous { count: 2 },
        ActorEntry::Newcomer { thumbprint: DeviceThumbprint([7; 32]) },
        unwrap_by_alice().actor,
    ];
    for actor in actors {
        let entry = Entry { actor, ..unwrap_by_alice() };
        assert_eq!(Entry::read(&entry.to_body().unwrap()).unwrap(), entry);
    }
}

#[test]
fn a_reader_ignores_members_and_takes_codes_that_it_does_not_know() {
    let newer = text(&unwrap_by_alice())
        .replace(r#""action":"unwrap""#, r#""action":"teleport","why":{"a":[1]}"#)
        .replace(r#""purpose":"read-mail""#, r#""purpose":"dream","mood":1"#);
    let read = Entry::read(newer.as_bytes()).unwrap();
    assert_eq!(read.action, "teleport");
    assert_eq!(read.context.unwrap().purpose, "dream");
}

#[test]
fn a_reader_refuses_what_it_would_misunderstand() {
    let good = text(&unwrap_by_alice());
    let newer = good.replace(r#""v":1"#, r#""v":2"#);
    assert_eq!(Entry::read(newer.as_bytes()), Err(EntryError::NewerFormat));
    let malformed = [
        String::new(),
        "{}".into(),
        format!("{good}x"),
        good.replace(r#""v":1,"#, ""),
        good.replace(r#""v":1"#, r#""v":-1"#),
        good.replace(r#""time":1800000000"#, r#""time":-1"#),
        good.replace("permitted", "perhaps"),
        good.replace(KEY, &KEY.to_lowercase()),
        good.replace(r#""action":"unwrap""#, r#""action":"unwrap","action":"sign""#),
        good.replace(r#""v":1"#, &format!(r#""v":1,"pad":"{}""#, "a".repeat(MAX_BODY_BYTES))),
    ];
    for body in malformed {
        assert_eq!(Entry::read(body.as_bytes()), Err(EntryError::Malformed), "{body:.80}");
    }
}

#[test]
fn unfit_entries_are_not_written() {
    use UnfitEntry::*;
    let unfit = |change: fn(&mut Entry)| {
        let mut entry = unwrap_by_alice();
        change(&mut entry);
        entry.to_body().unwrap_err()
    };
    assert_eq!(unfit(|entry| entry.action = "Un wrap".into()), NotACode("action"));
    assert_eq!(unfit(|entry| entry.decision.rule.clear()), NotACode("rule"));
    assert_eq!(unfit(|entry| entry.decision.explanation = "a\nb".into()), BadText("explanation"));
    assert_eq!(unfit(|entry| entry.detail("A", "")), NotACode("detail"));
    assert_eq!(unfit(|entry| drop(entry.details.insert("a".into(), "a".repeat(257)))), BadText("detail"));
    assert_eq!(unfit(|entry| (0..17).for_each(|i| entry.detail(&format!("d{i}"), ""))), TooMany);
    assert_eq!(unfit(|entry| entry.context.as_mut().unwrap().purpose.clear()), NotACode("purpose"));
    assert_eq!(
        unfit(|entry| entry.context.as_mut().unwrap().sender = Some("a".repeat(513))),
        BadText("sender")
    );
    for (counter, previous) in [(0, None), (1, Some(0)), (2, None)] {
        let chain = Some(Chain { key: KEY.parse().unwrap(), counter, previous });
        assert_eq!(Entry { chain, ..unwrap_by_alice() }.to_body(), Err(BrokenChain));
    }
}

#[test]
fn the_largest_entry_fits_whatever_a_client_claims() {
    // Quotes double in JSON.
    let long = "\"".repeat(100_000);
    let claims =
        Context { message_id: Some(long.clone()), sender: Some(long.clone()), purpose: Purpose::Other };
    let mut entry = unwrap_by_alice();
    let code = |i: usize| format!("{}-{i:02}", "c".repeat(61));
    entry.tenant = Some(ALICE.parse().unwrap());
    entry.actor = ActorEntry::Device {
        principal: ALICE.parse().unwrap(),
        device: LAPTOP.parse().unwrap(),
        session: Some(ALICE.parse().unwrap()),
        roles: (0..MAX_ITEMS).map(code).collect(),
    };
    entry.action = code(0);
    let key: KeyFingerprint = "AB".repeat(32).parse().unwrap();
    entry.target =
        Target { key: Some(key.clone()), principal: ALICE.parse().ok(), device: LAPTOP.parse().ok() };
    entry.chain = Some(Chain { key, counter: u64::MAX, previous: Some(u64::MAX) });
    entry.decision = DecisionEntry::refused(&code(0), &long);
    entry.context = Some(ContextEntry::claimed(&claims));
    (0..MAX_ITEMS).for_each(|i| entry.detail(&code(i), &long));
    let body = entry.to_body().unwrap();
    assert!(body.len() <= MAX_BODY_BYTES, "{} bytes", body.len());
    assert_eq!(Entry::read(&body).unwrap(), entry);
}
