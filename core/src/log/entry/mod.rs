// SPDX-License-Identifier: LGPL-2.0-or-later
//! What an entry says: who asked for what, on which key, what was decided and why.

mod check;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::MAX_BODY_BYTES;
use crate::keystore::{
    DeviceId, DeviceThumbprint, KeyFingerprint, PrincipalId, RequestId, SessionId, TenantId,
    calls::custody::Context,
};

/// One entry. Its body is compact JSON with the members in this order; absent ones are left out.
///
/// The body's bytes are hashed as they are and never written anew to be checked. Its place in the log is not in it but in the
/// leaf ([`leaf_content`](super::leaf_content)). Only what this type holds is ever written; a reader ignores members that
/// it does not know, and takes any code, so that an old program can read a newer keystore's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Format of the body.
    #[serde(rename = "v")]
    pub version: BodyVersion,
    /// Whole seconds since 1970, by the keystore's clock.
    pub time: u64,
    /// Whose organisation; `None` for what concerns the whole keystore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The request as the client calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// Who asked.
    pub actor: ActorEntry,
    /// What for: a stable code in kebab-case, such as `unwrap`.
    pub action: String,
    /// On what.
    #[serde(default, skip_serializing_if = "Target::is_nothing")]
    pub target: Target,
    /// What was decided, and by which rule.
    pub decision: DecisionEntry,
    /// What the client claims it is for; nobody has checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextEntry>,
    /// The action's own particulars, such as `subkey`. Names are codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// Its place among the entries of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
}

/// Format 1, the only one so far. Another number means that a reader would misunderstand the rest, and is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyVersion;

/// All that is the same in every format.
#[derive(Deserialize)]
struct AnyVersion {
    v: u64,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ActorEntry {
    /// The keystore itself, or who runs its commands on its machine.
    Server,
    /// Requests by nobody in particular, one entry per minute and reason, so that garbage cannot fill the log.
    Anonymous {
        /// How many.
        count: u64,
    },
    /// A device key that nobody knows yet, at a log-in.
    Newcomer {
        /// Of the key that signed the request's proof.
        thumbprint: DeviceThumbprint,
    },
    /// A device of a principal.
    Device {
        /// Whose.
        principal: PrincipalId,
        /// Which.
        device: DeviceId,
        /// In which log-in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// What the principal was at that time.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<String>,
    },
}

/// What an action was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// This key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyFingerprint>,
    /// This principal (the key's owner, or whose account it is).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// This device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
}

impl Target {
    /// Whether nothing is named.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionEntry {
    /// Yes or no.
    pub outcome: Outcome,
    /// By which rule: a stable code, such as `owner` or `device-pending`.
    pub rule: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explanation: String,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It could be done.
    Permitted,
    /// It was not.
    Refused,
}

/// What the client claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextEntry {
    /// `Message-ID` of the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Address of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// A code, such as `read-mail`.
    pub purpose: String,
}

/// An entry's place among those of its key. Counters start at 1 and leave nothing out, so the owner sees a hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Whose list.
    pub key: KeyFingerprint,
    /// 1 for the key's first entry.
    pub counter: u64,
    /// Place in the log of the key's entry before this one; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
}

/// Why an entry cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitEntry {
    /// Not kebab-case, empty, or longer than 64 bytes.
    #[error("`{0}` of a log entry is not a code")]
    NotACode(&'static str),
    /// Longer than it may be, or with control characters; [`Entry::detail`] and [`ContextEntry::claimed`] see to that.
    #[error("`{0}` of a log entry is too long or has control characters")]
    BadText(&'static str),
    /// More details or roles than an entry has room for.
    #[error("a log entry has at most {MAX_ITEMS} details and as many roles")]
    TooMany,
    /// A counter of 0, or a first entry with one before it, or a later one without.
    #[error("a log entry's place among those of its key does not fit")]
    BrokenChain,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not an entry, or too large for one.
    #[error("this is not a log entry")]
    Malformed,
    /// An entry of another format.
    #[error("this log entry was written by a newer keystore; update Plombe to read it")]
    NewerFormat,
}

/// Details, and roles.
const MAX_ITEMS: usize = 16;

impl Entry {
    /// The body, as it is hashed, stored and handed out: at most [`MAX_BODY_BYTES`].
    ///
    /// # Errors
    ///
    /// When a part of the entry has not the form that it must have.
    pub fn to_body(&self) -> Result<Vec<u8>, UnfitEntry> {
        check::fit(self)?;
        Ok(serde_json::to_vec(self).expect("strings, numbers and maps of strings have a JSON form"))
    }

    /// Reads a body, and checks no more than its form: whether the log has it is what proofs are for.
    ///
    /// # Errors
    ///
    /// When it is not an entry of a format that this program knows.
    pub fn read(body: &[u8]) -> Result<Self, EntryError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(EntryError::Malformed);
        }
        serde_json::from_slice(body).map_err(|_| match serde_json::from_slice(body) {
            Ok(AnyVersion { v }) if v != 1 => EntryError::NewerFormat,
            _ => EntryError::Malformed,
        })
    }

    /// Adds one of the action's particulars; text that is too long is cut, control characters are replaced.
    pub fn detail(&mut self, name: &str, value: &str) {
        self.details.insert(name.to_owned(), words::shortened(value, words::MAX_DETAIL_BYTES));
    }
}

impl DecisionEntry {
    /// It may be done.
    pub fn permitted(rule: &str, explanation: &str) -> Self {
        Self::new(Outcome::Permitted, rule, explanation)
    }

    /// It may not.
    pub fn refused(rule: &str, explanation: &str) -> Self {
        Self::new(Outcome::Refused, rule, explanation)
    }

    fn new(outcome: Outcome, rule: &str, explanation: &str) -> Self {
        let explanation = words::shortened(explanation, words::MAX_TEXT_BYTES);
        Self { outcome, rule: rule.to_owned(), explanation }
    }
}

impl ContextEntry {
    /// Takes over a client's claims. What is too long is cut, so that no claim keeps an act off the record.
    pub fn claimed(context: &Context) -> Self {
        let short = |text: &String| words::shortened(text, words::MAX_TEXT_BYTES);
        Self {
            message_id: context.message_id.as_ref().map(short),
            sender: context.sender.as_ref().map(short),
            purpose: words::code_of(&context.purpose),
        }
    }
}

impl Serialize for BodyVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for BodyVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(de::Error::custom("another format of log entries")),
        }
    }
}

#[cfg(test)]
mod tests;
