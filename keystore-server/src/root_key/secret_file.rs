// SPDX-License-Identifier: LGPL-2.0-or-later
//! A file that holds a secret: made so that its owner alone reads it, and read only when that is still so.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::RootKeyError;

/// Longer files are not read.
const LONGEST: u64 = 1024;

/// Makes a new file with mode 0600, durable when this returns.
pub(super) fn create(file: &Path, text: &str) -> Result<(), RootKeyError> {
    let failed = |source| RootKeyError::File { file: file.to_owned(), source };
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Reads a short text. A link, or a file that others can read, is refused: somebody may know it already.
pub(super) fn read(file: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let failed = |source| RootKeyError::File { file: file.to_owned(), source };
    // Not blocking, so that a pipe in its place is refused and not waited for.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let input = OpenOptions::new().read(true).custom_flags(flags).open(file).map_err(failed)?;
    let about = input.metadata().map_err(failed)?;
    if about.mode() & 0o077 != 0 {
        return Err(RootKeyError::Readable(file.to_owned()));
    }
    if !about.is_file() || about.len() > LONGEST {
        return Err(RootKeyError::Malformed(file.to_owned()));
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    input.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Reads what a person put there: without the line end, and not nothing.
pub(super) fn read_line(file: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let text = read(file)?;
    let line = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if line.is_empty() { Err(RootKeyError::Empty(file.to_owned())) } else { Ok(line) }
}
