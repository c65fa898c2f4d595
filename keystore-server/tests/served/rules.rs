// SPDX-License-Identifier: LGPL-2.0-or-later
//! The organisation's own rules take away, and give nothing.

use std::collections::BTreeSet;

use plombe_client::{ClientError, Session};
use plombe_core::keystore::{
    PrincipalId, ProblemCode,
    access_rules::{AccessRule, AccessRules, Demand},
    calls::{
        approvals::Approve,
        login::Role,
        rules::{RequestRules, RulesInForce, SetRules, ShowRules},
    },
};

use crate::{
    consent::{add, log_in},
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
    trail::trail,
};

fn rule(id: &str, demand: Demand, actions: &[&str]) -> AccessRule {
    AccessRule {
        id: id.into(),
        why: "we agreed on that".into(),
        demand,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        roles: BTreeSet::new(),
        people: BTreeSet::new(),
        except: BTreeSet::new(),
        keys: BTreeSet::new(),
        outside: None,
    }
}

fn set(who: &mut Session, replaces: u64, rules: &[AccessRule]) -> Result<RulesInForce, ClientError> {
    who.call(&SetRules { replaces, rules: AccessRules { rules: rules.to_vec() } })
}

/// A keystore where an administrator counts at once, its first one, Alice, and a second administrator.
fn office() -> (TestKeystore, Session, Session, Session) {
    let mut keystore = TestKeystore::start();
    keystore.restart_with("[consent]\ndelay_hours = 0\n");
    let mut first = keystore.log_in(keystore.admin_code());
    let second = first.call(&add("second@example.org", vec![Role::User, Role::Admin])).unwrap();
    let second = log_in(&keystore, &mut first, second.principal.id);
    let alice = keystore.user("alice@example.org");
    (keystore, first, second, alice)
}

#[test]
fn a_rule_takes_away_what_is_permitted_and_says_which_it_is() {
    let (keystore, mut first, _, mut alice) = office();
    let key = generate(&mut alice, "alice@example.org");
    let mail = seal_for(&key.certificate);
    open(&mut alice, &key.fingerprint, &mail).unwrap();
    let mut mallory = keystore.user("mallory@example.org");

    let forbid = rule("no-reading", Demand::Forbid, &["unwrap"]);
    let alices = AccessRule { people: [alice.identity().principal].into(), ..forbid };
    assert_eq!(set(&mut first, 0, std::slice::from_ref(&alices)).unwrap().version, 1);
    match open(&mut alice, &key.fingerprint, &mail) {
        Err(ClientError::Refused(problem)) => {
            assert_eq!(problem.code, ProblemCode::Denied);
            assert!(problem.message.contains("no-reading") && problem.message.contains("we agreed on that"));
        }
        other => panic!("{other:?}"),
    }
    let entry = trail(&mut alice).0.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.decision.rule.as_str()), ("unwrap", "rule:no-reading"));
    // Whom no rule is about gets nothing by that: the built-in rules speak first.
    assert_eq!(refused(open(&mut mallory, &key.fingerprint, &mail)), ProblemCode::NotFound);
    assert!(trail(&mut alice).0.iter().any(|entry| entry.decision.rule == "key-not-yours"));
}

#[test]
fn a_rule_demands_a_passkey_and_who_has_none_is_told() {
    let (_keystore, mut first, _, mut alice) = office();
    let key = generate(&mut alice, "alice@example.org");
    let mail = seal_for(&key.certificate);
    set(&mut first, 0, &[rule("passkey", Demand::Passkey, &["unwrap"])]).unwrap();
    match open(&mut alice, &key.fingerprint, &mail) {
        Err(ClientError::Refused(problem)) => assert!(problem.message.contains("demands a passkey")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn looser_rules_take_two_administrators_and_stricter_ones_one() {
    let (_keystore, mut first, mut second, mut alice) = office();
    let (one, two) = (rule("one", Demand::Forbid, &["sign"]), rule("two", Demand::Forbid, &["unwrap"]));
    set(&mut first, 0, std::slice::from_ref(&one)).unwrap();
    set(&mut second, 1, &[two.clone(), one.clone()]).unwrap();
    // What takes a rule out, or changes one, is looser.
    assert_eq!(refused(set(&mut first, 2, std::slice::from_ref(&one))), ProblemCode::ApprovalNeeded);
    let weaker = AccessRule { demand: Demand::Passkey, ..two.clone() };
    assert_eq!(refused(set(&mut first, 2, &[one.clone(), weaker])), ProblemCode::ApprovalNeeded);

    let rules = AccessRules { rules: vec![one.clone()] };
    let approval = first.call(&RequestRules { rules, reason: "we read again".into() }).unwrap();
    assert_eq!(refused(set(&mut first, 2, std::slice::from_ref(&one))), ProblemCode::ApprovalNeeded);
    second.call(&Approve { approval: approval.id, consent: true }).unwrap();
    // To exactly these, for who asked, and once.
    assert_eq!(refused(set(&mut first, 2, &[])), ProblemCode::ApprovalNeeded);
    assert_eq!(refused(set(&mut second, 2, std::slice::from_ref(&one))), ProblemCode::ApprovalNeeded);
    assert_eq!(refused(set(&mut first, 1, std::slice::from_ref(&one))), ProblemCode::Conflict);
    set(&mut first, 2, std::slice::from_ref(&one)).unwrap();
    set(&mut first, 3, &[one.clone(), two]).unwrap();
    assert_eq!(refused(set(&mut first, 4, std::slice::from_ref(&one))), ProblemCode::ApprovalNeeded);

    // Others neither see nor set them.
    assert_eq!(refused(alice.call(&ShowRules {})), ProblemCode::Denied);
    assert_eq!(refused(set(&mut alice, 4, &[])), ProblemCode::Denied);
    assert_eq!(first.call(&ShowRules {}).unwrap().version, 4);
}

#[test]
fn rules_about_nobody_nothing_or_the_way_out_are_not_taken() {
    let (_keystore, mut first, _, _) = office();
    let nobody = PrincipalId(uuid::Uuid::from_u128(7));
    for wrong in [
        rule("lock", Demand::Forbid, &["revoke"]),
        rule("lock", Demand::Forbid, &["set-rules"]),
        rule("lock", Demand::Forbid, &["create-code"]),
        rule("typing", Demand::Forbid, &["unwarp"]),
        AccessRule { people: [nobody].into(), ..rule("nobody", Demand::Forbid, &["sign"]) },
    ] {
        assert_eq!(refused(set(&mut first, 0, &[wrong])), ProblemCode::Unacceptable);
    }
    assert_eq!(first.call(&ShowRules {}).unwrap().version, 0);
}
