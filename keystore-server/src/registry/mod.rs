// SPDX-License-Identifier: LGPL-2.0-or-later
//! Who may do what: the fold of all authority records, in memory.
//!
//! Every server holds all of it and decides from it alone. Records change only in batches of the
//! ledger, each with its entry in the log; other servers' changes are read under the same lock.
//! In the database they are sealed blobs under pseudonyms.

mod approval;
mod backup;
mod by_mail;
mod certificate;
mod challenge;
mod device;
mod find;
mod fingerprints;
mod index;
mod key;
mod loss;
mod mail_proven;
mod passkey;
mod principal;
mod raw;
mod record;
mod rules;
mod state;
mod tenant;

pub use approval::{Approval, Standing, Wanted};
pub use backup::Backup;
pub use certificate::Certificate;
pub use challenge::{Challenge, Standing as ChallengeStanding};
pub use device::{Device, ProviderSession, Session};
pub use fingerprints::Fingerprints;
pub use key::{Grant, Key, KeyState};
pub use loss::{Acknowledgement, Loss};
pub use mail_proven::MailProven;
pub use passkey::{Passkey, Purpose};
pub use principal::{Code, Principal};
pub use raw::RawUse;
pub use record::{INSTANCE, Kind, Record, RecordId, RecordKey};
pub use rules::Rules;
pub use state::Registry;
pub use tenant::Tenant;
