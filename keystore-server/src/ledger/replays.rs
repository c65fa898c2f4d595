// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is refused again and again in one session. Whose session it is sees it in their log; whoever has recorded one request, or waits
//! to be confirmed, must not fill the log with it, so after a few in a minute they are counted.

use std::collections::HashMap;

use plombe_core::keystore::SessionId;

const WINDOW: u64 = 60;

/// Entries by session: since when, and how many.
pub(super) struct Replays {
    entries: u32,
    seen: HashMap<SessionId, (u64, u32)>,
}

impl Replays {
    /// So many a minute.
    pub(super) fn at_most(entries: u32) -> Self {
        Self { entries, seen: HashMap::new() }
    }

    /// Does one more get an entry of its own? `now` is in seconds.
    pub(super) fn is_worth_an_entry(&mut self, session: SessionId, now: u64) -> bool {
        self.seen.retain(|_, (since, _)| now.abs_diff(*since) < WINDOW);
        let (_, count) = self.seen.entry(session).or_insert((now, 0));
        *count = count.saturating_add(1);
        *count <= self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: u32 = 6;

    #[test]
    fn a_few_in_a_minute_are_entries_for_each_session() {
        let (mut replays, [one, other]) =
            (Replays::at_most(ENTRIES), [1, 2].map(|id| SessionId(uuid::Uuid::from_u128(id))));
        let entries = |replays: &mut Replays, session, now| {
            (0..100).filter(|_| replays.is_worth_an_entry(session, now)).count()
        };
        assert_eq!(entries(&mut replays, one, 1000), ENTRIES as usize);
        assert_eq!(entries(&mut replays, one, 1059), 0);
        assert_eq!(entries(&mut replays, other, 1059), ENTRIES as usize);
        assert_eq!(entries(&mut replays, one, 1060), ENTRIES as usize);
        assert_eq!(replays.seen.len(), 2);
        assert_eq!(entries(&mut replays, one, 5000), ENTRIES as usize);
        assert_eq!(replays.seen.len(), 1, "who is quiet is forgotten");
    }
}
