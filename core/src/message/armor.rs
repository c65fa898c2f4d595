// SPDX-License-Identifier: LGPL-2.0-or-later
//! ASCII armor on and off, without looking at what is inside further than its first packet.

use std::io;

/// Armors OpenPGP data; the first packet says which header line it gets. Armored input passes through.
pub fn enarmor(
    data: &mut (dyn io::Read + Send + Sync),
    output: &mut dyn io::Write,
) -> Result<(), ArmorError> {
    todo!()
}

/// Takes armor off; binary input passes through.
pub fn dearmor(
    data: &mut (dyn io::Read + Send + Sync),
    output: &mut dyn io::Write,
) -> Result<(), ArmorError> {
    todo!()
}

/// Why armor could not be put on or taken off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArmorError {
    /// Neither armor nor binary OpenPGP packets.
    #[error("this is not OpenPGP data")]
    Malformed,
    /// The source failed.
    #[error("cannot read the input")]
    Input(#[source] io::Error),
    /// The output failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}
