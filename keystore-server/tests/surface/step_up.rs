// SPDX-License-Identifier: LGPL-2.0-or-later
//! Every call that a passkey is shown for demands it of who has one, whatever else would be right with it.

use std::collections::{BTreeMap, BTreeSet};

use plombe_core::{
    keystore::{
        access_rules::{AccessRule, AccessRules, Demand},
        calls::{
            self, Call,
            audit::ListEntries,
            history::{AcknowledgeLoss, LostHistory},
            passkeys::{
                AddPasskey, FinishStepUp, ListPasskeys, Passkeys, RemovePasskey, StartPasskey, StartStepUp,
            },
            principals::CreateCode,
            rules::SetRules,
        },
    },
    log::{SignedCheckpoint, TreeHead},
};
use plombe_keystore::{access_policy::purpose_of, registry::Purpose};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    authenticator::Authenticator,
    stage::{Column, Stage},
    targets,
    wire::Caller,
};

/// Who makes the call, so that nothing but the passkey is missing.
fn asker(path: &str, purpose: Purpose) -> Column {
    match purpose {
        Purpose::ThisDevice => Column::Pending,
        Purpose::Administration => Column::Admin,
        _ if path == ListEntries::PATH => Column::Auditor,
        _ => Column::Owner,
    }
}

/// The code of a refusal; `ok` for an answer.
fn outcome(stage: &Stage, caller: &Caller, path: &str, call: &Value) -> String {
    match caller.ask(stage.address(), path, &call.to_string()) {
        Ok(reply) if reply.status == 200 => "ok".to_owned(),
        Ok(reply) => reply.body["code"].as_str().unwrap().to_owned(),
        Err(code) => code.as_str().to_owned(),
    }
}

fn answer<C: Call>(stage: &Stage, caller: &Caller, call: &C) -> C::Answer
where
    C::Answer: DeserializeOwned,
{
    let call = serde_json::to_string(call).unwrap();
    let reply = caller.ask(stage.address(), C::PATH, &call).unwrap();
    assert_eq!(reply.status, 200, "{}: {}", C::PATH, reply.body);
    serde_json::from_value(reply.body).unwrap()
}

fn enrol(stage: &Stage, column: Column) -> Authenticator {
    let caller = stage.caller(column);
    let mut authenticator = Authenticator::new();
    let ceremony = answer(stage, caller, &StartPasskey {});
    let registration = authenticator.register(&ceremony);
    let add = AddPasskey { ticket: ceremony.ticket, name: "key ring".into(), registration };
    answer(stage, caller, &add);
    authenticator
}

/// Key use needs a passkey where the organisation says so.
fn for_key_use() -> AccessRules {
    let actions =
        ["unwrap", "sign", "raw-share-point", "generate-key", "put-backup", "fetch-backup", "read-log"];
    let rule = AccessRule {
        id: "passkey".into(),
        why: "keys are precious".into(),
        demand: Demand::Passkey,
        actions: actions.map(str::to_owned).into(),
        roles: BTreeSet::new(),
        people: BTreeSet::new(),
        except: BTreeSet::new(),
        keys: BTreeSet::new(),
        outside: None,
    };
    AccessRules { rules: vec![rule] }
}

#[test]
fn every_call_that_a_passkey_is_shown_for_demands_it_of_who_has_one() {
    let mut stage = Stage::new();
    // Nothing is lost here, so nothing is acknowledged: that is the next test's.
    let paths = calls::ALL.iter().map(|(path, _)| *path).filter(|path| *path != AcknowledgeLoss::PATH);
    let paths: Vec<_> = paths.filter_map(|path| Some((path, purpose_of(path)?))).collect();
    assert!(paths.len() >= 30, "{}", paths.len());
    // Prepared while nobody has a passkey, and sent when they do.
    let mut asks: Vec<_> = paths
        .into_iter()
        .map(|(path, purpose)| {
            let column = asker(path, purpose);
            (path, purpose, column, targets::request(&mut stage, path, column).unwrap().call)
        })
        .collect();
    // What takes the passkey away comes last.
    asks.sort_by_key(|(path, ..)| *path == RemovePasskey::PATH);
    stage.boss.call(&SetRules { replaces: 0, rules: for_key_use() }).unwrap();
    let mut passkeys: BTreeMap<_, _> =
        [Column::Owner, Column::Admin, Column::Auditor].map(|who| (who.name(), enrol(&stage, who))).into();
    let Passkeys { passkeys: hers } = answer(&stage, stage.caller(Column::Owner), &ListPasskeys {});
    for (path, _, _, call) in &mut asks {
        match *path {
            RemovePasskey::PATH => *call = json!({ "passkey": hers[0].id }),
            // No looser than what is in force, so that one may do it alone.
            SetRules::PATH => *call = json!({ "replaces": 1, "rules": for_key_use() }),
            _ => {}
        }
    }

    let without = |(path, _, column, call): &(&str, Purpose, Column, Value)| {
        let found = outcome(&stage, stage.caller(*column), path, call);
        (found != "step-up-needed").then(|| format!("{path}: {found}"))
    };
    let wrong: Vec<_> = asks.iter().filter_map(without).collect();
    assert!(wrong.is_empty(), "no passkey is demanded for: {}", wrong.join(", "));

    // Once it was shown for that kind of call, it is demanded no more.
    let mut shown = BTreeSet::new();
    for (path, purpose, column, call) in &asks {
        let caller = stage.caller(*column);
        if shown.insert((column.name(), purpose.code())) {
            // A device that waits is Alice's.
            let owner = if *column == Column::Pending { Column::Owner } else { *column };
            let authenticator = passkeys.get_mut(owner.name()).unwrap();
            let ceremony = answer(&stage, caller, &StartStepUp { path: (*path).into() });
            let question = String::from_utf8_lossy(&ceremony.question.0).into_owned();
            assert!(question.contains(purpose.code()), "{path}: {question}");
            assert_eq!(ceremony.credentials[0].0, authenticator.id(), "{path}");
            let assertion = authenticator.assert(&ceremony);
            answer(&stage, caller, &FinishStepUp { ticket: ceremony.ticket, assertion });
        }
        assert_ne!(outcome(&stage, caller, path, call), "step-up-needed", "{path}");
    }
}

#[test]
fn who_acknowledges_a_loss_shows_a_passkey_where_they_have_one() {
    let mut stage = Stage::new();
    let mut authenticator = enrol(&stage, Column::Admin);
    let backup = stage.server.backup();
    let code = CreateCode { principal: stage.alice.identity().principal, valid_for_seconds: None };
    stage.boss.call(&code).unwrap();
    let lost = stage.boss.saved().log.latest.unwrap();
    stage.server.restore(&backup);
    stage.server.show(&lost);

    let verifier = stage.alice.keystore().identity().log_verifier.parse().unwrap();
    let TreeHead { size, root } = *SignedCheckpoint::open(&lost, &verifier).unwrap().head();
    let admin = stage.caller(Column::Admin);
    let shown_at = answer(&stage, admin, &LostHistory {}).losses[0].shown_at;
    let call = json!({ "size": size, "root": root, "shown_at": shown_at, "reason": "the disk was lost" });
    assert_eq!(outcome(&stage, admin, AcknowledgeLoss::PATH, &call), "step-up-needed");
    let ceremony = answer(&stage, admin, &StartStepUp { path: AcknowledgeLoss::PATH.into() });
    let assertion = authenticator.assert(&ceremony);
    answer(&stage, admin, &FinishStepUp { ticket: ceremony.ticket, assertion });
    assert_eq!(outcome(&stage, admin, AcknowledgeLoss::PATH, &call), "ok");
}
