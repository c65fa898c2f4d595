// SPDX-License-Identifier: LGPL-2.0-or-later
//! What an entry of the log says.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_entry_with_more_members_is_read() {
        let json = r#"{"v":1,"time":1800000000,"actor":{"kind":"keystore","more":1},"action":"heartbeat","more":{},
            "decision":{"permitted":true,"rule":"keystore-itself"}}"#;
        let entry: Entry = serde_json::from_str(json).unwrap();
        assert_eq!(entry.actor, Actor::Keystore);
        assert_eq!(entry.about, About::default());
    }
}
