// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who a mail says it is from, and for whom.

use crate::mime::{Mailbox, MimeError};

/// Addresses of a mail's header, in the order they stand there. None of them is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Authors. Honest mail has one.
    pub from: Vec<Mailbox>,
    /// Who sent it for the authors.
    pub sender: Option<Mailbox>,
    /// Where replies go.
    pub reply_to: Vec<Mailbox>,
    /// Main recipients.
    pub to: Vec<Mailbox>,
    /// Other recipients that everybody sees.
    pub cc: Vec<Mailbox>,
    /// Recipients that nobody else may see.
    pub bcc: Vec<Mailbox>,
}

/// Why a mail's addresses cannot be used for sealing it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The mail is not readable at all.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// No From, or several authors and no Sender.
    #[error("this mail does not say clearly who it is from: it needs one From address")]
    NoAuthor,
}

/// Reads From, Sender, Reply-To, To, Cc and Bcc.
pub fn addresses(mail: &[u8]) -> Result<Addresses, AddressError> {
    let _ = mail;
    todo!()
}

impl Addresses {
    /// Whose signature belongs under this mail: the one From address, or Sender where there are several authors.
    pub fn author(&self) -> Result<&Mailbox, AddressError> {
        todo!()
    }

    /// To and Cc, each address once.
    pub fn visible_recipients(&self) -> Vec<&Mailbox> {
        todo!()
    }
}
