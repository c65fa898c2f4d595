// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who a mail says it is from, and for whom.

use std::collections::HashSet;

use crate::mime::{self, Document, EntityId, Mailbox, MimeError, mailboxes};

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
    Ok(Addresses::of(&mime::parse(mail)?, 0))
}

/// The `Message-ID` outside, when there is exactly one. Anybody could have written it.
pub fn message_id(mail: &[u8]) -> Option<String> {
    let document = mime::parse(mail).ok()?;
    let mut fields = document.fields(0).filter(|field| field.is("Message-ID"));
    let id = String::from_utf8_lossy(&fields.next()?.unfolded()).trim().to_owned();
    fields.next().is_none().then_some(id)
}

/// The address in a mail's outer From, as whoever carried the mail left it. `None` when there is none or are several.
pub fn unverified_sender(mail: &[u8]) -> Option<String> {
    let document = mime::parse(mail).ok()?;
    let mut from = Addresses::of(&document, 0).from.into_iter();
    let address = from.next()?.address;
    from.next().is_none().then_some(address)
}

impl Addresses {
    /// Of one entity's header. Repeated fields count together: whichever of them another program shows is in here.
    pub(super) fn of(document: &Document<'_>, id: EntityId) -> Self {
        let read = |name: &str| -> Vec<Mailbox> {
            let fields = document.fields(id).filter(|field| field.is(name));
            fields.flat_map(|field| mailboxes(&field.unfolded())).collect()
        };
        Self {
            from: read("From"),
            sender: read("Sender").into_iter().next(),
            reply_to: read("Reply-To"),
            to: read("To"),
            cc: read("Cc"),
            bcc: read("Bcc"),
        }
    }

    /// Whose signature belongs under this mail: the one From address, or Sender where there are several authors.
    pub fn author(&self) -> Result<&Mailbox, AddressError> {
        match (self.from.as_slice(), &self.sender) {
            ([author], _) => Ok(author),
            ([_, ..], Some(sender)) => Ok(sender),
            _ => Err(AddressError::NoAuthor),
        }
    }

    /// To and Cc, each address once.
    pub fn visible_recipients(&self) -> Vec<&Mailbox> {
        once_each(self.to.iter().chain(&self.cc))
    }

    /// Bcc without those who are in To or Cc too, each address once.
    pub fn hidden_recipients(&self) -> Vec<&Mailbox> {
        let visible: HashSet<String> =
            self.visible_recipients().into_iter().map(Mailbox::comparable).collect();
        once_each(self.bcc.iter().filter(|mailbox| !visible.contains(&mailbox.comparable())))
    }
}

fn once_each<'a>(mailboxes: impl Iterator<Item = &'a Mailbox>) -> Vec<&'a Mailbox> {
    let mut seen = HashSet::new();
    mailboxes.filter(|mailbox| seen.insert(mailbox.comparable())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_is_apart_from_those_everybody_sees() {
        let mail = b"From: a@x\r\nTo: b@x, c@x\r\nCc: B@X\r\nBcc: c@x, d@x\r\nBcc: e@x\r\n\r\n";
        let found = addresses(mail).expect("a mail");
        let list =
            |boxes: Vec<&Mailbox>| boxes.iter().map(|mailbox| mailbox.address.clone()).collect::<Vec<_>>();
        assert_eq!(list(found.visible_recipients()), ["b@x", "c@x"]);
        assert_eq!(list(found.hidden_recipients()), ["d@x", "e@x"]);
    }

    #[test]
    fn several_authors_need_a_sender() {
        let author = |mail: &[u8]| {
            addresses(mail).expect("a mail").author().map(|mailbox| mailbox.address.clone()).ok()
        };
        assert_eq!(author(b"From: a@x\r\nSender: s@x\r\n\r\n").as_deref(), Some("a@x"));
        assert_eq!(author(b"From: a@x, b@x\r\nSender: s@x\r\n\r\n").as_deref(), Some("s@x"));
        assert_eq!(author(b"From: a@x\r\nFrom: b@x\r\n\r\n"), None);
        assert_eq!(author(b"To: a@x\r\n\r\n"), None);
    }
}
