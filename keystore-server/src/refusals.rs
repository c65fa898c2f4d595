// SPDX-License-Identifier: LGPL-2.0-or-later
//! Refusals of nobody in particular. Each of them would be an entry that a stranger can make as often as he likes, so they
//! are counted, and one entry per minute and reason says how many there were.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Counters by the code of the reason.
#[derive(Default)]
pub struct Refusals(Mutex<BTreeMap<String, u64>>);

/// More reasons than the code has would be somebody's invention.
const MOST_REASONS: usize = 200;

impl Refusals {
    /// One more.
    pub fn count(&self, reason: &str) {
        self.add(reason, 1);
    }

    /// So many more.
    pub fn add(&self, reason: &str, count: u64) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reason =
            if counted.len() < MOST_REASONS || counted.contains_key(reason) { reason } else { "other" };
        let counter = counted.entry(reason.to_owned()).or_default();
        *counter = counter.saturating_add(count);
    }

    /// What was counted since the last time.
    pub fn take(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_per_reason() {
        let refusals = Refusals::default();
        (0..1000).for_each(|i| refusals.count(if i % 4 == 0 { "code-unknown" } else { "proof-malformed" }));
        let taken: Vec<_> = refusals.take().into_iter().collect();
        assert_eq!(taken, [("code-unknown".to_owned(), 250), ("proof-malformed".to_owned(), 750)]);
        assert!(refusals.take().is_empty());
    }

    #[test]
    fn invented_reasons_do_not_fill_the_memory() {
        let refusals = Refusals::default();
        (0..10_000).for_each(|i| refusals.count(&format!("reason-{i}")));
        assert_eq!(refusals.take().len(), MOST_REASONS + 1);
    }
}
