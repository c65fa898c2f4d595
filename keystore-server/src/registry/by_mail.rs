// SPDX-License-Identifier: LGPL-2.0-or-later
//! The ways to find challenges and what they have proven.

use plombe_core::{keystore::KeyFingerprint, recipients::Address};

use super::{Challenge, Kind, MailProven, Principal, Record, RecordId, RecordKey, Registry};

impl Registry {
    /// A challenge, by the hash of its token.
    pub fn challenge(&self, hash: &[u8; 32]) -> Option<&Challenge> {
        match self.record(&RecordKey { kind: Kind::Challenge, id: RecordId::of(&[hash]) }) {
            Some(Record::Challenge(found)) => Some(found),
            _ => None,
        }
    }

    /// Every challenge of the last days, over or not.
    pub fn challenges(&self) -> impl Iterator<Item = &Challenge> {
        self.challenges.iter().filter_map(|hash| self.challenge(hash))
    }

    /// What was proven by mail for an address, by its [place](MailProven::place_of), whoever has the address by now.
    pub fn mail_proven_at(&self, place: &str) -> Option<&MailProven> {
        self.mail_proven(MailProven::id(place))
    }

    fn mail_proven(&self, id: RecordId) -> Option<&MailProven> {
        match self.record(&RecordKey { kind: Kind::MailProven, id }) {
            Some(Record::MailProven(found)) => Some(found),
            _ => None,
        }
    }

    /// What was proven by mail for these addresses. It ends when they become somebody's: it is shown because they are nobody's.
    pub fn mail_proven_for(&self, addresses: &[String]) -> Vec<RecordKey> {
        let addresses = addresses.iter().filter_map(|text| Address::parse(text).ok());
        let found = addresses.filter_map(|address| self.mail_proven_at(&MailProven::place_of(&address)));
        found.map(|proven| RecordKey { kind: Kind::MailProven, id: MailProven::id(&proven.place) }).collect()
    }

    /// All that was proven by mail of certificates that have this primary key or subkey.
    pub fn mail_proven_of_key(&self, key: &KeyFingerprint) -> impl Iterator<Item = &MailProven> {
        self.mail_proven_by_key.of(key).filter_map(|id| self.mail_proven(*id))
    }

    /// All that was proven by mail of certificates of which some v4 key has this key ID.
    pub fn mail_proven_of_key_id(&self, key_id: [u8; 8]) -> impl Iterator<Item = &MailProven> {
        self.mail_proven_by_key_id.of(&key_id).filter_map(|id| self.mail_proven(*id))
    }

    /// Whose mailbox it is for all that is known: who has the address, or the one that it is a tagged form of (`alice+list@…`).
    pub fn owner_of_mailbox(&self, address: &Address) -> Option<&Principal> {
        let untagged = || self.owner_of_address(&MailProven::mailbox_of(address)?);
        self.owner_of_address(address).or_else(untagged)
    }
}
