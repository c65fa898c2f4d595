// SPDX-License-Identifier: LGPL-2.0-or-later
//! Autocrypt headers out, Autocrypt and gossip in. What comes in is a candidate, never trusted by itself.

use std::time::SystemTime;

use crate::cert::Certificate;

/// What to tell recipients about keys.
#[derive(Clone, Copy)]
pub struct AutocryptOut<'a> {
    /// The sender's certificate; it is minimised to the From address.
    pub certificate: &'a Certificate,
    /// Ask for encrypted replies.
    pub prefer_encrypt: bool,
    /// Inside encrypted mail to two people or more: everybody's certificate for everybody (never Bcc).
    pub gossip: bool,
}

/// A certificate that a mail brought along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCandidate {
    /// Address that the mail claims it is for.
    pub address: String,
    /// Binary OpenPGP certificate, unparsed.
    pub keydata: Vec<u8>,
    /// Where it stood.
    pub source: KeySource,
    /// `prefer-encrypt=mutual`.
    pub prefer_encrypt: bool,
    /// The smaller of the mail's date and now.
    pub effective_date: SystemTime,
}

/// Where a certificate stood in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `Autocrypt:` header, about the sender.
    Autocrypt,
    /// `Autocrypt-Gossip:` inside encrypted content, the sender's word about another recipient.
    Gossip,
}
