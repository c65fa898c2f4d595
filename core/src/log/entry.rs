// SPDX-License-Identifier: LGPL-2.0-or-later
//! What an entry of the log says.

use serde::{Deserialize, Serialize};

use super::MAX_BODY_BYTES;
use crate::keystore::{
    ApprovalId, CodeId, DeviceId, GrantId, KeyFingerprint, PrincipalId, RequestId, SessionId, TenantId,
    calls::{custody::Context, login::Role},
};

/// One entry. Its JSON is what is hashed, byte for byte as it was written; readers never write it again.
///
/// A reader takes what it knows: members may be added, and none changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this format: 1.
    pub v: u8,
    /// When it was decided, whole seconds since 1970. Never earlier than the entry before.
    pub time: u64,
    /// The caller's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Who asked.
    pub actor: Actor,
    /// What for; a stable word such as `unwrap`.
    pub action: String,
    /// About what.
    #[serde(default)]
    pub about: About,
    /// Yes or no.
    pub decision: Decision,
    /// What the caller says that it is for. Nobody has checked that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Claimed>,
    /// Where it stands among the entries about the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Actor {
    /// The keystore itself, or its administrator at its console.
    Keystore,
    /// Somebody with a device key who was not logged in.
    Newcomer {
        /// Thumbprint of the device key (RFC 7638), base64url.
        thumbprint: String,
    },
    /// A device of a principal.
    Device {
        /// Whose tenant.
        tenant: TenantId,
        /// Whose device.
        principal: PrincipalId,
        /// Which device.
        device: DeviceId,
        /// By which log-in.
        session: SessionId,
        /// What the principal was at the time.
        roles: Vec<Role>,
    },
    /// A session that is not there any more.
    Unknown {
        /// Which.
        session: SessionId,
    },
}

/// What it is about. Most entries have one or two of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyFingerprint>,
    /// Which of its subkeys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subkey: Option<KeyFingerprint>,
    /// The principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The enrolment code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeId>,
    /// The approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// More, in words: addresses, roles, how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Yes or no, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes?
    pub permitted: bool,
    /// Name of the rule.
    pub rule: String,
    /// In words, for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// What the caller says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// What the use is for.
    #[serde(flatten)]
    pub context: Context,
    /// Of a signature: its type (RFC 9580 section 5.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_type: Option<u8>,
    /// Of a signature: its creation time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_created: Option<u64>,
}

/// Entries about one key count without a gap, so that its owner sees a missing one in a list that holds no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// From 1.
    pub counter: u64,
    /// Position of the one before; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
}

/// Longest text that a caller may put into an entry: a Message-ID of RFC 5322's longest line.
pub const MAX_CLAIM_BYTES: usize = 998;

/// Stands where a claim was cut off.
const CUT: &str = "…";

/// What goes into an entry of a text that a caller may have made long: at most [`MAX_CLAIM_BYTES`], and without control
/// characters, which would rewrite what a terminal shows and grow sixfold in JSON. So no claim keeps an act off the record.
pub fn claim(text: &str) -> String {
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut claim = String::new();
    for c in text.chars().map(clean) {
        if claim.len() + c.len_utf8() > MAX_CLAIM_BYTES {
            while claim.len() + CUT.len() > MAX_CLAIM_BYTES {
                claim.pop();
            }
            return claim + CUT;
        }
        claim.push(c);
    }
    claim
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not an entry, or too large for one.
    #[error("this is not a log entry")]
    Malformed,
    /// An entry of another format, whose members may mean something else.
    #[error("this log entry was written by a newer keystore; update Plombe to read it")]
    NewerFormat,
}

impl Entry {
    /// Reads a body, and checks no more than its form: whether the log has it is what proofs are for.
    ///
    /// # Errors
    ///
    /// When it is not an entry of the format that this program knows.
    pub fn read(body: &[u8]) -> Result<Self, EntryError> {
        /// All that is the same in every format.
        #[derive(Deserialize)]
        struct AnyFormat {
            v: u64,
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(EntryError::Malformed);
        }
        match serde_json::from_slice(body) {
            Ok(AnyFormat { v: 1 }) => serde_json::from_slice(body).map_err(|_| EntryError::Malformed),
            Ok(_) => Err(EntryError::NewerFormat),
            Err(_) => Err(EntryError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_entry_with_more_members_is_read() {
        let json = r#"{"v":1,"time":1800000000,"actor":{"kind":"keystore","more":1},"action":"heartbeat","more":{},
            "decision":{"permitted":true,"rule":"keystore-itself"}}"#;
        let entry = Entry::read(json.as_bytes()).unwrap();
        assert_eq!(entry.actor, Actor::Keystore);
        assert_eq!(entry.about, About::default());
    }

    #[test]
    fn another_format_is_not_misread() {
        let json = r#"{"v":1,"time":1,"actor":{"kind":"keystore"},"action":"a","decision":{"permitted":true,"rule":"b"}}"#;
        assert!(Entry::read(json.as_bytes()).is_ok());
        let newer = r#"{"v":2,"time":"noon"}"#;
        assert_eq!(Entry::read(newer.as_bytes()), Err(EntryError::NewerFormat));
        let padded = json.replace("{\"v\"", &format!("{}{{\"v\"", " ".repeat(MAX_BODY_BYTES)));
        for wrong in ["", "{}", &json[1..], &json.replace("true", "1"), &json.replace("1,", "-1,"), &padded] {
            assert_eq!(Entry::read(wrong.as_bytes()), Err(EntryError::Malformed), "{wrong:.60}");
        }
    }

    #[test]
    fn claims_are_cut_at_a_character_and_hold_no_controls() {
        assert_eq!(claim("<1@example.org>"), "<1@example.org>");
        assert_eq!(claim("a\x1b[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
        for long in ["a", "é", "€", "\u{10348}", "\0"].map(|c| c.repeat(5000)) {
            let claim = claim(&long);
            assert!(
                claim.len() <= MAX_CLAIM_BYTES && claim.len() > MAX_CLAIM_BYTES - 8 && claim.ends_with(CUT)
            );
        }
        assert_eq!(claim(&"a".repeat(MAX_CLAIM_BYTES)), "a".repeat(MAX_CLAIM_BYTES));
    }

    #[test]
    fn the_longest_claims_fit_into_a_body() {
        // Quotes double in JSON; nothing grows more once control characters are gone.
        let long = claim(&"\"\0".repeat(5000).replace('\0', "\\"));
        let entry = Entry {
            v: 1,
            time: u64::MAX,
            request: None,
            actor: Actor::Keystore,
            action: "sign".into(),
            about: About { note: Some(long.clone()), ..About::default() },
            decision: Decision { permitted: false, rule: "r".into(), explanation: Some(long.clone()) },
            claimed: Some(Claimed {
                context: Context { message_id: Some(long.clone()), sender: Some(long), ..Context::default() },
                ..Claimed::default()
            }),
            chain: None,
        };
        let body = serde_json::to_vec(&entry).unwrap();
        assert!(body.len() + 4000 < MAX_BODY_BYTES, "{} bytes", body.len());
        assert_eq!(Entry::read(&body), Ok(entry));
    }
}
