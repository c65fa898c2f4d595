// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is kept on this machine: certificates of everybody, our own TSKs, and the index that finds them.
//!
//! | store | holds | is it trusted |
//! |---|---|---|
//! | [`Certificates`] | public certificates, shared with other OpenPGP programs | no: every certificate is checked when used |
//! | [`Tsks`] | our secret keys, 0600 | the secret part is compared with the public part at each unlock |
//! | [`Correspondents`] | certificates that mails brought along | no: they are candidates, and nobody vouches for them |
//! | [`PinStore`] | which certificate belongs to which address | yes: who writes to it redirects mail; 0600 |
//! | [`index`] | which addresses and keys are in which certificate | no: it names candidates only |

mod certificates;
mod correspondents;
mod index;
mod pins;
mod tsks;

pub(crate) use certificates::{Certificates, Stored};
pub(crate) use correspondents::Correspondents;
pub(crate) use pins::PinStore;
pub(crate) use tsks::Tsks;

use std::{io, path::Path};

use crate::exit::{Exit, Failure};

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::OutputFailed, format!("cannot write {}: {error}", path.display())).hint(
        "check who owns the directory and whether the disk is full; `plombe doctor` looks at all of them",
    )
}
