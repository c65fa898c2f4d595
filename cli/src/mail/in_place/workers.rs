// SPDX-License-Identifier: LGPL-2.0-or-later
//! A batch of mails on every core.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{Outcome, Work, line_ends::Style};

/// What became of each mail of `batch`, in its order, with line ends as the mail had them. `keep` gets the number of a
/// mail and what takes its place; called from several threads too.
pub(super) fn map<C: Send>(
    batch: &[Vec<u8>],
    work: &Work<'_>,
    keep: impl Fn(usize, Vec<u8>) -> C + Sync,
) -> Vec<anyhow::Result<Outcome<C>>> {
    let one = |number: usize, mail: &[u8]| {
        Ok(match work(mail)? {
            Outcome::Replace(content) => Outcome::Replace(keep(number, Style::of(mail).apply(content))),
            Outcome::Leave => Outcome::Leave,
        })
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(batch.len());
    if cores <= 1 {
        return batch.iter().enumerate().map(|(number, mail)| one(number, mail)).collect();
    }
    let next = AtomicUsize::new(0);
    let mut outcomes: Vec<Option<anyhow::Result<Outcome<C>>>> = Vec::new();
    outcomes.resize_with(batch.len(), || None);
    let done = thread::scope(|scope| {
        let take_turns = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(mail) = batch.get(number) else { return done };
                done.push((number, one(number, mail)));
            }
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(take_turns)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    for (number, outcome) in done {
        outcomes[number] = Some(outcome);
    }
    // A thread that panicked takes its mails' outcomes with it; those mails stay as they are.
    let lost = || Err(anyhow::anyhow!("the program failed at this mail"));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
}
