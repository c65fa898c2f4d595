// SPDX-License-Identifier: LGPL-2.0-or-later
//! The ledger on a real database: order, repetition, what it notices when somebody else writes, and new keys.

mod backup;
mod chains;
mod clock;
mod crashing;
mod failing;
mod order;
mod rotation;
mod stage;
mod tables;
mod tampering;
mod thief;
