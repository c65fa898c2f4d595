// SPDX-License-Identifier: LGPL-2.0-or-later
//! What keystore and clients say to each other: pure, the same code on both sides.

mod fields;

pub use fields::fields;
