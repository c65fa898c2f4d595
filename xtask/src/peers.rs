// SPDX-License-Identifier: LGPL-2.0-or-later
//! Other people's OpenPGP programs that the tests run beside ours.

use anyhow::Result;

use crate::setup;

/// Makes sure that the peers are there.
pub(crate) fn install() -> Result<()> {
    setup::packages("the interoperability tests", &["gpg"])
}
