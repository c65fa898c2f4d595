// SPDX-License-Identifier: LGPL-2.0-or-later
//! Why an authenticator's answer is not taken. Outside all look alike; the log has the reason.

/// What was wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasskeyRefusal {
    /// The ticket was not made by this keystore for this session and purpose, or was changed.
    #[error("the ticket is for another session or purpose, or none")]
    Ticket,
    /// Its time is over.
    #[error("the ceremony took too long")]
    Expired,
    /// No passkey of the caller's.
    #[error("this is no passkey of whoever asks")]
    Unknown,
    /// Client data or authenticator data are not what the specification says.
    #[error("the answer is malformed")]
    Malformed,
    /// An answer to a ceremony of the other kind.
    #[error("the answer is to another kind of ceremony")]
    Kind,
    /// An answer to another challenge.
    #[error("the answer is to another challenge")]
    Challenge,
    /// Given to a page of another origin, or one inside another page.
    #[error("the answer was given to another page")]
    Origin,
    /// Made for another relying party.
    #[error("the answer is for another relying party")]
    RelyingParty,
    /// Nobody was there, or the authenticator does not say who.
    #[error("the authenticator did not verify its user")]
    Unverified,
    /// Not signed by that passkey.
    #[error("the signature is not the passkey's")]
    Signature,
    /// The counter did not go on: there is a copy of the passkey.
    #[error("the passkey's counter went back")]
    Counter,
    /// A key or an algorithm that is not taken.
    #[error("this kind of key is not taken")]
    Key,
}

impl PasskeyRefusal {
    /// Stable name for the log.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ticket => "passkey-ticket",
            Self::Expired => "passkey-expired",
            Self::Unknown => "passkey-unknown",
            Self::Malformed => "passkey-malformed",
            Self::Kind => "passkey-kind",
            Self::Challenge => "passkey-challenge",
            Self::Origin => "passkey-origin",
            Self::RelyingParty => "passkey-relying-party",
            Self::Unverified => "passkey-unverified",
            Self::Signature => "passkey-signature",
            Self::Counter => "passkey-counter",
            Self::Key => "passkey-key",
        }
    }
}
