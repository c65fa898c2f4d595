// SPDX-License-Identifier: LGPL-2.0-or-later
//! The leave to act. Only the ledger makes one, and only after its entry is durable.

/// Leave to do exactly `A`, once. A function that acts takes it by value.
#[must_use]
pub struct Permit<A> {
    act: A,
    position: u64,
}

impl<A> Permit<A> {
    pub(super) fn new(act: A, position: u64) -> Self {
        Self { act, position }
    }

    /// What may be done.
    pub fn act(&self) -> &A {
        &self.act
    }

    /// Uses the permit up.
    pub fn into_act(self) -> A {
        self.act
    }

    /// Position of its log entry.
    pub fn position(&self) -> u64 {
        self.position
    }
}
