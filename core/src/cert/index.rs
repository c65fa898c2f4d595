// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a certificate may be found by. Nothing here is checked: use it to find candidates, then ask the checked
//! functions.

use super::Certificate;
use crate::{Fingerprint, recipients::Address};

impl Certificate {
    /// Fingerprints of the primary key and of every subkey, whatever they are worth; the primary one first.
    pub fn unverified_keys(&self) -> Vec<Fingerprint> {
        self.cert.keys().map(|key| key.key().fingerprint()).collect()
    }

    /// User IDs as they stand in the certificate, whether their signatures hold or not.
    pub fn unverified_user_ids(&self) -> Vec<String> {
        self.cert.userids().map(|id| String::from_utf8_lossy(id.userid().value()).into_owned()).collect()
    }

    /// Addresses in the user IDs, in lower case (ASCII only, as addresses are compared), whether their signatures hold or not.
    pub fn unverified_addresses(&self) -> Vec<String> {
        let addresses = self.cert.userids().filter_map(|id| Address::of_user_id(id.userid()));
        addresses.map(|address| address.to_string().to_ascii_lowercase()).collect()
    }
}
