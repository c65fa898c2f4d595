// SPDX-License-Identifier: LGPL-2.0-or-later
//! What depends on the time, decided at times of our choice.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use plombe_core::cert::{Profile, Tsk};
use uuid::Uuid;

use super::*;
use crate::{access_policy::Actor, fresh, registry::Tenant};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const LINK_SECONDS: u64 = 600;

struct Town(Registry);

impl Town {
    fn new() -> Self {
        let mut registry = Registry::default();
        let domains = vec!["example.org".to_owned()];
        registry.put(Arc::new(Record::Tenant(Tenant { id: TENANT, name: "x".into(), domains, created: 0 })));
        Self(registry)
    }

    fn does<A: Act>(&mut self, act: &mut A, now: SystemTime) -> Result<(), Refusal> {
        let scene = Scene { registry: &self.0, actor: &Actor::Server, now, position: 1 };
        let effects = act.effects(&scene)?;
        effects.put.into_iter().for_each(|record| self.0.put(Arc::new(record)));
        effects.ended.iter().for_each(|key| self.0.remove(key));
        Ok(())
    }

    fn sends(&mut self, challenge: &mut SendChallenge, now: SystemTime) -> Result<(), Refusal> {
        self.does(challenge, now)
    }

    fn confirms(&mut self, sent: &SendChallenge, now: SystemTime) -> Result<(), Refusal> {
        let challenge = self.0.challenge(&sent.hash).cloned().ok_or(refusal::CHALLENGE_UNKNOWN)?;
        self.does(&mut Confirm { challenge, policy: CryptoPolicy::standard() }, now)
    }
}

fn challenge(address: &str, now: SystemTime) -> SendChallenge {
    let made = Tsk::generate(Profile::Rfc4880, &[format!("<{address}>")], None, now).unwrap();
    let certificate = made.tsk.certificate();
    SendChallenge {
        to: Address::parse(address).unwrap(),
        key: made.tsk.fingerprint().try_into().unwrap(),
        certificate: certificate.to_bytes().into(),
        subkeys: look_at(&certificate, &CryptoPolicy::standard(), now).0,
        hash: hash(&fresh::random()),
        mail: Vec::new(),
        link_seconds: LINK_SECONDS,
        per_mailbox: 2,
        per_day: 4,
    }
}

fn rule(result: Result<(), Refusal>) -> String {
    result.map_or_else(|refusal| refusal.rule.into_owned(), |()| "yes".to_owned())
}

fn after(now: SystemTime, seconds: u64) -> SystemTime {
    now + Duration::from_secs(seconds)
}

#[test]
fn a_link_ends_with_its_time() {
    let now = SystemTime::now();
    let mut town = Town::new();
    let mut sent = challenge("bob@example.org", now);
    town.sends(&mut sent, now).unwrap();
    let (good, over) = (after(now, LINK_SECONDS - 1), after(now, LINK_SECONDS));
    assert!(open(&town.0, &sent.hash, seconds(good)).is_some());
    assert!(open(&town.0, &sent.hash, seconds(over)).is_none());
    // Also when somebody found it open a moment before.
    assert_eq!(rule(town.confirms(&sent, over)), "challenge-unknown");
    assert_eq!(rule(town.confirms(&sent, good)), "yes");
    assert_eq!(rule(town.confirms(&sent, good)), "challenge-unknown");
}

#[test]
fn a_token_that_is_nearly_right_is_none() {
    let now = SystemTime::now();
    let mut town = Town::new();
    let mut sent = challenge("bob@example.org", now);
    town.sends(&mut sent, now).unwrap();
    for bit in 0..256 {
        let mut other = sent.hash;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&town.0, &other, seconds(now)).is_none(), "{bit}");
    }
}

#[test]
fn limits_count_a_day_and_what_was_not_sent_does_not_count_against_the_mailbox() {
    let now = SystemTime::now();
    let mut town = Town::new();
    let send = |town: &mut Town, address: &str, now| {
        let mut sent = challenge(address, now);
        (rule(town.sends(&mut sent, now)), sent)
    };
    assert_eq!(send(&mut town, "bob@example.org", now).0, "yes");
    assert_eq!(send(&mut town, "Bob+x@example.org", now).0, "yes");
    assert_eq!(send(&mut town, "bob+y@example.org", now).0, "challenge-too-many");
    let (sent, failing) = send(&mut town, "dave@example.org", now);
    assert_eq!(sent, "yes");
    town.does(&mut failing.failed(), now).unwrap();
    assert_eq!(rule(town.confirms(&failing, now)), "challenge-unknown");
    assert_eq!(send(&mut town, "dave@example.org", now).0, "yes");
    // What failed counts for the day, or a server that refuses everybody would be asked for ever.
    assert_eq!(send(&mut town, "erin@example.org", now).0, "challenge-too-many");
    assert_eq!(send(&mut town, "erin@example.org", after(now, DAY - 1)).0, "challenge-too-many");
    assert_eq!(send(&mut town, "erin@example.org", after(now, DAY)).0, "yes");
    assert_eq!(town.0.challenges().count(), 1, "what is over is kept for ever");
}

#[test]
fn other_domains_are_asked_nothing() {
    let now = SystemTime::now();
    let mut town = Town::new();
    for address in ["bob@example.com", "bob@sub.example.org", "bob@example.org.evil.example"] {
        assert_eq!(rule(town.sends(&mut challenge(address, now), now)), "challenge-elsewhere", "{address}");
    }
}
