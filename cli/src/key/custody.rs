// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a secret key lives.

/// Where a secret key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Custody {
    /// In a file of this machine, under a passphrase.
    Local,
    /// In the keystore, which never gives it out.
    Keystore,
}
