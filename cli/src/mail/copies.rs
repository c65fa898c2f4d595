// SPDX-License-Identifier: LGPL-2.0-or-later
//! The copies of a mail with Bcc recipients, each with its envelope.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;
use plombe_core::mail::SealedCopy;

use super::in_place::mbox;
use crate::output::{Durability, NewFile, OutputError, Visibility};

/// `1.eml` with `1.rcpt` beside it (one address per line), and so on. `sendmail $(cat 1.rcpt) < 1.eml` hands one over.
pub(super) fn into_directory(dir: &Path, copies: &[SealedCopy], force: bool) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut contents = Vec::new();
    for (index, copy) in copies.iter().enumerate() {
        let mut envelope = copy.envelope_to.join("\n");
        envelope.push('\n');
        contents.push((dir.join(format!("{}.rcpt", index + 1)), envelope.into_bytes()));
        contents.push((dir.join(format!("{}.eml", index + 1)), copy.mail.clone()));
    }
    // All are written before the first gets its name, so that a full disk does not leave half a mail.
    let mut files = Vec::new();
    for (path, content) in &contents {
        if !force && path.symlink_metadata().is_ok() {
            return Err(OutputError::Exists(path.clone()).into());
        }
        files.push((path, write(path, content, force).map_err(|source| failed(path, source))?));
    }
    for (path, file) in files {
        file.release().map_err(|source| failed(path, source))?;
    }
    Ok(())
}

/// All copies in one new mbox file, in order.
pub(super) fn into_mbox(
    path: &Path,
    copies: &[SealedCopy],
    now: SystemTime,
    force: bool,
) -> anyhow::Result<()> {
    let mut content = Vec::new();
    for copy in copies {
        mbox::append(&mut content, &mbox::separator(now), &copy.mail);
    }
    if !force && path.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(path.to_owned()).into());
    }
    let file = write(path, &content, force).map_err(|source| failed(path, source))?;
    Ok(file.release().map_err(|source| failed(path, source))?)
}

fn write(path: &Path, content: &[u8], replace: bool) -> io::Result<NewFile> {
    let mut file = NewFile::create(path, replace, Visibility::Everyone, Durability::Synced)?;
    file.write_all(content)?;
    file.flush()?;
    Ok(file)
}

fn failed(path: &Path, source: io::Error) -> OutputError {
    let path = PathBuf::from(path);
    match source.kind() {
        io::ErrorKind::AlreadyExists => OutputError::Exists(path),
        _ => OutputError::Failed { path, source },
    }
}
