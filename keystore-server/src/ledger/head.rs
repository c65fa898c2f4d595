// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the head's row seals: how the log grew so far, and a digest of all records.

use plombe_core::log::Frontier;

/// Content of the head, sealed under the instance's key.
///
/// ```text
/// version (1) = 1 ‖ digest (32) ‖ time u64be ‖ frontier
/// ```
///
/// The digest is the XOR of one HMAC per record. Whoever sees digests come and go could solve for another set of records
/// with the same one, so it is sealed, not only authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) digest: [u8; 32],
    /// Of the newest entry, seconds since 1970.
    pub(super) time: u64,
    pub(super) frontier: Frontier,
}

const VERSION: u8 = 1;

impl Head {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION][..], &self.digest, &self.time.to_be_bytes(), &self.frontier.to_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [VERSION, rest @ ..] = bytes else { return None };
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        Some(Self { digest: *digest, time: u64::from_be_bytes(*time), frontier: Frontier::from_bytes(rest)? })
    }
}

/// Why a keystore stops until people have looked. Its database is not what it should be, and going on would hide that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Older than what this server, or somebody who showed it a checkpoint, has seen.
    #[error(
        "the database is older than what was seen before (a backup was restored, or a standby promoted); \
         revocations may be missing"
    )]
    RolledBack,
    /// Somebody was shown another history than the one that is here.
    #[error("the log has two histories: a checkpoint of this keystore does not fit its log")]
    Forked,
    /// Records were changed, removed or put back by somebody without the keys.
    #[error("the records in the database were changed by somebody else")]
    Tampered,
}

impl Halt {
    /// Stable, for the log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RolledBack => "rolled-back",
            Self::Forked => "forked",
            Self::Tampered => "tampered",
        }
    }
}

#[cfg(test)]
mod tests {
    use plombe_core::log::NodeHash;

    use super::*;

    #[test]
    fn a_head_survives_and_nothing_shorter_does() {
        let mut frontier = Frontier::new();
        (0..5).for_each(|i| drop(frontier.append(NodeHash([i; 32]))));
        let head = Head { digest: [7; 32], time: 1_800_000_000, frontier };
        let bytes = head.to_bytes();
        assert_eq!(Head::from_bytes(&bytes), Some(head));
        for length in 0..bytes.len() {
            assert_eq!(Head::from_bytes(&bytes[..length]), None, "{length} bytes");
        }
    }
}
