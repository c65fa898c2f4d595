// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys and certificates in and out.

use std::ffi::{OsStr, OsString};

use plombe_core::{
    cert::{Certificate, LockedTsk, Tsk, UnlockError},
    message::armor,
    secret::Passphrase,
};
use zeroize::Zeroizing;

use super::{
    designator,
    failure::{Code, Failure, Result},
    read_stdin, write_stdout,
};

/// Every certificate in the named files.
pub(super) fn certificates(designators: &[OsString]) -> Result<Vec<Certificate>> {
    let mut all = Vec::new();
    for designator in designators {
        let bytes = designator::read(designator)?;
        all.extend(parse_certificates(&bytes).map_err(|failure| failure.about(designator))?);
    }
    Ok(all)
}

/// Certificates only: whoever hands out a secret key here has mixed up their files, and should hear it before it
/// is published.
pub(super) fn parse_certificates(bytes: &[u8]) -> Result<Vec<Certificate>> {
    if LockedTsk::parse_all(bytes).is_ok() {
        return Err(Failure::new(Code::BadData, "this holds a secret key where only certificates belong"));
    }
    Ok(Certificate::parse_all(bytes)?)
}

/// Every TSK in the named files, unlocked. One that stays locked is an error.
pub(super) fn tsks(designators: &[OsString], passwords: &[Passphrase]) -> Result<Vec<Tsk>> {
    let mut all = Vec::new();
    for designator in designators {
        for tsk in locked_tsks(designator)? {
            all.push(tsk.unlock_with(passwords).map_err(|error| Failure::from(error).about(designator))?);
        }
    }
    Ok(all)
}

/// As [`tsks`], but those that stay locked are only counted: another one may do.
pub(super) fn tsks_that_unlock(
    designators: &[OsString],
    passwords: &[Passphrase],
) -> Result<(Vec<Tsk>, usize)> {
    let (mut open, mut locked) = (Vec::new(), 0);
    for designator in designators {
        for tsk in locked_tsks(designator)? {
            match tsk.unlock_with(passwords) {
                Ok(tsk) => open.push(tsk),
                Err(UnlockError::WrongPassphrase | UnlockError::PassphraseNeeded) => locked += 1,
                Err(error) => return Err(Failure::from(error).about(designator)),
            }
        }
    }
    Ok((open, locked))
}

fn locked_tsks(designator: &OsStr) -> Result<Vec<LockedTsk>> {
    let bytes = Passphrase::new(designator::read(designator)?);
    LockedTsk::parse_all(bytes.expose()).map_err(|error| Failure::from(error).about(designator))
}

/// The TSKs on standard input.
pub(super) fn stdin_tsks() -> Result<Vec<LockedTsk>> {
    let bytes = Passphrase::new(read_stdin()?);
    Ok(LockedTsk::parse_all(bytes.expose())?)
}

/// Certificates to standard output, one after the other in one block.
pub(super) fn write_certificates(certificates: &[Certificate], armored: bool) -> Result<()> {
    write(certificates.iter().map(Certificate::to_armored), armored)
}

/// TSKs to standard output, one after the other in one block.
pub(super) fn write_tsks(tsks: &[LockedTsk], armored: bool) -> Result<()> {
    write(tsks.iter().map(LockedTsk::to_armored), armored)
}

/// Several armored blocks in a row are not what other programs expect, so they become one.
fn write(blocks: impl ExactSizeIterator<Item = String>, armored: bool) -> Result<()> {
    let single = blocks.len() == 1;
    let mut binary = Zeroizing::new(Vec::new());
    for block in blocks.map(Zeroizing::new) {
        if single && armored {
            return write_stdout(block.as_bytes());
        }
        armor::dearmor(&mut block.as_bytes(), &mut *binary)?;
    }
    if !armored {
        return write_stdout(&binary);
    }
    let mut text = Zeroizing::new(Vec::new());
    armor::enarmor(&mut binary.as_slice(), &mut *text)?;
    write_stdout(&text)
}

impl Failure {
    /// Says which of several arguments is meant.
    fn about(self, designator: &OsStr) -> Self {
        Self::new(self.code, format!("{}: {self}", designator.to_string_lossy()))
    }
}
