// SPDX-License-Identifier: LGPL-2.0-or-later
//! Rules as people write them: people by address, hours as on a clock.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Context as _;
use plombe_client::Session;
use plombe_core::keystore::{
    KeyFingerprint, PrincipalId,
    access_rules::{AccessRule, AccessRules, Demand, Hours},
    calls::login::Role,
};
use serde::{Deserialize, Serialize};

use super::super::person::Person;
use crate::exit::Failure;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    why: String,
    demand: Demand,
    actions: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    people: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    keys: BTreeSet<KeyFingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outside: Option<Clock>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    days: BTreeSet<Day>,
    from: String,
    until: String,
    #[serde(default)]
    utc_offset: i16,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Day {
    Mon = 1,
    Tue = 2,
    Wed = 3,
    Thu = 4,
    Fri = 5,
    Sat = 6,
    Sun = 7,
}

const DAYS: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

/// Reads a file, finds the people that it names, and checks it as a whole.
pub(super) fn read(file: &Path, session: &mut Session) -> anyhow::Result<AccessRules> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let written: RulesFile =
        toml::from_str(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let mut rules = Vec::new();
    for rule in written.rule {
        let Rule { id, why, demand, actions, roles, people, except, keys, outside } = rule;
        let outside = outside.map(|clock| hours(&id, &clock)).transpose()?;
        let (people, except) = (find(session, &id, people)?, find(session, &id, except)?);
        rules.push(AccessRule { id, why, demand, actions, roles, people, except, keys, outside });
    }
    let rules = AccessRules { rules };
    rules.check().map_err(|problem| {
        Failure::usage(problem.0.join("\n")).hint("docs/keystore/rules.md says what rules can say")
    })?;
    Ok(rules)
}

fn find(session: &mut Session, rule: &str, people: Vec<String>) -> anyhow::Result<BTreeSet<PrincipalId>> {
    let mut found = BTreeSet::new();
    for text in people {
        let person: Person =
            text.parse().map_err(|error| Failure::usage(format!("{rule}: {text}: {error}")))?;
        found.insert(person.id(session).with_context(|| format!("{rule}: {text}"))?);
    }
    Ok(found)
}

fn hours(rule: &str, clock: &Clock) -> anyhow::Result<Hours> {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let two = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok())?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        (hours <= 24 && minutes < 60).then_some(60 * hours + minutes)
    };
    let minute = |text: &str| {
        minute(text).ok_or_else(|| Failure::usage(format!("{rule}: {text} is not a time like 08:30")))
    };
    Ok(Hours {
        days: clock.days.iter().map(|day| *day as u8).collect(),
        from: minute(&clock.from)?,
        until: minute(&clock.until)?,
        utc_offset: clock.utc_offset,
    })
}

/// Rules as a file. People stand there by their ids, which say the same when addresses change.
pub(super) fn text(rules: &AccessRules) -> anyhow::Result<String> {
    let ids = |people: &BTreeSet<PrincipalId>| people.iter().map(ToString::to_string).collect();
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let clock = |hours: &Hours| Clock {
        days: DAYS.into_iter().filter(|day| hours.days.contains(&(*day as u8))).collect(),
        from: time(hours.from),
        until: time(hours.until),
        utc_offset: hours.utc_offset,
    };
    let rule = |rule: &AccessRule| Rule {
        id: rule.id.clone(),
        why: rule.why.clone(),
        demand: rule.demand,
        actions: rule.actions.clone(),
        roles: rule.roles.clone(),
        people: ids(&rule.people),
        except: ids(&rule.except),
        keys: rule.keys.clone(),
        outside: rule.outside.as_ref().map(clock),
    };
    Ok(toml::to_string(&RulesFile { rule: rules.rules.iter().map(rule).collect() })?)
}
