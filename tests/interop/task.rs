// SPDX-License-Identifier: LGPL-2.0-or-later
//! One cell of the matrix: what is done, by whom, with whose keys, to which content.

use plombe_tests::samples::Sample;

/// What kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// RFC 4880: v4.
    V4,
    /// RFC 9580: v6.
    V6,
    /// RFC 9980: v6 and post-quantum.
    Pqc,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::V4, Self::V6, Self::Pqc];

    /// The profile's name, as `plombe sop` has it.
    pub(crate) fn profile(self) -> &'static str {
        match self {
            Self::V4 => "rfc4880",
            Self::V6 => "rfc9580",
            Self::Pqc => "rfc9980",
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Encrypt for a certificate; decrypt.
    Encrypt,
    /// Encrypt for a certificate and sign inside; decrypt and verify.
    EncryptSigned,
    /// Encrypt under a password; decrypt.
    Password,
    /// Sign detached; verify.
    Detached,
    /// Sign with the data in the message; verify.
    Inline,
    /// Cleartext signature framework.
    Cleartext,
    /// PGP/MIME: encrypted and signed, and signed only.
    Mail,
}

impl Operation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Encrypt,
        Self::EncryptSigned,
        Self::Password,
        Self::Detached,
        Self::Inline,
        Self::Cleartext,
        Self::Mail,
    ];

    /// For tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::EncryptSigned => "encrypt and sign",
            Self::Password => "password",
            Self::Detached => "detached signature",
            Self::Inline => "inline signature",
            Self::Cleartext => "cleartext signature",
            Self::Mail => "PGP/MIME mail",
        }
    }
}

/// Who writes and who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// Plombe writes, the peer reads.
    OursToTheirs,
    /// The peer writes, Plombe reads.
    TheirsToOurs,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::OursToTheirs, Self::TheirsToOurs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OursToTheirs => "Plombe writes",
            Self::TheirsToOurs => "Plombe reads",
        }
    }
}

/// Who made the keys that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Maker {
    /// Plombe.
    Ours,
    /// The peer.
    Theirs,
}

impl Maker {
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "our keys",
            Self::Theirs => "their keys",
        }
    }
}

/// One cell.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) kind: Kind,
    pub(crate) operation: Operation,
    pub(crate) direction: Direction,
    pub(crate) maker: Maker,
    pub(crate) sample: &'a Sample,
}

impl std::fmt::Display for Task<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (operation, direction) = (self.operation.name(), self.direction.name());
        write!(
            f,
            "{}, {operation}, {direction}, {}, {}",
            self.kind.profile(),
            self.maker.name(),
            self.sample.name
        )
    }
}
