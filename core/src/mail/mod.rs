// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal, open, inspect one RFC 5322 message.
//!
//! ```text
//! addresses(mail) → who signs, who receives → Seal { .. }.seal(mail) → SealedMail { copies }
//! open(mail, yield_session_key, context)    → OpenedMail { fields, parts with verdicts, findings }
//! inspect(mail, context)                    → Inspection: structure, findings, verdicts; no plaintext
//! ```
//! Files in reading order: [`open()`] and `layers` take layers off, `structure` recognises them, `fields` and `sender`
//! judge the header, `part` and `plain` hand out what is left; [`Seal`] and [`Sign`] go the other way through
//! `payload`; [`reply`] answers without giving away what was confidential.

pub mod reply;

mod addresses;
mod autocrypt;
mod edit;
mod fields;
mod finding;
mod header_policy;
mod inspect;
mod layers;
mod legacy_display;
mod open;
mod part;
mod payload;
mod plain;
mod seal;
mod sender;
mod sign;
mod structure;
mod wire;

pub use addresses::{AddressError, Addresses, addresses, message_id, unverified_sender};
pub use autocrypt::{AutocryptOut, KeyCandidate, KeyNews};
pub use fields::{Field, Protection};
pub use finding::{Finding, FindingCode};
pub use header_policy::{Confidential, HeaderPolicy};
pub use inspect::{Inspection, PartSummary, Structure, inspect};
pub use open::{LayerSummary, MailOpenError, OpenOptions, OpenedMail, YieldSessionKey, open};
pub use part::Part;
pub use seal::{MailSealError, Recipient, Seal, SealedCopy, SealedMail};
pub use sign::Sign;
