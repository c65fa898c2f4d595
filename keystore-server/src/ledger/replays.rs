// SPDX-License-Identifier: LGPL-2.0-or-later
//! Device proofs that come again. Whose session it is sees it in their log; whoever has recorded one request must not fill the log with
//! it, so after a few in a minute they are counted.

use std::collections::HashMap;

use plombe_core::keystore::SessionId;

const ENTRIES: u32 = 6;
const WINDOW: u64 = 60;

/// Entries about replays by session: since when, and how many.
#[derive(Default)]
pub(super) struct Replays(HashMap<SessionId, (u64, u32)>);

impl Replays {
    /// Does one more get an entry of its own? `now` is in seconds.
    pub(super) fn is_worth_an_entry(&mut self, session: SessionId, now: u64) -> bool {
        self.0.retain(|_, (since, _)| now.abs_diff(*since) < WINDOW);
        let (_, count) = self.0.entry(session).or_insert((now, 0));
        *count = count.saturating_add(1);
        *count <= ENTRIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_in_a_minute_are_entries_for_each_session() {
        let (mut replays, [one, other]) =
            (Replays::default(), [1, 2].map(|id| SessionId(uuid::Uuid::from_u128(id))));
        let entries = |replays: &mut Replays, session, now| {
            (0..100).filter(|_| replays.is_worth_an_entry(session, now)).count()
        };
        assert_eq!(entries(&mut replays, one, 1000), ENTRIES as usize);
        assert_eq!(entries(&mut replays, one, 1059), 0);
        assert_eq!(entries(&mut replays, other, 1059), ENTRIES as usize);
        assert_eq!(entries(&mut replays, one, 1060), ENTRIES as usize);
        assert_eq!(replays.0.len(), 2);
        assert_eq!(entries(&mut replays, one, 5000), ENTRIES as usize);
        assert_eq!(replays.0.len(), 1, "who is quiet is forgotten");
    }
}
