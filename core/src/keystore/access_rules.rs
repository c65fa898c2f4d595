// SPDX-License-Identifier: LGPL-2.0-or-later
//! An organisation's own rules about who may do what at its keystore: data on top of what is built in.
//!
//! A rule takes away: it forbids, or demands a passkey. It never permits what the built-in rules refuse, whatever it says, because it is
//! asked only about what they have permitted. What is needed to change rules, to cut somebody off and to log in cannot be named, so no
//! set of rules locks anybody out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{KeyFingerprint, PrincipalId, calls::login::Role};

/// More than these are nobody's.
const MOST_RULES: usize = 100;
const MOST_NAMED: usize = 200;
const LONGEST_ID: usize = 40;
const LONGEST_WHY: usize = 200;

/// What rules may be about, by the names that actions have in the log.
pub const ACTIONS: &[&str] = &[
    "unwrap",
    "sign",
    "certify",
    "rotate-key",
    "expire-key",
    "add-user-id",
    "generate-key",
    "import-key",
    "put-backup",
    "fetch-backup",
    "publish-certificate",
    "give-grant",
    "create-principal",
    "set-roles",
    "create-code",
    "request-break-glass",
    "break-glass",
    "read-log",
    "allow-raw-use",
    "raw-share-point",
];

/// Those of them by which an organisation gets more administrators. Forbidden to everybody they could never be allowed again, since looser
/// rules take two.
const ADMINISTRATION: &[&str] = &["create-principal", "set-roles", "create-code"];

/// An organisation's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessRules {
    /// Each of them counts; their order does not matter.
    #[serde(default)]
    pub rules: Vec<AccessRule>,
}

/// One rule. It applies when everything that it says about a request is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// Its name in the log: small letters, digits, hyphens.
    pub id: String,
    /// For who is refused.
    pub why: String,
    /// What it does.
    pub demand: Demand,
    /// To what: names of actions.
    pub actions: BTreeSet<String>,
    /// Only for people with one of these roles; for everybody when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// Only for these people; for everybody when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<PrincipalId>,
    /// Not for these people.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<PrincipalId>,
    /// Only with these keys; with any when empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<KeyFingerprint>,
    /// Only outside of these hours; at any time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Hours>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// No.
    Forbid,
    /// Only with a passkey that was shown in the last minutes.
    Passkey,
}

/// Hours of a week, in minutes since midnight of one time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Days of the week, 1 is Monday.
    pub days: BTreeSet<u8>,
    /// From this minute of the day on.
    pub from: u16,
    /// Before this one.
    pub until: u16,
    /// Minutes that the clock there is ahead of UTC.
    #[serde(default)]
    pub utc_offset: i16,
}

/// What is asked, as far as rules look.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Name of the action.
    pub action: &'a str,
    /// Who.
    pub principal: PrincipalId,
    /// What they are.
    pub roles: &'a BTreeSet<Role>,
    /// With which key.
    pub key: Option<&'a KeyFingerprint>,
    /// When, seconds since 1970.
    pub now: u64,
}

/// What is wrong with rules, each with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct RulesProblem(pub Vec<String>);

impl AccessRules {
    /// Checks them as a whole.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self) -> Result<(), RulesProblem> {
        let mut wrong = Vec::new();
        if self.rules.len() > MOST_RULES {
            wrong.push(format!("more than {MOST_RULES} rules"));
        }
        let mut seen = BTreeSet::new();
        for rule in &self.rules {
            wrong.extend(rule.problems().into_iter().map(|problem| format!("{}: {problem}", rule.id)));
            if !seen.insert(&rule.id) {
                wrong.push(format!("{}: there are two of this name", rule.id));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(RulesProblem(wrong)) }
    }

    /// The rule that counts: one that forbids before one that demands, deny wins.
    pub fn applying(&self, request: &Request<'_>) -> Option<&AccessRule> {
        let mut demand = None;
        for rule in self.rules.iter().filter(|rule| rule.applies(request)) {
            match rule.demand {
                Demand::Forbid => return Some(rule),
                Demand::Passkey => _ = demand.get_or_insert(rule),
            }
        }
        demand
    }

    /// Is everything that `old` takes away taken away here, too? Then nobody gains by the change. Rules are compared, not what they
    /// mean: a rule that is changed at all counts as taken out.
    pub fn is_stricter_than(&self, old: &Self) -> bool {
        let same = |a: &AccessRule, b: &AccessRule| *a == AccessRule { why: a.why.clone(), ..b.clone() };
        old.rules.iter().all(|old| self.rules.iter().any(|new| same(new, old)))
    }
}

impl AccessRule {
    fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut refuse_if = |is: bool, why: String| {
            if is {
                wrong.push(why);
            }
        };
        let is_word =
            |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        refuse_if(
            self.id.is_empty() || self.id.len() > LONGEST_ID || !is_word(&self.id),
            format!("a name has 1 to {LONGEST_ID} small letters, digits or hyphens"),
        );
        refuse_if(
            self.why.trim().is_empty()
                || self.why.len() > LONGEST_WHY
                || self.why.chars().any(char::is_control),
            format!("say why, in {LONGEST_WHY} bytes at most"),
        );
        refuse_if(self.actions.is_empty(), "it names no action".into());
        for action in &self.actions {
            refuse_if(
                !ACTIONS.contains(&&**action),
                format!(
                    "{action:?} is not an action that rules can be about; or somebody could be locked out: {}",
                    ACTIONS.join(", ")
                ),
            );
        }
        let is_administration = |action: &String| ADMINISTRATION.contains(&&**action);
        refuse_if(
            self.demand == Demand::Forbid
                && self.outside.is_none()
                && self.actions.iter().any(is_administration),
            format!(
                "{} can be forbidden outside of hours only, or everybody could be locked out",
                ADMINISTRATION.join(", ")
            ),
        );
        let named = self.people.len() + self.except.len() + self.keys.len();
        refuse_if(named > MOST_NAMED, format!("it names more than {MOST_NAMED} people and keys"));
        refuse_if(
            !self.people.is_empty() && self.people.is_subset(&self.except),
            "everybody whom it is for is excepted: it never applies".into(),
        );
        if let Some(hours) = &self.outside {
            refuse_if(
                hours.days.is_empty() || !hours.days.iter().all(|day| (1..=7).contains(day)),
                "days are 1 (Monday) to 7".into(),
            );
            refuse_if(
                hours.from >= hours.until || hours.until > 24 * 60,
                "hours end on the same day, after they begin".into(),
            );
            refuse_if(
                hours.utc_offset.unsigned_abs() > 14 * 60,
                "no clock is more than 14 hours from UTC".into(),
            );
            refuse_if(
                hours.days.len() == 7 && hours.from == 0 && hours.until == 24 * 60,
                "these hours are always: it never applies".into(),
            );
        }
        wrong
    }

    /// Does it apply?
    fn applies(&self, request: &Request<'_>) -> bool {
        self.actions.contains(request.action)
            && (self.roles.is_empty() || !self.roles.is_disjoint(request.roles))
            && (self.people.is_empty() || self.people.contains(&request.principal))
            && !self.except.contains(&request.principal)
            && (self.keys.is_empty() || request.key.is_some_and(|key| self.keys.contains(key)))
            && self.outside.as_ref().is_none_or(|hours| !hours.contain(request.now))
    }
}

impl Hours {
    fn contain(&self, now: u64) -> bool {
        let there = i64::try_from(now).unwrap_or(i64::MAX).saturating_add(60 * i64::from(self.utc_offset));
        // The first day was a Thursday.
        let day = (there.div_euclid(86_400) + 3).rem_euclid(7) + 1;
        let minute = there.rem_euclid(86_400) / 60;
        self.days.iter().any(|known| i64::from(*known) == day)
            && (i64::from(self.from)..i64::from(self.until)).contains(&minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SOME_DAY: u64 = 1_800_000_000;

    fn rule(id: &str) -> AccessRule {
        AccessRule {
            id: id.into(),
            why: "we agreed on it".into(),
            demand: Demand::Forbid,
            actions: ["sign".to_owned()].into(),
            roles: BTreeSet::new(),
            people: BTreeSet::new(),
            except: BTreeSet::new(),
            keys: BTreeSet::new(),
            outside: None,
        }
    }

    fn who(n: u128) -> PrincipalId {
        PrincipalId(Uuid::from_u128(n))
    }

    fn rules(rules: &[AccessRule]) -> AccessRules {
        AccessRules { rules: rules.to_vec() }
    }

    fn asks(rules: &AccessRules, action: &str, principal: u128, now: u64) -> Option<Demand> {
        let roles = [Role::User].into();
        let request = Request { action, principal: who(principal), roles: &roles, key: None, now };
        rules.applying(&request).map(|rule| rule.demand)
    }

    #[test]
    fn a_rule_applies_when_all_that_it_says_is_so() {
        let auditors = AccessRule { roles: [Role::Auditor].into(), ..rule("auditors") };
        let alice = AccessRule { people: [who(1)].into(), ..rule("alice") };
        let others = AccessRule { except: [who(1)].into(), ..rule("others") };
        assert_eq!(asks(&rules(&[auditors]), "sign", 1, 0), None);
        assert_eq!(asks(&rules(std::slice::from_ref(&alice)), "sign", 1, 0), Some(Demand::Forbid));
        assert_eq!(asks(&rules(std::slice::from_ref(&alice)), "sign", 2, 0), None);
        assert_eq!(asks(&rules(&[others]), "sign", 1, 0), None);
        assert_eq!(asks(&rules(&[alice]), "unwrap", 1, 0), None);
    }

    #[test]
    fn what_forbids_wins_over_what_demands_in_either_order() {
        let passkey = AccessRule { demand: Demand::Passkey, ..rule("passkey") };
        for both in [[passkey.clone(), rule("no")], [rule("no"), passkey.clone()]] {
            assert_eq!(asks(&rules(&both), "sign", 1, 0), Some(Demand::Forbid));
        }
        assert_eq!(asks(&rules(&[passkey]), "sign", 1, 0), Some(Demand::Passkey));
    }

    #[test]
    fn hours_are_of_one_time_zone() {
        let some_day = SOME_DAY - SOME_DAY % 86_400;
        let hours = |utc_offset| Hours { days: [1].into(), from: 8 * 60, until: 18 * 60, utc_offset };
        let at = |hours: Hours, now| {
            asks(&rules(&[AccessRule { outside: Some(hours), ..rule("night") }]), "sign", 1, now)
        };
        // 1970-01-05 was a Monday.
        let monday = some_day - (some_day - 4 * 86_400) % (7 * 86_400);
        assert_eq!(at(hours(0), monday + 12 * 3600), None);
        assert_eq!(at(hours(0), monday + 7 * 3600), Some(Demand::Forbid));
        assert_eq!(at(hours(60), monday + 7 * 3600), None);
        assert_eq!(at(hours(0), monday + 18 * 3600), Some(Demand::Forbid));
        assert_eq!(at(hours(0), monday + 36 * 3600), Some(Demand::Forbid));
    }

    #[test]
    fn rules_that_mean_nothing_or_would_lock_out_are_refused() {
        let hours = |days: &[u8], from, until| {
            Some(Hours { days: days.iter().copied().collect(), from, until, utc_offset: 0 })
        };
        for (wrong, word) in [
            (AccessRule { actions: ["revoke".to_owned()].into(), ..rule("a") }, "locked out"),
            (AccessRule { actions: ["set-rules".to_owned()].into(), ..rule("a") }, "locked out"),
            (AccessRule { actions: ["log-in-with-code".to_owned()].into(), ..rule("a") }, "locked out"),
            (AccessRule { actions: ["create-code".to_owned()].into(), ..rule("a") }, "locked out"),
            (AccessRule { actions: ["sing".to_owned()].into(), ..rule("a") }, "sing"),
            (AccessRule { actions: BTreeSet::new(), ..rule("a") }, "no action"),
            (AccessRule { people: [who(1)].into(), except: [who(1)].into(), ..rule("a") }, "never applies"),
            (AccessRule { outside: hours(&[1, 2, 3, 4, 5, 6, 7], 0, 1440), ..rule("a") }, "never applies"),
            (AccessRule { outside: hours(&[8], 0, 60), ..rule("a") }, "Monday"),
            (AccessRule { outside: hours(&[1], 60, 60), ..rule("a") }, "after they begin"),
            (AccessRule { why: " ".into(), ..rule("a") }, "why"),
            (rule("No Spaces"), "small letters"),
        ] {
            let problem = rules(&[wrong]).check().unwrap_err().to_string();
            assert!(problem.contains(word), "{problem}");
        }
        assert!(rules(&[rule("a"), rule("a")]).check().unwrap_err().to_string().contains("two of this name"));
        rules(&[rule("a"), rule("b")]).check().unwrap();
    }

    #[test]
    fn only_what_keeps_every_rule_is_stricter() {
        let (one, two) = (rules(&[rule("a")]), rules(&[rule("b"), rule("a")]));
        assert!(two.is_stricter_than(&one) && one.is_stricter_than(&one));
        assert!(!one.is_stricter_than(&two) && !AccessRules::default().is_stricter_than(&one));
        let changed = AccessRule { except: [who(9)].into(), ..rule("a") };
        assert!(!rules(&[changed]).is_stricter_than(&one));
        let said_otherwise = AccessRule { why: "as we said".into(), ..rule("a") };
        assert!(rules(&[said_otherwise]).is_stricter_than(&one));
    }
}
