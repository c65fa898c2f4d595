// SPDX-License-Identifier: LGPL-2.0-or-later
//! The ledger on a real database: order, repetition, and what it notices when somebody else writes.

mod order;
mod stage;
mod tampering;
