// SPDX-License-Identifier: LGPL-2.0-or-later
//! Any record, as it is sealed.

use plombe_core::keystore::TenantId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Approval, Backup, Certificate, Challenge, Code, Device, Grant, Key, Loss, MailProven, Passkey, Principal,
    RawUse, Rules, Session, Tenant,
};

/// A record of any kind. Serialised as JSON, sealed under its tenant's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented as a type")]
pub enum Record {
    Tenant(Tenant),
    Principal(Principal),
    Code(Code),
    Device(Device),
    Session(Session),
    Key(Key),
    Grant(Grant),
    Backup(Backup),
    Approval(Approval),
    Passkey(Passkey),
    Certificate(Certificate),
    Loss(Loss),
    RawUse(RawUse),
    Rules(Rules),
    Challenge(Challenge),
    MailProven(MailProven),
}

/// Kinds of records. The numbers are in the database and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "each is documented as a type")]
pub enum Kind {
    Tenant = 1,
    Principal = 2,
    Code = 3,
    Device = 4,
    Session = 5,
    Key = 6,
    Grant = 7,
    Backup = 8,
    Approval = 9,
    Passkey = 10,
    Certificate = 13,
    Rules = 12,
    Loss = 14,
    RawUse = 15,
    Challenge = 16,
    MailProven = 17,
}

/// Kind and identity of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// What kind.
    pub kind: Kind,
    /// Which.
    pub id: RecordId,
}

/// Which record of its kind: sixteen bytes, those of a fingerprint, or both; a hash. Held in place: there are millions of them, and each decision
/// looks some up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl RecordId {
    /// Sixteen bytes and the fingerprint of a v6 key.
    const LONGEST: usize = 48;

    /// These parts, one after another. What is longer than the longest identity is cut off, and is no record's.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        let mut length = 0u8;
        for (to, from) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
            *to = *from;
            length += 1;
        }
        Self { bytes, length }
    }
}

impl std::ops::Deref for RecordId {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The keystore itself, where a tenant is asked for: it seals the tenants' own records.
pub const INSTANCE: TenantId = TenantId(Uuid::nil());

impl Kind {
    /// One word, which goes into the sealing.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Principal => "principal",
            Self::Code => "code",
            Self::Device => "device",
            Self::Session => "session",
            Self::Key => "key",
            Self::Grant => "grant",
            Self::Backup => "backup",
            Self::Approval => "approval",
            Self::Passkey => "passkey",
            Self::Certificate => "certificate",
            Self::Loss => "loss",
            Self::RawUse => "raw-use",
            Self::Rules => "rules",
            Self::Challenge => "challenge",
            Self::MailProven => "mail-proven",
        }
    }

    /// From its number in the database.
    pub fn from_number(number: i16) -> Option<Self> {
        const ALL: [Kind; 16] = [
            Kind::Tenant,
            Kind::Principal,
            Kind::Code,
            Kind::Device,
            Kind::Session,
            Kind::Key,
            Kind::Grant,
            Kind::Backup,
            Kind::Approval,
            Kind::Passkey,
            Kind::Certificate,
            Kind::Loss,
            Kind::RawUse,
            Kind::Rules,
            Kind::Challenge,
            Kind::MailProven,
        ];
        ALL.into_iter().find(|kind| *kind as i16 == number)
    }
}

impl Record {
    /// Kind and identity.
    pub fn key(&self) -> RecordKey {
        let (kind, id) = match self {
            Self::Backup(backup) => {
                return RecordKey { kind: Kind::Backup, id: Backup::id(backup.owner, &backup.key) };
            }
            Self::RawUse(raw) => {
                return RecordKey { kind: Kind::RawUse, id: RawUse::id(&raw.key, raw.device) };
            }
            Self::Rules(rules) => (Kind::Rules, &rules.tenant.0.as_bytes()[..]),
            Self::Loss(loss) => return RecordKey { kind: Kind::Loss, id: loss.id() },
            Self::Tenant(tenant) => (Kind::Tenant, &tenant.id.0.as_bytes()[..]),
            Self::Principal(principal) => (Kind::Principal, &principal.id.0.as_bytes()[..]),
            Self::Code(code) => (Kind::Code, &code.id.0.as_bytes()[..]),
            Self::Device(device) => (Kind::Device, &device.id.0.as_bytes()[..]),
            Self::Session(session) => (Kind::Session, &session.id.0.as_bytes()[..]),
            Self::Key(key) => (Kind::Key, key.id.as_fingerprint().as_bytes()),
            Self::Grant(grant) => (Kind::Grant, &grant.id.0.as_bytes()[..]),
            Self::Approval(approval) => (Kind::Approval, &approval.id.0.as_bytes()[..]),
            Self::Passkey(passkey) => (Kind::Passkey, &passkey.id.0.as_bytes()[..]),
            Self::Certificate(certificate) => (Kind::Certificate, certificate.id.as_fingerprint().as_bytes()),
            Self::Challenge(challenge) => (Kind::Challenge, &challenge.hash[..]),
            Self::MailProven(proven) => {
                return RecordKey { kind: Kind::MailProven, id: MailProven::id(&proven.place) };
            }
        };
        RecordKey { kind, id: RecordId::of(&[id]) }
    }

    /// Whose key seals it. A tenant's own record is the instance's: it must be read first.
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Tenant(_) | Self::Loss(_) => INSTANCE,
            Self::Principal(Principal { tenant, .. })
            | Self::Code(Code { tenant, .. })
            | Self::Device(Device { tenant, .. })
            | Self::Session(Session { tenant, .. })
            | Self::Key(Key { tenant, .. })
            | Self::Grant(Grant { tenant, .. })
            | Self::Backup(Backup { tenant, .. })
            | Self::Rules(Rules { tenant, .. })
            | Self::Approval(Approval { tenant, .. })
            | Self::Certificate(Certificate { tenant, .. })
            | Self::Challenge(Challenge { tenant, .. })
            | Self::MailProven(MailProven { tenant, .. })
            | Self::Passkey(Passkey { tenant, .. })
            | Self::RawUse(RawUse { tenant, .. }) => *tenant,
        }
    }
}
