// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal, open, inspect one RFC 5322 message.
//!
//! ```text
//! addresses(mail) → who signs, who receives → Seal { .. }.seal(mail) → SealedMail { copies }
//! open(mail, yield_session_key, context)    → OpenedMail { fields, parts with verdicts, findings }
//! inspect(mail, context)                    → Inspection: structure, findings, verdicts; no plaintext
//! ```

mod addresses;
mod autocrypt;
mod fields;
mod finding;
mod inspect;
mod open;
mod seal;
mod sign;

pub use addresses::{AddressError, Addresses, addresses};
pub use autocrypt::{AutocryptOut, KeyCandidate, KeySource};
pub use fields::{Field, Protection};
pub use finding::{Finding, FindingCode};
pub use inspect::{Inspection, PartSummary, Structure, inspect};
pub use open::{MailOpenError, OpenOptions, OpenedMail, Part, YieldSessionKey, open};
pub use seal::{HeaderPolicy, MailSealError, Recipient, Seal, SealedCopy, SealedMail};
pub use sign::Sign;
