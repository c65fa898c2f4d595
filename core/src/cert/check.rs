// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a person should know about a certificate before it gets in their way.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{Certificate, Description, Unusable};
use crate::{Fingerprint, crypto_policy::CryptoPolicy, recipients::Address};

/// Time enough to extend a certificate and for correspondents to notice.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// One thing worth saying about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The certificate as a whole is of no use: expired, revoked, weak, not yet valid, unsound.
    Unusable(Unusable),
    /// It works now and ends soon.
    ExpiresSoon(SystemTime),
    /// Nothing can be sealed for it.
    CannotEncrypt(Unusable),
    /// Its signatures are worth nothing.
    CannotSign(Unusable),
    /// The subkey that is in use ends before the certificate does, and soon.
    SubkeyExpiresSoon(Fingerprint, SystemTime),
    /// A key relies on algorithms that our crypto policy refuses. It is not used.
    WeakKey(Fingerprint),
    /// A user ID that our crypto policy does not accept (SHA-1 signatures, mostly).
    WeakUserId(String),
    /// No valid user ID has a mail address: nobody finds it by address.
    NoAddress,
    /// Two user IDs with the same address: harmless, but confusing.
    SameAddressTwice(Address),
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Will stop working, or works only half.
    Warning,
    /// Does not work.
    Error,
}

impl Certificate {
    /// Everything worth saying at `now`, the worst first. Nothing when all is well.
    pub fn check(&self, policy: &CryptoPolicy, now: SystemTime) -> Vec<Finding> {
        let description = self.describe(policy, now);
        let mut findings = Vec::new();
        if let Err(unusable) = description.state {
            findings.push(Finding::Unusable(unusable));
        } else {
            let encryption_key = self.encryption_key(policy, now).map(|key| key.fingerprint());
            findings.extend(encryption_key.as_ref().err().copied().map(Finding::CannotEncrypt));
            findings.extend(self.can_sign(policy, now).err().map(Finding::CannotSign));
            findings.extend(expires_soon(&description, encryption_key.ok(), now));
        }
        let weak = description.keys.iter().filter(|key| key.state == Err(Unusable::Weak));
        findings.extend(weak.map(|key| Finding::WeakKey(key.fingerprint.clone())));
        findings.extend(user_ids(&description));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        findings
    }
}

fn expires_soon(
    description: &Description,
    encryption_key: Option<Fingerprint>,
    now: SystemTime,
) -> Option<Finding> {
    let soon = |end: &SystemTime| *end <= now + SOON;
    if let Some(end) = description.expires.filter(soon) {
        return Some(Finding::ExpiresSoon(end));
    }
    let in_use = description.keys.iter().find(|key| Some(&key.fingerprint) == encryption_key.as_ref())?;
    let end = in_use.expires.filter(soon)?;
    Some(Finding::SubkeyExpiresSoon(in_use.fingerprint.clone(), end))
}

fn user_ids(description: &Description) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut addresses: Vec<&Address> = Vec::new();
    for user_id in &description.user_ids {
        match (&user_id.state, &user_id.address) {
            (Err(Unusable::Weak), _) => findings.push(Finding::WeakUserId(user_id.text.clone())),
            (Ok(()), Some(address)) if addresses.contains(&address) => {
                findings.push(Finding::SameAddressTwice(address.clone()));
            }
            (Ok(()), Some(address)) => addresses.push(address),
            _ => {}
        }
    }
    if addresses.is_empty() {
        findings.push(Finding::NoAddress);
    }
    findings
}

impl Finding {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Unusable(_) | Self::CannotEncrypt(_) => Severity::Error,
            Self::CannotSign(_) | Self::ExpiresSoon(_) | Self::SubkeyExpiresSoon(..) => Severity::Warning,
            Self::WeakKey(_) | Self::WeakUserId(_) | Self::NoAddress | Self::SameAddressTwice(_) => {
                Severity::Note
            }
        }
    }

    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable(Unusable::Expired) => "expired",
            Self::Unusable(Unusable::Revoked) => "revoked",
            Self::Unusable(Unusable::Weak) => "weak",
            Self::Unusable(Unusable::NotYetValid) => "not-yet-valid",
            Self::Unusable(_) => "unsound",
            Self::ExpiresSoon(_) => "expires-soon",
            Self::CannotEncrypt(_) => "cannot-encrypt",
            Self::CannotSign(_) => "cannot-sign",
            Self::SubkeyExpiresSoon(..) => "subkey-expires-soon",
            Self::WeakKey(_) => "weak-key",
            Self::WeakUserId(_) => "weak-user-id",
            Self::NoAddress => "no-address",
            Self::SameAddressTwice(_) => "same-address-twice",
        }
    }

    /// When it will happen, for those that lie ahead.
    pub fn when(&self) -> Option<SystemTime> {
        match self {
            Self::ExpiresSoon(end) | Self::SubkeyExpiresSoon(_, end) => Some(*end),
            _ => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(reason) => write!(f, "the certificate is of no use: {reason}"),
            Self::ExpiresSoon(_) => f.write_str("it expires soon; extend it with `plombe key expire`"),
            Self::CannotEncrypt(reason) => write!(f, "nothing can be sealed for it: {reason}"),
            Self::CannotSign(reason) => write!(f, "it cannot sign: {reason}"),
            Self::SubkeyExpiresSoon(key, _) => {
                write!(f, "its subkey {key} expires soon; replace it with `plombe key rotate`")
            }
            Self::WeakKey(key) => write!(f, "its key {key} is too weak and is not used"),
            Self::WeakUserId(_) => f.write_str("a user ID is signed with algorithms that are no longer safe"),
            Self::NoAddress => f.write_str("no valid user ID has a mail address"),
            Self::SameAddressTwice(_) => f.write_str("two user IDs have the same address"),
        }
    }
}
