// SPDX-License-Identifier: LGPL-2.0-or-later
//! What of a header stays readable outside (RFC 9788 section 3, header confidentiality policy).

use super::wire::{ADDRESS_FIELDS, OutField, render_mailbox};
use crate::mime::{Mailbox, date, mailboxes, words};

/// What outsiders see instead of a subject.
pub(super) const HIDDEN_SUBJECT: &str = "[...]";

/// What of the header stays readable outside.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum HeaderPolicy {
    /// `hcp_baseline`: the subject reads `[...]`, Keywords and Comments are only inside.
    #[default]
    Baseline,
    /// `hcp_shy`: baseline, without display names and time zone.
    Shy,
    /// `hcp_no_confidentiality`: protected against changes only.
    None,
    /// A reply: baseline, and what the mail that it answers kept confidential stays so.
    Reply(Confidential),
}

/// What a mail kept confidential, so that a reply to it does not give it away (RFC 9788 section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Confidential {
    /// Names of the fields that were hidden or changed outside, in lower case.
    pub(super) fields: Vec<String>,
    /// Comparable addresses that stood inside only.
    pub(super) addresses: Vec<String>,
    /// Message-IDs that stood inside only.
    pub(super) message_ids: Vec<String>,
    /// Display names were left out outside.
    pub(super) names: bool,
}

impl HeaderPolicy {
    /// The field as it stands outside; `None` when it does not.
    pub(super) fn outside(&self, field: &OutField) -> Option<OutField> {
        let kept = || Some(field.for_transport());
        match self {
            Self::None => kept(),
            _ if field.is("Subject") => Some(OutField::new(&field.name, HIDDEN_SUBJECT)),
            _ if field.is("Keywords") || field.is("Comments") => None,
            Self::Baseline => kept(),
            Self::Shy => Some(shy(field)),
            Self::Reply(confidential) => confidential.outside(field),
        }
    }
}

impl Confidential {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.iter().all(|name| matches!(name.as_str(), "subject" | "keywords" | "comments"))
    }

    fn outside(&self, field: &OutField) -> Option<OutField> {
        if field.is("In-Reply-To") || field.is("References") {
            let value = String::from_utf8_lossy(&field.unfolded()).into_owned();
            let known =
                value.split_ascii_whitespace().filter(|id| !self.message_ids.iter().any(|own| own == id));
            let kept: Vec<&str> = known.collect();
            return (!kept.is_empty()).then(|| OutField::new(&field.name, &kept.join(" ")));
        }
        if field.is("Date") && self.fields.iter().any(|name| name == "date") {
            return Some(shy(field));
        }
        let is_list = ADDRESS_FIELDS.iter().any(|name| field.is(name));
        if !is_list || field.is("From") {
            return Some(field.for_transport());
        }
        let hidden = |mailbox: &Mailbox| self.addresses.contains(&mailbox.comparable());
        let open: Vec<Mailbox> =
            mailboxes(&field.unfolded()).into_iter().filter(|mailbox| !hidden(mailbox)).collect();
        let shown: Vec<String> = open
            .into_iter()
            .map(|mailbox| if self.names { mailbox.address } else { render_mailbox(&mailbox) })
            .collect();
        (!shown.is_empty()).then(|| OutField::new(&field.name, &shown.join(", ")))
    }
}

/// Addresses without names, dates without time zone.
fn shy(field: &OutField) -> OutField {
    let unfolded = field.unfolded();
    if field.is("Date") {
        let value = words::decode(&unfolded);
        return OutField::new(&field.name, &date::parse(&value).map_or(value, date::format_utc));
    }
    if ADDRESS_FIELDS.iter().any(|name| field.is(name)) {
        let addresses: Vec<String> =
            mailboxes(&unfolded).into_iter().map(|mailbox| mailbox.address).collect();
        return OutField::new(&field.name, &addresses.join(", "));
    }
    field.for_transport()
}
