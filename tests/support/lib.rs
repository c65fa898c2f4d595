// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the test areas share, so that a test reads like the story it checks.
//!
//! * [`binary`]: the programs under test, built when they have to be.
//! * [`home`]: a scratch home with the cast in it, and how to run `plombe` there.
//! * [`scratch`]: a folder for files that peers read and write.
//! * [`authority`]: who certifies the names of servers with TLS.
//! * [`keystore`]: a keystore that runs.
//! * [`postgres`]: a database server of the test's own.
//! * [`process`]: run any program with input, and say what it did when it was not what was expected.
//! * [`peers`]: which other OpenPGP programs are here, and what happens when one is not.
//! * [`corpora`]: mail written by other people, when the checkout has it beside it.
//! * [`samples`]: contents that tend to break things.

pub mod authority;
pub mod binary;
pub mod corpora;
pub mod home;
pub mod keystore;
pub mod peers;
pub mod postgres;
pub mod process;
pub mod samples;
pub mod scratch;

pub use authority::Authority;
pub use binary::{plombe, plombe_keystore};
pub use home::{ALICE, BOB, Home, MALLORY};
pub use keystore::Keystore;
pub use postgres::Postgres;
pub use process::{Ran, run};
pub use scratch::Scratch;
