// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which certificate for which address, and why.

mod address;

pub use address::{Address, AddressError};
