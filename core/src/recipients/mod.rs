// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate for which address, and why.
//!
//! Certificates come from several places, each worth a different amount of trust ([`Source`]). A caller collects
//! what it finds as [`Candidate`]s and asks [`choose()`], which uses the first certificate for an address from then on
//! ([`Pins`]) and never replaces it silently: a changed primary key is a [`Conflict`] that a person decides.
//!
//! Looking up is I/O and stays with the caller; this module says what to ask for ([`wkd`], [`Keyserver`]) and what
//! an answer may hold ([`answer`]). What mails bring along by themselves is kept per [`Correspondent`].

mod address;
pub mod answer;
mod choose;
mod correspondent;
mod keyserver;
mod pins;
mod source;
pub mod wkd;

pub use address::{Address, AddressError};
pub use choose::{Candidate, Choice, Conflict, Explanation, NotUsed, Outcome, choose};
pub use correspondent::{Brought, Correspondent, Learned};
pub use keyserver::{Keyserver, KeyserverError};
pub use pins::{Decision, Offer, Pin, Pins, Rejection};
pub use source::{Source, SourceError, WkdMethod};
