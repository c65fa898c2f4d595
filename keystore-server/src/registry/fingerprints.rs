// SPDX-License-Identifier: LGPL-2.0-or-later
//! A few fingerprints.

use plombe_core::keystore::KeyFingerprint;
use serde::{Deserialize, Serialize};

/// Fingerprints in order, none twice. As a rule there is one, and a tree takes the room of eleven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<KeyFingerprint>")]
pub struct Fingerprints(Box<[KeyFingerprint]>);

impl Fingerprints {
    /// Is it among them?
    pub fn contains(&self, fingerprint: &KeyFingerprint) -> bool {
        self.0.binary_search(fingerprint).is_ok()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, KeyFingerprint> {
        self.0.iter()
    }
}

impl From<Vec<KeyFingerprint>> for Fingerprints {
    fn from(mut fingerprints: Vec<KeyFingerprint>) -> Self {
        fingerprints.sort_unstable();
        fingerprints.dedup();
        Self(fingerprints.into())
    }
}

impl FromIterator<KeyFingerprint> for Fingerprints {
    fn from_iter<I: IntoIterator<Item = KeyFingerprint>>(fingerprints: I) -> Self {
        Vec::from_iter(fingerprints).into()
    }
}

impl<'a> IntoIterator for &'a Fingerprints {
    type Item = &'a KeyFingerprint;
    type IntoIter = std::slice::Iter<'a, KeyFingerprint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
