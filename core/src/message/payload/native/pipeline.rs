// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bounded, ordered work on several threads. Nothing here knows what the work is.

use std::{
    num::NonZero,
    sync::mpsc::{self, Receiver, Sender, SyncSender},
    thread::{self, Scope},
};

/// Threads for work that can be done in any order. More than a few only wait for memory and disk.
pub(super) fn workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(8)
}

/// Items that may wait between two threads. With one in work on each side, this bounds what is in memory.
const QUEUE: usize = 1;

/// Gives items to workers in turn.
pub(super) struct Deal<T> {
    workers: Vec<SyncSender<T>>,
    turn: usize,
}

impl<T> Deal<T> {
    /// `false` when nobody will look at the results any more.
    pub(super) fn send(&mut self, item: T) -> bool {
        let sent = self.workers[self.turn].send(item).is_ok();
        self.turn = (self.turn + 1) % self.workers.len();
        sent
    }
}

/// Takes results from workers in the same turn, so in the order of the items.
pub(super) struct Gather<T> {
    workers: Vec<Receiver<T>>,
    turn: usize,
}

impl<T> Iterator for Gather<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let result = self.workers[self.turn].recv().ok();
        self.turn = (self.turn + 1) % self.workers.len();
        result
    }
}

/// Starts `count` workers, each with its own state from `worker`.
pub(super) fn spread<'scope, T, U, F>(
    scope: &'scope Scope<'scope, '_>,
    count: usize,
    worker: impl Fn() -> F,
) -> (Deal<T>, Gather<U>)
where
    T: Send + 'scope,
    U: Send + 'scope,
    F: FnMut(T) -> U + Send + 'scope,
{
    let mut deal = Deal { workers: Vec::new(), turn: 0 };
    let mut gather = Gather { workers: Vec::new(), turn: 0 };
    for _ in 0..count {
        let (sender, items) = mpsc::sync_channel(QUEUE);
        let (results, receiver) = mpsc::sync_channel(QUEUE);
        let mut work = worker();
        scope.spawn(move || {
            for item in items {
                if results.send(work(item)).is_err() {
                    return;
                }
            }
        });
        deal.workers.push(sender);
        gather.workers.push(receiver);
    }
    (deal, gather)
}

/// One thread that does `work` on each item in order.
pub(super) fn stage<'scope, T, U>(
    scope: &'scope Scope<'scope, '_>,
    items: impl Iterator<Item = T> + Send + 'scope,
    mut work: impl FnMut(T) -> U + Send + 'scope,
) -> Gather<U>
where
    T: Send + 'scope,
    U: Send + 'scope,
{
    let (results, receiver) = mpsc::sync_channel(QUEUE);
    scope.spawn(move || {
        for item in items {
            if results.send(work(item)).is_err() {
                return;
            }
        }
    });
    Gather { workers: vec![receiver], turn: 0 }
}

/// Buffers on their way back from the last thread to the first.
pub(super) fn recycling() -> (Sender<Vec<u8>>, Buffers) {
    let (back, used) = mpsc::channel();
    (back, Buffers { used })
}

pub(super) struct Buffers {
    used: Receiver<Vec<u8>>,
}

impl Buffers {
    pub(super) fn next(&self) -> Vec<u8> {
        self.used.try_recv().unwrap_or_default()
    }
}
